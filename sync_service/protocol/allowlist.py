"""May this payload pass? Strict for what leaves a clinic, forgiving for what a newer one sends.

The device refuses unknown kinds and unknown fields: nothing leaves because somebody forgot to
forbid it. The gateway keeps unknown fields, provided that every string in them is code-shaped.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from ddx.domain.audit import GENESIS
from ddx.domain.canonical import canonical_json, digest_of
from sync_service.protocol.codes import EventKind, RejectReason
from sync_service.protocol.fields import CODE_PATTERN, Message
from sync_service.protocol.payloads import PAYLOADS
from sync_service.protocol.versions import MAX_PAYLOAD_BYTES, MAX_UNKNOWN_BYTES

_CODE = re.compile(CODE_PATTERN + "|^$")
_HASHED = ("sequence", "id", "at", "actor", "action", "subject", "previous", "detail")
"""Fields an audit hash covers: `ddx.domain.audit.body_of`."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a payload may not pass; `where` is the path of the first field concerned."""

    reason: RejectReason
    where: str = ""


def objection_to_sending(
    kind: str, payload: Mapping[str, Any], payload_sha256: str
) -> Objection | None:
    """Return why the device must keep this payload, or None when it may leave."""
    model = PAYLOADS.get(kind)
    if model is None:
        return Objection(RejectReason.NOT_ALLOWED_OUT, "kind")
    read = _read(model, payload, payload_sha256)
    if isinstance(read, Objection):
        return read
    unknown = read.unknown_fields()
    if unknown:
        return Objection(RejectReason.NOT_ALLOWED_OUT, unknown[0])
    return _content_objection(kind, payload)


def objection_to_storing(
    kind: str, payload: Mapping[str, Any], payload_sha256: str
) -> Objection | None:
    """Return why the gateway must refuse this payload, or None when it may be stored."""
    read = _read(PAYLOADS.get(kind, Message), payload, payload_sha256)
    if isinstance(read, Objection):
        return read
    return _content_objection(kind, payload)


def objection_to_keeping(unknown: Mapping[str, Any]) -> Objection | None:
    """Return why fields this version does not know may not even be kept, or None."""
    if not unknown:
        return None
    if len(canonical_json(unknown)) > MAX_UNKNOWN_BYTES:
        return Objection(RejectReason.PAYLOAD_TOO_LARGE, "unknown fields")
    text = next(_free_text(unknown, ""), None)
    return None if text is None else Objection(RejectReason.NOT_ALLOWED_OUT, text)


def _read(model: type[Message], payload: Mapping[str, Any], sha256: str) -> Message | Objection:
    try:
        canonical = canonical_json(payload)
        if len(canonical) > MAX_PAYLOAD_BYTES:
            return Objection(RejectReason.PAYLOAD_TOO_LARGE)
        if hashlib.sha256(canonical).hexdigest() != sha256:
            return Objection(RejectReason.HASH_MISMATCH)
        return model.model_validate_json(canonical)
    except ValidationError as error:
        return Objection(RejectReason.PAYLOAD_INVALID, first_location(error))
    except (TypeError, ValueError, RecursionError):
        return Objection(RejectReason.PAYLOAD_INVALID)


def first_location(error: ValidationError) -> str:
    """Return the dotted path of the first complaint, never the value that caused it."""
    return ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])[:200]


def _content_objection(kind: str, payload: Mapping[str, Any]) -> Objection | None:
    text = next(_free_text(payload, ""), None)
    if text is not None:
        return Objection(RejectReason.NOT_ALLOWED_OUT, text)
    if kind == EventKind.AUDIT:
        return _chain_objection(payload)
    return None


def _free_text(value: Any, path: str) -> Iterator[str]:
    """Yield where text stands that is no code. Strings first: most of a payload is leaves."""
    if isinstance(value, str):
        if not _CODE.fullmatch(value):
            yield path
    elif isinstance(value, dict | Mapping):
        for key, below in value.items():
            if not _CODE.fullmatch(key):
                yield path or "field name"
            if not isinstance(below, _NO_TEXT):
                yield from _free_text(below, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _free_text(item, path)


_NO_TEXT: Final = (bool, int, float, type(None))


def _chain_objection(payload: Mapping[str, Any]) -> Objection | None:
    """Check the links of one segment: the server knows of edits before it stores them."""
    previous: Mapping[str, Any] | None = None
    for entry in payload["entries"]:
        where = f"entries.{entry['sequence']}"
        if digest_of({name: entry.get(name, {}) for name in _HASHED}) != entry["hash"]:
            return Objection(RejectReason.AUDIT_BROKEN, where)
        if not _follows(entry, previous):
            return Objection(RejectReason.AUDIT_BROKEN, where)
        previous = entry
    if previous is None or previous["hash"] != payload["head"]:
        return Objection(RejectReason.AUDIT_BROKEN, "head")
    return None


def _follows(entry: Mapping[str, Any], previous: Mapping[str, Any] | None) -> bool:
    if previous is None:
        return bool((entry["sequence"] == 1) == (entry["previous"] == GENESIS))
    return bool(
        entry["sequence"] == previous["sequence"] + 1 and entry["previous"] == previous["hash"]
    )
