"""Countersigned heads of audit chains over SQL: append-only, one writer at a time."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cloud_api.db.sink import SqlTransaction, one_at_a_time
from cloud_api.db.tables import AuditHeadRow
from ddx.domain.statements import Checkpoint
from sync_service.gateway.intake import Alarm


class SqlHeads:
    """Implements `sync_service.gateway.checkpoints.Heads`. alarmed: told after the commit."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        now: Callable[[], datetime],
        alarmed: Callable[[Alarm], None] = lambda _: None,
    ) -> None:
        self._engine, self._now, self._alarmed = engine, now, alarmed

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["SqlHeadTransaction"]:
        """Open a transaction that waits for the one before it, as the sink's do."""
        opening = one_at_a_time(self._engine, now=self._now, alarmed=self._alarmed)
        async with opening as (session, intake):
            yield SqlHeadTransaction(session, intake)


class SqlHeadTransaction:
    """See `sync_service.gateway.checkpoints.HeadTransaction`."""

    def __init__(self, session: AsyncSession, intake: SqlTransaction) -> None:
        self._session, self._intake = session, intake

    async def heads(self, device_id: str) -> Sequence[Checkpoint]:
        """Return every head countersigned for the device, by epoch and sequence."""
        found = await self._session.scalars(
            select(AuditHeadRow)
            .where(AuditHeadRow.device_id == device_id)
            .order_by(AuditHeadRow.epoch, AuditHeadRow.sequence)
        )
        return [
            Checkpoint(
                device_id=row.device_id,
                device_key=row.device_key,
                epoch=row.epoch,
                sequence=row.sequence,
                head=row.head,
                server_time=row.server_time,
                server_key=row.server_key,
                signature=row.signature,
            )
            for row in found
        ]

    async def add(self, checkpoint: Checkpoint, device_signature: str) -> None:
        """Keep one countersigned head for ever, with the device's own signature."""
        self._session.add(
            AuditHeadRow(
                device_id=checkpoint.device_id,
                epoch=checkpoint.epoch,
                sequence=checkpoint.sequence,
                head=checkpoint.head,
                device_key=checkpoint.device_key,
                device_signature=device_signature,
                server_time=checkpoint.server_time,
                server_key=checkpoint.server_key,
                signature=checkpoint.signature,
            )
        )
        await self._session.flush()

    async def raise_alarm(self, alarm: Alarm) -> None:
        """Record an alarm; the same one again changes nothing."""
        await self._intake.raise_alarm(alarm)
