"""Enrolled devices of one organisation over SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from cloud_api.db.scoped import tenant_session
from cloud_api.db.tables import DeviceRow
from cloud_api.errors import DeviceUnknownError


class Fleet:
    """Reads and revokes; devices enrol themselves (`cloud_api.auth.directory`)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def search(self, tenant_id: str, *, after: str, limit: int) -> Sequence[DeviceRow]:
        """Return up to `limit` devices by id, those after `after`, revoked ones included."""
        asked = select(DeviceRow).where(DeviceRow.id > after).order_by(DeviceRow.id).limit(limit)
        async with tenant_session(self._engine, tenant_id) as session:
            return (await session.scalars(asked)).all()

    async def find(self, tenant_id: str, device_id: str) -> DeviceRow:
        """Return one device. Raises DeviceUnknownError when the organisation has none."""
        async with tenant_session(self._engine, tenant_id) as session:
            row = await session.get(DeviceRow, device_id)
        if row is None:
            raise DeviceUnknownError("no device of this organisation has this id")
        return row

    async def revoke(self, tenant_id: str, device_id: str, now: datetime) -> DeviceRow:
        """Revoke a device for good; one revoked before keeps its moment. Raises as `find`."""
        waiting = (
            update(DeviceRow)
            .where(DeviceRow.id == device_id, DeviceRow.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        async with tenant_session(self._engine, tenant_id) as session:
            await session.execute(waiting)
        return await self.find(tenant_id, device_id)
