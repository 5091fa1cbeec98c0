"""Does what the machine decides: reads the outbox, sends, writes down what the server said.

The only place where machine, outbox, transport, clock and dice meet. One run at a time.
"""

import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from pydantic import ValidationError

from ddx.domain.identifiers import RecordId
from sync_service.client import machine
from sync_service.client.errors import (
    ServerBusyError,
    ServerClockError,
    ServerRefusedError,
    ServerUnreachableError,
)
from sync_service.client.identity import DeviceIdentity
from sync_service.client.machine import Answer, Cause
from sync_service.client.outbox import Outbox, OutgoingEvent
from sync_service.protocol.allowlist import Objection, first_location, objection_to_sending
from sync_service.protocol.codes import RecordStatus, RejectReason
from sync_service.protocol.errors import (
    BatchConflictError,
    MessageMalformedError,
    MessageTooLargeError,
)
from sync_service.protocol.messages import BatchReceipt, SyncBatch, SyncEvent

log = logging.getLogger(__name__)

_UNREADABLE = frozenset({MessageMalformedError.code, MessageTooLargeError.code})
"""Refusals that concern the content of a batch: a smaller one may pass."""

_CONFLICT = Answer(status=RecordStatus.REJECTED, reason=RejectReason.CONFLICT)


class Phase(StrEnum):
    """What the clinician is told. HELD: the device's own rule about paid bytes."""

    IDLE = "idle"
    PUSHING = "pushing"
    WAITING = "waiting"
    OFFLINE = "offline"
    REFUSED = "refused"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """Where the push stands.

    last_contact_at: last usable answer of the server, UTC. code: why it waits, if it does.
    """

    phase: Phase
    last_contact_at: datetime | None = None
    code: str = ""


class Transport(Protocol):
    """What the runner needs of a transport (`sync_service.client.transport.HttpTransport`)."""

    clock_offset_s: float

    def push(self, batch: SyncBatch) -> BatchReceipt:
        """Send one batch and return its receipt."""


class Allowance(Protocol):
    """The device's own rule about bytes (`sync_service.client.meter`)."""

    def wait_s(self, records: int) -> tuple[float, str]:
        """Return how long a batch of so many records must wait (0: not at all), and the rule."""

    def is_paid(self) -> bool:
        """Return whether the link of the moment is paid by the byte."""


class Unlimited:
    """No rule: every batch may leave at once."""

    def wait_s(self, records: int) -> tuple[float, str]:  # noqa: ARG002 - the port's argument
        """Return no wait."""
        return 0.0, ""

    def is_paid(self) -> bool:
        """Return False."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What a batch says about the software that sends it."""

    app: str
    bundle: str | None = None


Prepare = Callable[[OutgoingEvent], SyncEvent | Objection]


