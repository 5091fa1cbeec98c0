"""The gateway's sink in memory, able to die before or after a commit."""

from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sync_service.gateway.intake import Alarm, Cover, NewEvent, StoredName

T = TypeVar("T")


class ServerDiedError(Exception):
    """The server process is gone; whatever was not committed is too."""


@dataclass
class MemorySink:
    """log: committed events; the server sequence is the place in it, from 1.

    dies: "" or "before commit" or "after commit", once.
    """

    log: list[NewEvent] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    dies: str = ""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["MemoryTransaction"]:
        """Open a transaction over a copy; committed at the end."""
        work = MemoryTransaction(list(self.log), list(self.alarms))
        yield work
        dies, self.dies = self.dies, ""
        if dies == "before commit":
            raise ServerDiedError(dies)
        self.log, self.alarms = work.log, work.alarms
        if dies == "after commit":
            raise ServerDiedError(dies)


@dataclass
class MemoryTransaction:
    """See `sync_service.gateway.intake.IntakeTransaction`."""

    log: list[NewEvent]
    alarms: list[Alarm]

    async def find(
        self, device_id: str, epoch: int, sequences: Sequence[int], ids: Sequence[str]
    ) -> Sequence[StoredName]:
        """Return records of the device with one of the sequences (in `epoch`) or ids."""
        return [
            StoredName(
                epoch=event.epoch,
                sequence=event.sequence,
                id=event.id,
                payload_sha256=event.payload_sha256,
                server_sequence=number,
            )
            for number, event in enumerate(self.log, start=1)
            if event.device_id == device_id
            and ((event.epoch == epoch and event.sequence in sequences) or event.id in ids)
        ]

    async def append(self, events: Sequence[NewEvent]) -> int:
        """Append in order; return the first server sequence."""
        first = len(self.log) + 1
        self.log += events
        return first

    async def raise_alarm(self, alarm: Alarm) -> None:
        """Record an alarm once."""
        if alarm not in self.alarms:
            self.alarms.append(alarm)

    async def covers(self, device_id: str, subjects: Sequence[str]) -> Mapping[str, Cover]:
        """Return nothing: this sink is not asked about erasures."""
        return {}


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine that never waits returns; no event loop, so no nondeterminism."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    coroutine.close()
    raise AssertionError("the coroutine waited for something")
