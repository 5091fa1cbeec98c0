"""Settings for devices over SQL: append-only, numbered in commit order."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cloud_api.db.tables import CounterRow, DeviceSettingRow
from sync_service.protocol.settings import SettingMessage

_COUNTER: Final = "setting"
EVERY_DEVICE: Final = ""


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
        device_id: str = EVERY_DEVICE,
    ) -> int:
        """Set `key` for one device, or for every one; return its server sequence."""
        async with AsyncSession(self._engine) as session, session.begin():
            raised = await session.execute(
                update(CounterRow)
                .where(CounterRow.name == _COUNTER)
                .values(value=CounterRow.value + 1)
                .returning(CounterRow.value)
            )
            sequence = raised.scalar_one()
            session.add(
                DeviceSettingRow(
                    server_sequence=sequence,
                    device_id=device_id,
                    key=key,
                    value=json.dumps(value),
                    set_at=now,
                )
            )
        return int(sequence)

    async def after(self, device_id: str, cursor: int, limit: int) -> Sequence[SettingMessage]:
        """Return up to `limit` settings for every device or this one, after `cursor`, in order."""
        whose = or_(
            DeviceSettingRow.device_id == EVERY_DEVICE, DeviceSettingRow.device_id == device_id
        )
        async with AsyncSession(self._engine) as session:
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