class Runner:
    """Drives one outbox against one server."""

    def __init__(
        self,
        outbox: Outbox,
        transport: Transport,
        identity: DeviceIdentity,
        *,
        software: Callable[[], Versions],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic_s: Callable[[], float] = time.monotonic,
        dice: Callable[[], float] = random.random,
        wake_after: Callable[[float], None] = lambda _: None,
        allowance: Allowance | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        """Bind the ports.

        software: versions at the moment of sending. monotonic_s: seconds that no clock change
        touches. dice: 0..1. wake_after: arranges a call of `wake` in that many seconds; where
        nobody does, the next tick or request after that time counts as the call. allowance: the
        rule about paid bytes. prepare: an event as it leaves, or the objection to its leaving.
        """
        self._outbox, self._transport, self._identity = outbox, transport, identity
        self._software, self._now, self._dice, self.wake_after = software, now, dice, wake_after
        self._monotonic_s = monotonic_s
        self._allowance: Allowance = allowance or Unlimited()
        self._prepare: Prepare = prepare or wire_event
        self.on_batch: Callable[[int], None] = lambda _settled: None
        """Told how many records each batch settled; for a progress bar."""
        self.before_batch: Callable[[], object] = lambda: None
        """Called where a run may end: what it raises ends it, and the rest waits as before."""
        self._state: machine.State = machine.Idle()
        self._due_s = 0.0
        self._last_contact_at: datetime | None = None
        self._one_at_a_time = threading.Lock()

    def tick(self) -> SyncReport:
        """The schedule came round."""
        return self._run(machine.Tick())

    def wake(self) -> SyncReport:
        """The waiting time is over."""
        return self._run(machine.Woken())

    def run_once(self) -> SyncReport:
        """Push what waits until the outbox is empty or the server cannot be had.

        An absent network is a phase of the report, not an error. Errors of the outbox itself
        are raised as they are.
        """
        return self._run(machine.Asked())

    def link_is_back(self) -> None:
        """Another request reached the server: the next call need not wait for the link."""
        if isinstance(self._state, machine.Waiting) and self._state.cause is Cause.OFFLINE:
            self._due_s = self._monotonic_s()

    def report(self) -> SyncReport:
        """Return where the push stands, without waiting for a run in progress."""
        return SyncReport(
            phase=_phase_of(self._state),
            last_contact_at=self._last_contact_at,
            code=self._state.code if isinstance(self._state, machine.Waiting) else "",
        )

    def _run(self, first: machine.Event) -> SyncReport:
        with self._one_at_a_time:
            overdue = (
                isinstance(self._state, machine.Waiting) and self._monotonic_s() >= self._due_s
            )
            event: machine.Event | None = machine.Woken() if overdue else first
            try:
                while event is not None:
                    self._state, effects = machine.step(self._state, event)
                    event = self._do(effects)
            except BaseException:
                self._state = machine.Idle()  # nothing was lost: the outbox still holds it
                raise
            return self.report()

    def _do(self, effects: Sequence[machine.Effect]) -> machine.Event | None:
        event: machine.Event | None = None
        for effect in effects:
            match effect:
                case machine.Push(limit=limit):
                    event = self._push(limit)
                case machine.Acknowledge(receipts=receipts):
                    self._outbox.acknowledge(receipts)
                    self.on_batch(len(receipts))
                case machine.Quarantine(event=record, reason=reason):
                    log.warning("record set aside: %s", reason)
                    self._outbox.quarantine(record, reason)
                    self.on_batch(1)
                case machine.WakeAfter(seconds=seconds):
                    self._due_s = self._monotonic_s() + seconds
                    self.wake_after(seconds)
                case machine.SetClockOffset(seconds=seconds):
                    log.warning("server clock differs by %.0f s; signing with it", seconds)
                    self._transport.clock_offset_s = seconds
        return event

    def _push(self, limit: int) -> machine.Event:
        self.before_batch()
        waiting = self._outbox.pending(limit)
        if not waiting:
            return machine.NothingPending()
        epoch = self._epoch_of(waiting[0])
        same_epoch = [e for e in waiting if self._epoch_of(e) == epoch]
        going, kept = _sorted_out(same_epoch, self._prepare)
        if not going:
            return machine.Answered(sent=tuple(kept), answers=kept)
        wait_s, rule = self._allowance.wait_s(len(going))
        if wait_s > 0:
            return machine.HeldBack(wait_s=wait_s, code=rule)
        return self._send(epoch, going, kept)

    def _epoch_of(self, event: OutgoingEvent) -> int:
        return self._identity.epoch if event.epoch is None else event.epoch

    def _send(
        self, epoch: int, going: Sequence[SyncEvent], kept: Mapping[RecordId, Answer]
    ) -> machine.Event:
        sent = tuple(RecordId(event.id) for event in going)
        began_s = self._monotonic_s()
        try:
            answers = answers_of(self._transport.push(self._batch(epoch, going)))
        except ServerUnreachableError as error:
            costly = error.spoke and self._allowance.is_paid()
            return self._failed(Cause.OFFLINE, error.code, costly=costly)
        except ServerBusyError as error:
            return self._failed(Cause.BUSY, error.code, error.retry_after_s)
        except ServerClockError as error:
            return machine.ClockRefused(offset_s=error.offset_s, jitter=self._dice())
        except ServerRefusedError as error:
            if error.problem in _UNREADABLE:
                return machine.BatchRefused(sent=sent, code=error.problem, jitter=self._dice())
            if error.problem != BatchConflictError.code:
                return self._failed(Cause.REFUSED, error.problem)
            answers = dict.fromkeys(sent, _CONFLICT)
        self._last_contact_at = self._now()
        return machine.Answered(
            sent=(*sent, *kept),
            answers=dict(kept) | answers,
            elapsed_s=self._monotonic_s() - began_s,
            jitter=self._dice(),
        )

    def _failed(
        self, cause: Cause, code: str, retry_after_s: float | None = None, *, costly: bool = False
    ) -> machine.Event:
        return machine.Failed(
            cause=cause,
            code=code,
            retry_after_s=retry_after_s,
            costly=costly,
            jitter=self._dice(),
        )

    def _batch(self, epoch: int, events: Sequence[SyncEvent]) -> SyncBatch:
        software = self._software()
        return SyncBatch(
            device_id=self._identity.device_id,
            epoch=epoch,
            batch_id=batch_id_of(events),
            app_version=software.app,
            bundle_version=software.bundle,
            sent_at=self._now(),
            events=tuple(events),
        )


def _sorted_out(
    events: Sequence[OutgoingEvent], prepare: Prepare
) -> tuple[list[SyncEvent], dict[RecordId, Answer]]:
    """Return the events that may leave, and the others as answers of our own."""
    going: list[SyncEvent] = []
    kept: dict[RecordId, Answer] = {}
    for event in events:
        ready = prepare(event)
        if isinstance(ready, Objection):
            log.warning("record kept back: %s at %s", ready.reason, ready.where)
            kept[event.id] = Answer(status=RecordStatus.REJECTED, reason=ready.reason)
        else:
            going.append(ready)
    return going, kept


def wire_event(event: OutgoingEvent) -> SyncEvent | Objection:
    """Return an event as it may leave the clinic, or why it may not."""
    objection = objection_to_sending(event.kind, event.payload, event.payload_sha256)
    if objection is not None:
        return objection
    try:
        return SyncEvent(
            id=event.id,
            sequence=event.sequence,
            kind=event.kind.value,
            created_at=event.created_at,
            payload=dict(event.payload),
            payload_sha256=event.payload_sha256,
        )
    except ValidationError as error:
        return Objection(RejectReason.MALFORMED, first_location(error))


def answers_of(receipt: BatchReceipt) -> dict[RecordId, Answer]:
    """Return the server's word on each record of a receipt."""
    return {
        RecordId(result.id): Answer(
            status=result.status,
            server_sequence=result.server_sequence,
            reason=result.reason or RecordStatus.REJECTED,
        )
        for result in receipt.results
    }


def batch_id_of(events: Sequence[SyncEvent]) -> str:
    """Return a name for exactly these events: a retry of the same batch has the same name."""
    return hashlib.sha256("\n".join(event.id for event in events).encode()).hexdigest()[:32]


def _phase_of(state: machine.State) -> Phase:
    match state:
        case machine.Idle():
            return Phase.IDLE
        case machine.Pushing():
            return Phase.PUSHING
        case machine.Waiting(cause=Cause.OFFLINE):
            return Phase.OFFLINE
        case machine.Waiting(cause=Cause.REFUSED):
            return Phase.REFUSED
        case machine.Waiting(cause=Cause.HELD):
            return Phase.HELD
        case _:
            return Phase.WAITING
