"""Settings for devices over SQL: append-only, numbered in commit order."""

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cloud_api.db.scoped import Reason, tenant_session, unscoped_session
from cloud_api.db.tables import CounterRow, DeviceRow, DeviceSettingRow
from sync_service.protocol.settings import SettingMessage

_COUNTER: Final = "setting"
EVERY_DEVICE: Final = ""
EVERY_TENANT: Final = ""


class SqlDeviceSettings:
    """Implements `sync_service.gateway.settings.DeviceSettings`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(
        self,
        key: str,
        value: bool | int | str,
        *,
        now: datetime,
        tenant_id: str = EVERY_TENANT,
        device_id: str = EVERY_DEVICE,
    ) -> int:
        """Set `key` for one device or every one of an organisation; return its server sequence."""
        async with self._rows_of(tenant_id) as session:
            raised = await session.execute(
                update(CounterRow)
                .where(CounterRow.name == _COUNTER)
                .values(value=CounterRow.value + 1)
                .returning(CounterRow.value)
            )
            sequence = raised.scalar_one()
            session.add(
                DeviceSettingRow(
                    tenant_id=tenant_id,
                    server_sequence=sequence,
                    device_id=device_id,
                    key=key,
                    value=json.dumps(value),
                    set_at=now,
                )
            )
        return int(sequence)

    async def of(self, tenant_id: str) -> Sequence[DeviceSettingRow]:
        """Return what was set for an organisation, or for every one, oldest first."""
        asked = select(DeviceSettingRow).where(DeviceSettingRow.tenant_id == tenant_id)
        async with self._rows_of(tenant_id) as session:
            found = await session.scalars(asked.order_by(DeviceSettingRow.server_sequence))
            return found.all()

    async def after(self, device_id: str, cursor: int, limit: int) -> Sequence[SettingMessage]:
        """Return up to `limit` settings for every device or this one, after `cursor`, in order."""
        organisation = (
            select(DeviceRow.tenant_id).where(DeviceRow.id == device_id).scalar_subquery()
        )
        whose = and_(
            or_(
                DeviceSettingRow.tenant_id == EVERY_TENANT,
                DeviceSettingRow.tenant_id == organisation,
            ),
            or_(
                DeviceSettingRow.device_id == EVERY_DEVICE,
                DeviceSettingRow.device_id == device_id,
            ),
        )
        async with unscoped_session(self._engine, Reason.DEVICE) as session:
            rows = await session.scalars(
                select(DeviceSettingRow)
                .where(DeviceSettingRow.server_sequence > cursor, whose)
                .order_by(DeviceSettingRow.server_sequence)
                .limit(limit)
            )
            return [
                SettingMessage(
                    server_sequence=row.server_sequence, key=row.key, value=json.loads(row.value)
                )
                for row in rows
            ]

    def _rows_of(self, tenant_id: str) -> AbstractAsyncContextManager[AsyncSession]:
        if tenant_id == EVERY_TENANT:
            return unscoped_session(self._engine, Reason.SERVICE)
        return tenant_session(self._engine, tenant_id)
