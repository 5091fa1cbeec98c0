"""Erasing a patient in the log of records: what an erasure covers, and what it leaves behind.

An erasure covers the records its own device made before it: those that carry the pseudonym, and
those that name a diagnosis which carries it. Their names, times and hashes stay for ever, so that
the same record again is still the same record; their content is replaced by `TOMBSTONE`. Segments
of the audit chain stay whole: they hold the pseudonym and digests, and are what proves the erasure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from ddx.domain.canonical import digest_of
from sync_service.gateway.intake import Cover, IntakeTransaction, NewEvent
from sync_service.protocol.codes import EventKind
from sync_service.protocol.messages import MAX_PROOF_HASHES, ErasureProof

TOMBSTONE: Final[Mapping[str, Any]] = MappingProxyType({"erased": True})
"""Stands where the payload of an erased record stood, as on the device."""

KEPT_KINDS: Final = (EventKind.AUDIT.value, EventKind.ERASURE.value)
PSEUDONYM: Final = "patient_pseudonym"
DIAGNOSIS: Final = "diagnosis_id"


@dataclass(frozen=True, slots=True)
class Cleared:
    """Fresh records of a batch as they may be stored, and what they add to earlier erasures."""

    events: Sequence[NewEvent]
    learned: Mapping[str, Cover]


def subjects_of(event: NewEvent) -> tuple[str, ...]:
    """Return the names by which an erasure finds a record: its patient's, its diagnosis'."""
    if event.kind in KEPT_KINDS:
        return ()
    named = (event.payload.get(PSEUDONYM), event.payload.get(DIAGNOSIS))
    return tuple(name for name in named if isinstance(name, str))


async def cleared(events: Sequence[NewEvent], transaction: IntakeTransaction) -> Sequence[NewEvent]:
    """Return fresh records of one device with those of an erased patient as tombstones.

    They come late: from a stick, or from a copy the network held back.
    """
    subjects = {subject for event in events for subject in subjects_of(event)}
    if not subjects:
        return events
    device = events[0].device_id
    known = await transaction.covers(device, sorted(subjects))
    if not known:
        return events
    outcome = _buried_where_covered(events, known)
    if outcome.learned:
        await transaction.cover(device, outcome.learned)
    return outcome.events


def _buried_where_covered(events: Iterable[NewEvent], known: Mapping[str, Cover]) -> Cleared:
    covers, learned, kept = dict(known), dict[str, Cover](), list[NewEvent]()
    for event in events:
        subjects = subjects_of(event)
        found = (covers[name] for name in subjects if name in covers)
        cover = next((c for c in found if c.reaches(event.epoch, event.sequence)), None)
        if cover is None:
            kept.append(event)
            continue
        fresh = {name: cover for name in subjects if name not in covers}
        covers |= fresh
        learned |= fresh
        kept.append(replace(event, payload=dict(TOMBSTONE), extra={}, erased_by=cover.erased_by))
    return Cleared(kept, learned)


def proof_of(hashes: Sequence[str]) -> ErasureProof:
    """Return what the device is told: how many records, and which, by the hash it gave them.

    hashes: of the payloads, in server order.
    """
    return ErasureProof(
        records=len(hashes),
        digest=digest_of({"payload_sha256": list(hashes)}),
        payload_sha256=tuple(hashes[:MAX_PROOF_HASHES]),
    )
