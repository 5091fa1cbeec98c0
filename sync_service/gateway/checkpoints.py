"""What the server makes of the head of a device's audit chain: decided without a database."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from ddx.domain.statements import Checkpoint, SignatureCheck, entry_statement, moment_text
from sync_service.gateway.devices import Device
from sync_service.gateway.intake import Alarm
from sync_service.protocol.checkpoints import (
    CheckpointAnswer,
    CheckpointMessage,
    CheckpointRequest,
    CheckpointVerdict,
    HeadMessage,
)
from sync_service.protocol.codes import AlarmKind
from sync_service.protocol.errors import DeviceMismatchError, HeadNotSignedError


class StatementKey(Protocol):
    """The server's Ed25519 key for statements (checkpoints, leases)."""

    @property
    def public_key(self) -> str:
        """The public half, hex."""

    def sign(self, statement: bytes) -> str:
        """Return the signature, hex."""


class HeadTransaction(Protocol):
    """One atomic look at, and addition to, the heads of one device."""

    async def heads(self, device_id: str) -> Sequence[Checkpoint]:
        """Return every head countersigned for the device, by epoch and sequence."""

    async def add(self, checkpoint: Checkpoint, device_signature: str) -> None:
        """Keep one countersigned head for ever, with the device's own signature."""

    async def raise_alarm(self, alarm: Alarm) -> None:
        """Record an alarm; the same one again changes nothing."""


class Heads(Protocol):
    """Where countersigned heads are kept."""

    def transaction(self) -> AbstractAsyncContextManager[HeadTransaction]:
        """Open a transaction: durable when the block ends, undone when it raises."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and the newest head the server holds. repeated: a countersignature given before."""

    verdict: CheckpointVerdict
    known: Checkpoint | None = None
    repeated: Checkpoint | None = None


def judge(heads: Sequence[Checkpoint], asked: CheckpointRequest) -> Judged:
    """Return what to make of `asked`, given every head countersigned for its device."""
    if not heads:
        return Judged(CheckpointVerdict.COUNTERSIGNED)
    newest = max(heads, key=lambda head: (head.epoch, head.sequence))
    for head in heads:
        if (head.epoch, head.sequence) == (asked.epoch, asked.sequence):
            return _met_before(head, newest, asked)
    if (asked.epoch, asked.sequence) < (newest.epoch, newest.sequence):
        return Judged(CheckpointVerdict.RESTORED_BACKUP, newest)
    if asked.epoch > newest.epoch:
        return Judged(CheckpointVerdict.COUNTERSIGNED)
    return _follows(newest, asked)


def _met_before(head: Checkpoint, newest: Checkpoint, asked: CheckpointRequest) -> Judged:
    if head.head != asked.head:
        return Judged(CheckpointVerdict.FORK, head)
    if head is not newest:
        return Judged(CheckpointVerdict.RESTORED_BACKUP, newest)
    return Judged(CheckpointVerdict.COUNTERSIGNED, repeated=head)


def _follows(newest: Checkpoint, asked: CheckpointRequest) -> Judged:
    told = asked.previous
    if told is None or (told.epoch, told.sequence) != (newest.epoch, newest.sequence):
        return Judged(CheckpointVerdict.PREVIOUS_UNKNOWN, newest)
    if told.head != newest.head:
        return Judged(CheckpointVerdict.FORK, newest)
    return Judged(CheckpointVerdict.COUNTERSIGNED)


async def countersign(
    asked: CheckpointRequest,
    device: Device,
    *,
    heads: Heads,
    key: StatementKey,
    check: SignatureCheck,
    now: datetime,
) -> CheckpointAnswer:
    """Return the answer to `asked`, after what it says was committed.

    Raises:
        DeviceMismatchError: the head names another device than the one that signed the request.
        HeadNotSignedError: the head is not signed by the device's key.
    """
    if asked.device_id != device.id:
        raise DeviceMismatchError("the head names another device than its signature")
    device_key = device.public_key.hex()
    statement = entry_statement(device.id, asked.epoch, asked.sequence, asked.head)
    if not check(device_key, asked.signature, statement):
        raise HeadNotSignedError("the head is not signed by the device's key")
    async with heads.transaction() as transaction:
        judged = judge(await transaction.heads(device.id), asked)
        if judged.verdict in {CheckpointVerdict.FORK, CheckpointVerdict.RESTORED_BACKUP}:
            await transaction.raise_alarm(_alarm(asked, judged))
        given = judged.repeated
        if judged.verdict is CheckpointVerdict.COUNTERSIGNED and given is None:
            given = _countersigned(asked, device_key, key, now)
            await transaction.add(given, asked.signature)
    return CheckpointAnswer(
        verdict=judged.verdict,
        known=None if judged.known is None else _head(judged.known),
        checkpoint=None if given is None else _message(given),
    )


def _countersigned(
    asked: CheckpointRequest, device_key: str, key: StatementKey, now: datetime
) -> Checkpoint:
    unsigned = Checkpoint(
        device_id=asked.device_id,
        device_key=device_key,
        epoch=asked.epoch,
        sequence=asked.sequence,
        head=asked.head,
        server_time=moment_text(now),
        server_key=key.public_key,
    )
    return replace(unsigned, signature=key.sign(unsigned.statement))


def _alarm(asked: CheckpointRequest, judged: Judged) -> Alarm:
    fork = judged.verdict is CheckpointVerdict.FORK
    return Alarm(
        kind=AlarmKind.AUDIT_FORK if fork else AlarmKind.AUDIT_RESTORED_BACKUP,
        device_id=asked.device_id,
        epoch=asked.epoch,
        sequence=asked.sequence,
        event_id="",
        offered_sha256=asked.head,
        stored_sha256="" if judged.known is None else judged.known.head,
    )


def _head(known: Checkpoint) -> HeadMessage:
    return HeadMessage(epoch=known.epoch, sequence=known.sequence, head=known.head)


def _message(given: Checkpoint) -> CheckpointMessage:
    return CheckpointMessage(
        **{name: getattr(given, name) for name in Checkpoint.__dataclass_fields__}
    )
