"""Canonical JSON: one value, one byte string, so that hashes and signatures are stable."""

import hashlib
import json
from collections.abc import Mapping


def canonical_json(value: object) -> bytes:
    """Return `value` as UTF-8 JSON with sorted keys and no spaces.

    Floats are written by Python's shortest round-trip repr, so equal floats give equal bytes.
    Raises ValueError for nan and infinities, TypeError for what JSON cannot carry.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest_of(value: Mapping[str, object]) -> str:
    """Return the SHA-256 of the canonical JSON of `value`, lower-case hex."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
