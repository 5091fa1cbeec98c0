"""Idempotent intake: what to do with each record, decided without a database in sight.

Same (device, epoch, sequence) or same id with the same payload hash is the same record: a
duplicate, however much later it comes. The same name with another hash is a conflict: refused,
and somebody should look at it. The adapter behind `Sink` gives atomicity and order.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sync_service.protocol.codes import AlarmKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """One record judged fit to store. payload: as received, unknown fields included.

    extra: fields of event and batch that this version does not know, kept for a later one.
    erased_by: server sequence of the erasure whose tombstone the payload is; see `erasing`.
    """

    device_id: str
    epoch: int
    sequence: int
    id: str
    kind: str
    created_at: datetime
    payload: dict[str, Any]
    payload_sha256: str
    batch_id: str
    schema_version: int
    app_version: str
    bundle_version: str | None
    extra: dict[str, Any] = field(default_factory=dict)
    erased_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """How far an erasure reaches: the records its device made before (epoch, sequence)."""

    epoch: int
    sequence: int
    erased_by: int

    def reaches(self, epoch: int, sequence: int) -> bool:
        """Whether a record of the same device is covered."""
        return (epoch, sequence) < (self.epoch, self.sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredName:
    """What the log remembers of a record for ever: its names and its hash."""

    epoch: int
    sequence: int
    id: str
    payload_sha256: str
    server_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something a human should look at. Hashes and names only."""

    kind: AlarmKind
    device_id: str
    epoch: int
    sequence: int
    event_id: str
    offered_sha256: str
    stored_sha256: str


class IntakeTransaction(Protocol):
    """One atomic piece of intake. Only one is open at a time, so commit order is sequence order."""

    async def find(
        self, device_id: str, epoch: int, sequences: Sequence[int], ids: Sequence[str]
    ) -> Sequence[StoredName]:
        """Return records of the device with one of the sequences (in `epoch`) or ids."""

    async def append(self, events: Sequence[NewEvent]) -> int:
        """Append in order under consecutive server sequences; return the first of them."""

    async def raise_alarm(self, alarm: Alarm) -> None:
        """Record an alarm; the same one again changes nothing."""

    async def covers(self, device_id: str, subjects: Sequence[str]) -> Mapping[str, Cover]:
        """Return what was erased of the device, by subject (`erasing.subjects_of`)."""

    async def cover(self, device_id: str, covers: Mapping[str, Cover]) -> None:
        """Remember that these subjects of the device are erased."""

    async def erase(self, device_id: str, pseudonym: str, cover: Cover) -> None:
        """Replace the content of the device's records about a patient that `cover` reaches."""

    async def erased_by(self, server_sequence: int) -> Sequence[str]:
        """Return the payload hashes of what an erasure erased, in server order."""


class Sink(Protocol):
    """Where accepted records go."""

    def transaction(self) -> AbstractAsyncContextManager[IntakeTransaction]:
        """Open a transaction: durable when the block ends, undone when it raises."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Not seen before; `index` counts the fresh ones of this batch from 0."""

    index: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The very same record, stored under this server sequence."""

    server_sequence: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """The very same record as a fresh one of this batch."""

    index: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """The name is taken by a record with another hash."""

    stored_sha256: str


Decision = Fresh | Duplicate | Repeated | Conflict


@dataclass(slots=True)
class Ledger:
    """Names already taken, as far as one batch is concerned; grows while the batch is decided."""

    by_sequence: dict[tuple[int, int], tuple[str, Decision]] = field(default_factory=dict)
    by_id: dict[str, tuple[str, Decision]] = field(default_factory=dict)
    fresh: int = 0

    @classmethod
    def of(cls, stored: Sequence[StoredName]) -> "Ledger":
        """Return the ledger that knows `stored`."""
        ledger = cls()
        for name in stored:
            decision = Duplicate(name.server_sequence)
            ledger._note(name.epoch, name.sequence, name.id, name.payload_sha256, decision)
        return ledger

    def decide(self, epoch: int, sequence: int, id: str, payload_sha256: str) -> Decision:
        """Return what to do with one record and remember its names if it is fresh."""
        taken = (self.by_sequence.get((epoch, sequence)), self.by_id.get(id))
        known = [entry for entry in taken if entry is not None]
        for sha256, _ in known:
            if sha256 != payload_sha256:
                return Conflict(sha256)
        if known:
            return known[0][1]
        decision = Fresh(self.fresh)
        self._note(epoch, sequence, id, payload_sha256, Repeated(self.fresh))
        self.fresh += 1
        return decision

    def _note(
        self, epoch: int, sequence: int, id: str, payload_sha256: str, decision: Decision
    ) -> None:
        self.by_sequence[epoch, sequence] = (payload_sha256, decision)
        self.by_id[id] = (payload_sha256, decision)
