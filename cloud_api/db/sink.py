"""The gateway's sink over SQL: atomic, one transaction at a time, durable at commit."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cloud_api.db import erasing
from cloud_api.db.scoped import Reason, unscoped_session
from cloud_api.db.tables import AlarmRow, CounterRow, EventRow
from ddx.domain.canonical import canonical_json
from sync_service.gateway.intake import Alarm, Cover, NewEvent, StoredName

_COUNTER: Final = "event"


class SqlSink:
    """Appends to the event table. alarmed: told of each new alarm after its commit."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        now: Callable[[], datetime],
        alarmed: Callable[[Alarm], None] = lambda _: None,
    ) -> None:
        self._engine, self._now, self._alarmed = engine, now, alarmed

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["SqlTransaction"]:
        """Open a transaction that holds the counter: the next one waits for this commit."""
        async with one_at_a_time(self._engine, now=self._now, alarmed=self._alarmed) as opened:
            yield opened[1]


@asynccontextmanager
async def one_at_a_time(
    engine: AsyncEngine, *, now: Callable[[], datetime], alarmed: Callable[[Alarm], None]
) -> AsyncIterator[tuple[AsyncSession, "SqlTransaction"]]:
    """Open a transaction that waits for the one before it, whoever opened that.

    alarmed: told of each new alarm after the commit.
    """
    async with unscoped_session(engine, Reason.DEVICE) as session:
        await wait_for_turn(session)
        transaction = SqlTransaction(session, now())
        yield session, transaction
    if transaction.has_erased:
        await erasing.forget_the_log(engine)
    for alarm in transaction.new_alarms:
        alarmed(alarm)


async def wait_for_turn(session: AsyncSession) -> None:
    """Wait for the transaction that writes events now; hold the turn until this one ends.

    A write: SQLite takes its one write lock, others lock the counter's row.
    """
    await session.execute(
        update(CounterRow).where(CounterRow.name == _COUNTER).values(value=CounterRow.value)
    )


class SqlTransaction:
    """See `sync_service.gateway.intake.IntakeTransaction`."""

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self._session, self._now = session, now
        self.new_alarms: list[Alarm] = []
        self.has_erased = False

    async def find(
        self, device_id: str, epoch: int, sequences: Sequence[int], ids: Sequence[str]
    ) -> Sequence[StoredName]:
        """Return records of the device with one of the sequences (in `epoch`) or ids."""
        same_sequence = and_(EventRow.epoch == epoch, EventRow.sequence.in_(sequences))
        found = await self._session.execute(
            select(
                EventRow.epoch,
                EventRow.sequence,
                EventRow.id,
                EventRow.payload_sha256,
                EventRow.server_sequence,
            ).where(EventRow.device_id == device_id, or_(same_sequence, EventRow.id.in_(ids)))
        )
        return [StoredName(**row) for row in found.mappings()]

    async def append(self, events: Sequence[NewEvent]) -> int:
        """Append in order under consecutive server sequences; return the first of them."""
        raised = await self._session.execute(
            update(CounterRow)
            .where(CounterRow.name == _COUNTER)
            .values(value=CounterRow.value + len(events))
            .returning(CounterRow.value)
        )
        first = raised.scalar_one() - len(events) + 1
        rows = [self._row(event, first + index) for index, event in enumerate(events)]
        await self._session.execute(insert(EventRow.__table__), rows)  # type: ignore[arg-type]
        return first

    async def raise_alarm(self, alarm: Alarm) -> None:
        """Record an alarm; the same one again changes nothing."""
        known = await self._session.execute(
            select(AlarmRow.id).where(
                AlarmRow.device_id == alarm.device_id,
                AlarmRow.event_id == alarm.event_id,
                AlarmRow.epoch == alarm.epoch,
                AlarmRow.sequence == alarm.sequence,
                AlarmRow.offered_sha256 == alarm.offered_sha256,
            )
        )
        if known.first() is not None:
            return
        self._session.add(
            AlarmRow(
                kind=alarm.kind.value,
                raised_at=self._now,
                device_id=alarm.device_id,
                epoch=alarm.epoch,
                sequence=alarm.sequence,
                event_id=alarm.event_id,
                offered_sha256=alarm.offered_sha256,
                stored_sha256=alarm.stored_sha256,
            )
        )
        await self._session.flush()
        self.new_alarms.append(alarm)

    async def covers(self, device_id: str, subjects: Sequence[str]) -> Mapping[str, Cover]:
        """Return what was erased of the device, by subject."""
        return await erasing.covers(self._session, device_id, subjects)

    async def cover(self, device_id: str, covers: Mapping[str, Cover]) -> None:
        """Remember that these subjects of the device are erased."""
        await erasing.cover(self._session, device_id, covers)

    async def erase(self, device_id: str, pseudonym: str, cover: Cover) -> None:
        """Replace the content of the device's records about a patient that `cover` reaches."""
        await erasing.erase(self._session, device_id, pseudonym, cover)
        self.has_erased = True

    async def erased_by(self, server_sequence: int) -> Sequence[str]:
        """Return the payload hashes of what an erasure erased, in server order."""
        return await erasing.erased_by(self._session, server_sequence)

    def _row(self, event: NewEvent, server_sequence: int) -> dict[str, Any]:
        return {
            "server_sequence": server_sequence,
            "device_id": event.device_id,
            "epoch": event.epoch,
            "sequence": event.sequence,
            "id": event.id,
            "kind": event.kind,
            "created_at": event.created_at,
            "received_at": self._now,
            "payload": canonical_json(event.payload).decode(),
            "payload_sha256": event.payload_sha256,
            "batch_id": event.batch_id,
            "schema_version": event.schema_version,
            "app_version": event.app_version,
            "bundle_version": event.bundle_version,
            "extra": canonical_json(event.extra).decode(),
            "erased_by": event.erased_by,
        }
