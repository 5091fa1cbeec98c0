"""Identifiers: CURIEs for what medicine names, UUIDv7 for what a device records."""

import os
import re
import time
import uuid
from typing import NewType

from ddx.errors import IdentifierError

FindingId = NewType("FindingId", str)
"""`HP:0001945` (Human Phenotype Ontology) or `VF:slug` (our own context findings)."""

DiseaseId = NewType("DiseaseId", str)
"""`OMIM:154700`, `ORPHA:558`, `DECIPHER:1` or `VD:slug` (our own list of common diseases)."""

RecordId = NewType("RecordId", str)
"""UUIDv7 made on the device; sorts by creation time, never reused."""

_FINDING = re.compile(r"HP:\d{7}|VF:[a-z0-9]+(?:[-.][a-z0-9]+)*")
_DISEASE = re.compile(r"(?:OMIM|ORPHA|DECIPHER):\d+|VD:[a-z0-9]+(?:-[a-z0-9]+)*")


def finding_id(text: str) -> FindingId:
    """Return `text` as a finding id. Raises IdentifierError when it is not shaped like one."""
    if not _FINDING.fullmatch(text):
        raise IdentifierError("finding id", text)
    return FindingId(text)


def disease_id(text: str) -> DiseaseId:
    """Return `text` as a disease id. Raises IdentifierError when it is not shaped like one."""
    if not _DISEASE.fullmatch(text):
        raise IdentifierError("disease id", text)
    return DiseaseId(text)


def record_id(text: str) -> RecordId:
    """Return `text` as a record id (canonical lower-case UUID). Raises IdentifierError."""
    try:
        parsed = uuid.UUID(text)
    except ValueError as error:
        raise IdentifierError("record id", text) from error
    if str(parsed) != text:
        raise IdentifierError("record id", text)
    return RecordId(text)


def new_record_id(*, unix_ms: int | None = None, entropy: bytes | None = None) -> RecordId:
    """Return a fresh UUIDv7.

    unix_ms: creation time in milliseconds; the system clock when absent.
    entropy: 10 random bytes; the system's generator when absent (tests pass their own).
    Source: RFC 9562, section 5.7.
    """
    ms = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    noise = os.urandom(10) if entropy is None else entropy
    value = bytearray(ms.to_bytes(6, "big") + noise)
    value[6] = (value[6] & 0x0F) | 0x70
    value[8] = (value[8] & 0x3F) | 0x80
    return RecordId(str(uuid.UUID(bytes=bytes(value))))
