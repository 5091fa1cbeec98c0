"""The door of the lake: what may enter bronze, and as which row.

The gateway has checked a record of the stream already; it is checked again here, by the same
allow-list, because the log can be older than the list and other sources pass no gateway.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Final

from pydantic import ValidationError

from ddx.domain.canonical import canonical_json, digest_of
from ddx.errors import DdxError
from sync_service.protocol.allowlist import first_location, objection_to_storing
from sync_service.protocol.codes import RejectReason
from training.lake.tables import Kind
from training.sources.visits import Visit, VisitPayload

VISIT_SCHEMA: Final = 1
"""Version of `VisitPayload`."""

_CONTENT: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {
        Kind.DIAGNOSIS: ("case",),
        Kind.FEEDBACK: ("verb", "disease", "acceptedSuggestions", "overrideReason"),
        Kind.MODEL_FAILURE: ("bundle_digest", "failed_at"),
        Kind.VISIT: ("case", "observations", "conditions", "labels"),
    }
)
"""What a record says clinically: the fields its content hash covers, ids and times left out."""


class RefusedError(DdxError):
    """A record may not enter the lake. `where`: the first field concerned, never its value."""

    code: ClassVar[str] = "lake.refused"

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(f"{reason} at {where or 'the record'}")
        self.reason, self.where = reason, where


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A record at the door. clinic: already a pseudonym. payload_sha256: as the device gave it.

    case_id: the visit it tells of; no two clinics can name the same.
    """

    event_id: str
    case_id: str
    kind: Kind
    source: str
    clinic: str
    event_time: datetime
    offset: int | None
    schema_version: int
    payload: Mapping[str, Any]
    payload_sha256: str | None = None


def arrival_of(visit: Visit) -> Arrival:
    """Return a visit as a record at the door."""
    return Arrival(
        event_id=visit.id,
        case_id=visit.visit_id,
        kind=Kind.VISIT,
        source=visit.source,
        clinic=visit.clinic,
        event_time=visit.at,
        offset=None,
        schema_version=VISIT_SCHEMA,
        payload=visit.payload,
    )


def admit(arrival: Arrival) -> dict[str, Any]:
    """Return the bronze row of a record, without `ingested_at` and `batch`.

    content_sha256: over the canonical JSON of what the record says clinically.

    Raises:
        RefusedError: the allow-list has an objection.
    """
    text = _canonical(arrival)
    digest = arrival.payload_sha256 or hashlib.sha256(text).hexdigest()
    objection = objection_to_storing(arrival.kind, arrival.payload, digest)
    if objection is not None:
        raise RefusedError(objection.reason, objection.where)
    if arrival.kind is Kind.VISIT:
        _check_visit(text)
    payload = arrival.payload
    said = {name: payload[name] for name in _CONTENT[arrival.kind] if name in payload}
    return {
        "event_id": arrival.event_id,
        "kind": arrival.kind.value,
        "case_id": arrival.case_id,
        "source": arrival.source,
        "clinic": arrival.clinic,
        "event_time": arrival.event_time,
        "offset": arrival.offset,
        "content_sha256": digest_of(said),
        "schema_version": arrival.schema_version,
        "payload": text.decode(),
    }


def _canonical(arrival: Arrival) -> bytes:
    try:
        return canonical_json(arrival.payload)
    except (TypeError, ValueError, RecursionError) as error:
        raise RefusedError(RejectReason.PAYLOAD_INVALID, "payload") from error


def _check_visit(text: bytes) -> None:
    """Refuse a visit with a field this version does not write: it would be no clinic's choice."""
    try:
        unknown = VisitPayload.model_validate_json(text).unknown_fields()
    except ValidationError as error:
        raise RefusedError(RejectReason.PAYLOAD_INVALID, first_location(error)) from error
    if unknown:
        raise RefusedError(RejectReason.NOT_ALLOWED_OUT, unknown[0])
