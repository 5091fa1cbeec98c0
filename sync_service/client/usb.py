"""Records on a stick: the batches that would go over the network, and the file that answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ddx.domain.identifiers import RecordId
from sync_service.client import machine
from sync_service.client.identity import DeviceIdentity
from sync_service.client.machine import Answer
from sync_service.client.outbox import Outbox, OutgoingEvent
from sync_service.client.runner import Versions, answers_of, batch_id_of, wire_event
from sync_service.protocol.allowlist import Objection
from sync_service.protocol.codes import RecordStatus
from sync_service.protocol.messages import EnrolmentRequest, SyncBatch, SyncEvent
from sync_service.protocol.sealed import CloudCard, Parcel, read_receipts, seal
from sync_service.protocol.versions import MAX_EVENTS_PER_BATCH

MAX_RECORDS: Final = 50_000
"""About 11 MB; a clinic of 100 visits a day fills it in half a year. The rest goes next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file to carry. records: in it; aside: records that may not leave, now in quarantine."""

    file: bytes
    records: int
    aside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What an answer settled on the device."""

    stored: int
    rejected: int


def export(
    outbox: Outbox,
    identity: DeviceIdentity,
    software: Versions,
    card: CloudCard,
    *,
    code: str | None = None,
    now: datetime | None = None,
) -> Exported:
    """Return what waits as a sealed file; it keeps waiting until an answer comes back.

    code: an enrolment code, for a device the cloud does not know yet. Carrying the same records
    twice, or sending them over the network meanwhile, stores nothing twice.

    Raises:
        SealedFileError: more than a file may hold.
    """
    at = now or datetime.now(UTC)
    going, aside = _sorted_out(outbox)
    batches = [
        _batch(epoch, page, identity, software, at)
        for epoch, events in _by_epoch(going, identity.epoch).items()
        for page in _pages(events)
    ]
    parcel = Parcel(batches=tuple(batches), enrolment=_enrolment(identity, software, code))
    file = seal(
        parcel.wire_bytes(),
        device_id=identity.device_id,
        device_key=identity.public_key,
        sign=identity.sign,
        card=card,
    )
    return Exported(file=file, records=len(going), aside=aside)


def settle(file: bytes, outbox: Outbox, identity: DeviceIdentity, card: CloudCard) -> Settled:
    """Write down what the cloud answered, record by record, as an answer of the network.

    Raises:
        SealedFileError, SealedSignatureError: not this cloud's answer to this device; nothing
            was written.
    """
    answer = read_receipts(file, device_id=identity.device_id, statement_key=card.statement_key)
    stored = rejected = 0
    for receipt in answer.receipts:
        for effect in _effects(answers_of(receipt)):
            match effect:
                case machine.Acknowledge(receipts=receipts):
                    outbox.acknowledge(receipts)
                    stored += len(receipts)
                case machine.Quarantine(event=record, reason=reason):
                    outbox.quarantine(record, reason)
                    rejected += 1
                case _:
                    pass  # a file asks for no further push
    return Settled(stored=stored, rejected=rejected)


def _effects(answers: Mapping[RecordId, Answer]) -> Sequence[machine.Effect]:
    event = machine.Answered(sent=tuple(answers), answers=answers)
    return machine.step(machine.Pushing(limit=machine.DEFAULT_LIMIT), event)[1]


def _sorted_out(outbox: Outbox) -> tuple[list[tuple[OutgoingEvent, SyncEvent]], int]:
    going: list[tuple[OutgoingEvent, SyncEvent]] = []
    aside = 0
    for event in outbox.pending(MAX_RECORDS):
        ready = wire_event(event)
        if isinstance(ready, Objection):
            outbox.quarantine(event.id, ready.reason or RecordStatus.REJECTED)
            aside += 1
        else:
            going.append((event, ready))
    return going, aside


def _by_epoch(
    going: Sequence[tuple[OutgoingEvent, SyncEvent]], present: int
) -> dict[int, list[SyncEvent]]:
    found: dict[int, list[SyncEvent]] = {}
    for event, ready in going:
        found.setdefault(present if event.epoch is None else event.epoch, []).append(ready)
    return found


def _pages(events: Sequence[SyncEvent]) -> list[Sequence[SyncEvent]]:
    size = MAX_EVENTS_PER_BATCH
    return [events[start : start + size] for start in range(0, len(events), size)]


def _batch(
    epoch: int,
    events: Sequence[SyncEvent],
    identity: DeviceIdentity,
    software: Versions,
    at: datetime,
) -> SyncBatch:
    return SyncBatch(
        device_id=identity.device_id,
        epoch=epoch,
        batch_id=batch_id_of(events),
        app_version=software.app,
        bundle_version=software.bundle,
        sent_at=at,
        events=tuple(events),
    )


def _enrolment(
    identity: DeviceIdentity, software: Versions, code: str | None
) -> EnrolmentRequest | None:
    if code is None:
        return None
    return EnrolmentRequest(
        device_id=identity.device_id,
        code="".join(code.split()).upper(),
        public_key=identity.public_key_text,
        app_version=software.app,
    )
