"""The stream of stored events: a port, and the embedded log that is the event table itself.

The cursor is the server sequence, given in commit order: a reader that remembers the last one
it handled misses nothing and repeats nothing. `cloud_api.stream.forward` carries it on to a broker.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cloud_api.db.scoped import Reason, unscoped_session
from cloud_api.db.tables import EventRow
from sync_service.protocol.codes import EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """One stored record as readers of the stream see it.

    erased_by: server sequence of the erasure whose tombstone the payload is. erases: for an
    erasure, the server sequences it erased; a reader that kept those records erases them too.
    """

    server_sequence: int
    device_id: str
    epoch: int
    sequence: int
    id: str
    kind: str
    created_at: datetime
    received_at: datetime
    payload: dict[str, Any]
    payload_sha256: str
    schema_version: int
    extra: dict[str, Any]
    erased_by: int | None = None
    erases: tuple[int, ...] = ()


class EventStream(Protocol):
    """Reads stored events in server order."""

    async def read(self, *, after: int, limit: int) -> Sequence[LoggedEvent]:
        """Return up to `limit` events whose server sequence is above `after`, in order."""

    async def head(self) -> int:
        """Return the highest server sequence, 0 when nothing is stored."""


class EmbeddedLog:
    """The event table read as a stream."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, *, after: int, limit: int) -> Sequence[LoggedEvent]:
        """Return up to `limit` events whose server sequence is above `after`, in order."""
        async with unscoped_session(self._engine, Reason.STREAM) as session:
            rows = await session.scalars(
                select(EventRow)
                .where(EventRow.server_sequence > after)
                .order_by(EventRow.server_sequence)
                .limit(limit)
            )
            return [_logged(row, await _erased(session, row)) for row in rows.all()]

    async def head(self) -> int:
        """Return the highest server sequence, 0 when nothing is stored."""
        async with unscoped_session(self._engine, Reason.STREAM) as session:
            found = await session.scalar(select(func.max(EventRow.server_sequence)))
            return found or 0


async def _erased(session: AsyncSession, row: EventRow) -> tuple[int, ...]:
    if row.kind != EventKind.ERASURE:
        return ()
    found = await session.scalars(
        select(EventRow.server_sequence)
        .where(EventRow.erased_by == row.server_sequence)
        .order_by(EventRow.server_sequence)
    )
    return tuple(found)


def _logged(row: EventRow, erases: tuple[int, ...]) -> LoggedEvent:
    return LoggedEvent(
        server_sequence=row.server_sequence,
        device_id=row.device_id,
        epoch=row.epoch,
        sequence=row.sequence,
        id=row.id,
        kind=row.kind,
        created_at=row.created_at,
        received_at=row.received_at,
        payload=json.loads(row.payload),
        payload_sha256=row.payload_sha256,
        schema_version=row.schema_version,
        extra=json.loads(row.extra),
        erased_by=row.erased_by,
        erases=erases,
    )
