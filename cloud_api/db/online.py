"""Records the cloud took itself, on the event log beside those that devices sent.

They stand in epoch 0, which no device has (the protocol counts epochs from 1), under ids of their
own: the device that sends the same decision later meets no name of its own, and an erasure, which
reaches everything made before it, reaches them too.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cloud_api.db.scoped import Reason, unscoped_session
from cloud_api.db.sink import SqlTransaction, wait_for_turn
from cloud_api.db.tables import ONLINE_EPOCH, EventRow
from ddx.domain.canonical import digest_of
from ddx.domain.wire import JsonObject
from sync_service.gateway.erasing import cleared
from sync_service.gateway.intake import NewEvent
from sync_service.protocol.codes import EventKind
from sync_service.protocol.versions import SCHEMA_VERSION

_NAMES: Final = UUID("3a6b0a51-97c2-4f3e-9d0c-6d1f0f6f8e52")
"""The name space of ids of such records, drawn once. Changing it stores everything again."""

_ORIGIN: Final = "online"


def online_device(tenant_id: str) -> str:
    """Return the device that stands for an organisation's people who ask without one."""
    return str(uuid5(_NAMES, f"organisation/{tenant_id}"))


def online_event(
    kind: EventKind, id: str, payload: JsonObject, *, device_id: str, bundle: str, at: datetime
) -> NewEvent:
    """Return a record as it goes on the log; id: its own, by which it is stored once."""
    return NewEvent(
        device_id=device_id,
        epoch=ONLINE_EPOCH,
        sequence=0,  # given when it is stored
        id=str(uuid5(_NAMES, f"{kind.value}/{id}")),
        kind=kind.value,
        created_at=at,
        payload=payload,
        payload_sha256=digest_of(payload),
        batch_id=_ORIGIN,
        schema_version=SCHEMA_VERSION,
        app_version=_ORIGIN,
        bundle_version=bundle,
    )


async def append_online(session: AsyncSession, event: NewEvent, now: datetime) -> None:
    """Append to the log in the transaction of `session`; what is there already stays as it is.

    About an erased patient a tombstone is stored, as for a device's record that comes late.
    """
    await wait_for_turn(session)
    transaction = SqlTransaction(session, now)
    if await transaction.find(event.device_id, ONLINE_EPOCH, (), (event.id,)):
        return
    last = await session.scalar(
        select(func.max(EventRow.sequence)).where(
            EventRow.device_id == event.device_id, EventRow.epoch == ONLINE_EPOCH
        )
    )
    placed = replace(event, sequence=(last or 0) + 1)
    await transaction.append(await cleared([placed], transaction))


class OnlineLog(Protocol):
    """The event log, for records whose home is another database."""

    async def append(self, event: NewEvent) -> None:
        """Store durably before returning; the same event again changes nothing."""


class SqlOnlineLog:
    """Implements `OnlineLog`."""

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime]) -> None:
        self._engine, self._now = engine, now

    async def append(self, event: NewEvent) -> None:
        """Store durably before returning; the same event again changes nothing."""
        async with unscoped_session(self._engine, Reason.DEVICE) as session:
            await append_online(session, event, self._now())
