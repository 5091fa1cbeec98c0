"""One judged batch into the sink, one result per record out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sync_service.gateway.erasing import PSEUDONYM, cleared, proof_of
from sync_service.gateway.intake import (
    Alarm,
    Conflict,
    Cover,
    Decision,
    Duplicate,
    Fresh,
    IntakeTransaction,
    Ledger,
    NewEvent,
    Repeated,
    Sink,
)
from sync_service.gateway.reading import JudgedBatch
from sync_service.protocol.allowlist import Objection
from sync_service.protocol.codes import AlarmKind, EventKind, RecordStatus, RejectReason
from sync_service.protocol.errors import BatchConflictError
from sync_service.protocol.messages import BatchReceipt, ErasureProof, RecordResult
from sync_service.protocol.receipts import folded
from sync_service.protocol.versions import RUNS_SINCE


async def receive(batch: JudgedBatch, sink: Sink, *, now: datetime) -> BatchReceipt:
    """Store what is fresh and answer for every record, after the commit.

    Errors of the sink are raised as they are: nothing was stored and nothing is acknowledged.
    """
    fit = [record for _, record in batch.records if isinstance(record, NewEvent)]
    settled = await _settle(batch, fit, sink) if fit else {}
    results = tuple(
        RecordResult(
            id=event.id,
            status=RecordStatus.REJECTED,
            reason=record.reason,
            where=record.where or None,
        )
        if isinstance(record, Objection)
        else settled[id(record)]
        for event, record in batch.records
    )
    return BatchReceipt(
        schema_version=batch.header.schema_version,
        batch_id=batch.header.batch_id,
        results=results,
        server_time=now,
    )


def answer_to(batch: JudgedBatch, receipt: BatchReceipt) -> BatchReceipt:
    """Return a receipt as the sender of `batch` reads it.

    Raises:
        BatchConflictError: it holds nothing but conflicts, and its sender knows this answer.
    """
    if batch.header.schema_version < RUNS_SINCE:
        return receipt
    if all(result.reason == RejectReason.CONFLICT for result in receipt.results):
        raise BatchConflictError(f"{len(receipt.results)} records bear names of others")
    return folded(receipt, [event.sequence for event, _ in batch.records])


async def _settle(
    batch: JudgedBatch, fit: Sequence[NewEvent], sink: Sink
) -> dict[int, RecordResult]:
    async with sink.transaction() as transaction:
        stored = await transaction.find(
            batch.header.device_id,
            batch.header.epoch,
            [event.sequence for event in fit],
            [event.id for event in fit],
        )
        ledger = Ledger.of(stored)
        decided = [
            (event, ledger.decide(event.epoch, event.sequence, event.id, event.payload_sha256))
            for event in fit
        ]
        fresh = [event for event, decision in decided if isinstance(decision, Fresh)]
        first = await transaction.append(await cleared(fresh, transaction)) if fresh else 0
        await _raise_alarms(decided, transaction)
        results = {id(event): _result(event, decision, first) for event, decision in decided}
        proofs = await _erase(decided, results, transaction)
    return {
        key: result.model_copy(update={"erased": proofs[key]}) if key in proofs else result
        for key, result in results.items()
    }


async def _erase(
    decided: Sequence[tuple[NewEvent, Decision]],
    results: Mapping[int, RecordResult],
    transaction: IntakeTransaction,
) -> dict[int, ErasureProof]:
    """Act on the erasures among the records; a repeated one is answered as the first was."""
    proofs = {}
    for event, decision in decided:
        number = results[id(event)].server_sequence
        if event.kind != EventKind.ERASURE or number is None:
            continue
        if isinstance(decision, Fresh):
            cover = Cover(epoch=event.epoch, sequence=event.sequence, erased_by=number)
            await transaction.erase(event.device_id, event.payload[PSEUDONYM], cover)
        proofs[id(event)] = proof_of(await transaction.erased_by(number))
    return proofs


async def _raise_alarms(
    decided: Sequence[tuple[NewEvent, Decision]], transaction: IntakeTransaction
) -> None:
    failed = False  # a device whose model fails on every case raises one alarm a batch
    for event, decision in decided:
        if isinstance(decision, Conflict):
            await transaction.raise_alarm(_alarm(AlarmKind.CONFLICT, event, decision.stored_sha256))
        elif event.kind == EventKind.MODEL_FAILURE and isinstance(decision, Fresh) and not failed:
            failed = True
            await transaction.raise_alarm(
                _alarm(AlarmKind.MODEL_FAILURE, event, event.payload_sha256)
            )


def _alarm(kind: AlarmKind, event: NewEvent, stored_sha256: str) -> Alarm:
    return Alarm(
        kind=kind,
        device_id=event.device_id,
        epoch=event.epoch,
        sequence=event.sequence,
        event_id=event.id,
        offered_sha256=event.payload_sha256,
        stored_sha256=stored_sha256,
    )


def _result(event: NewEvent, decision: Decision, first: int) -> RecordResult:
    match decision:
        case Fresh(index=index):
            status, sequence = RecordStatus.STORED, first + index
        case Repeated(index=index):
            status, sequence = RecordStatus.DUPLICATE, first + index
        case Duplicate(server_sequence=sequence):
            status = RecordStatus.DUPLICATE
        case Conflict():
            return RecordResult(
                id=event.id, status=RecordStatus.REJECTED, reason=RejectReason.CONFLICT
            )
    return RecordResult(id=event.id, status=status, server_sequence=sequence)


def tally(receipt: BatchReceipt) -> Counter[str]:
    """Return how many records of a receipt were stored, duplicate, or rejected by reason."""
    return Counter(result.reason or result.status for result in receipt.results)
