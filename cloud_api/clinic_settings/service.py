"""Settings of an organisation: the newest of each key counts, for each device or for all."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime

from cloud_api.audit.actions import CloudAction
from cloud_api.audit.service import Journal
from cloud_api.auth.guard import Caller
from cloud_api.clinic_settings.schemas import SettingAnswer, SettingRequest
from cloud_api.db.settings import EVERY_DEVICE, EVERY_TENANT, SqlDeviceSettings
from cloud_api.db.tables import DeviceSettingRow
from cloud_api.devices.repository import Fleet


class SettingService:
    """What the administrators of an organisation set for its devices."""

    def __init__(
        self,
        kept: SqlDeviceSettings,
        fleet: Fleet,
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._kept, self._fleet, self._journal, self._now = kept, fleet, journal, now

    async def in_force(self, tenant_id: str) -> tuple[SettingAnswer, ...]:
        """Return what devices of the organisation are told, by key and device."""
        common, own = await self._kept.of(EVERY_TENANT), await self._kept.of(tenant_id)
        return tuple(_newest([*common, *own]))

    async def put(self, caller: Caller, key: str, asked: SettingRequest) -> SettingAnswer:
        """Set `key` for a device of the caller's organisation, or for all of them.

        Raises:
            DeviceUnknownError: the organisation has no such device.
        """
        if asked.device_id is not None:
            await self._fleet.find(caller.tenant_id, asked.device_id)
        device_id = asked.device_id or EVERY_DEVICE
        await self._journal.note(
            caller, CloudAction.SETTING_PUT, key, value=asked.value, device=device_id
        )
        now = self._now()
        sequence = await self._kept.put(
            key, asked.value, now=now, tenant_id=caller.tenant_id, device_id=device_id
        )
        return SettingAnswer(
            key=key,
            value=asked.value,
            device_id=asked.device_id,
            set_at=now,
            server_sequence=sequence,
            by_operator=False,
        )


def _newest(rows: Iterable[DeviceSettingRow]) -> list[SettingAnswer]:
    newest: dict[tuple[str, str], DeviceSettingRow] = {}
    for row in sorted(rows, key=lambda row: row.server_sequence):
        newest[row.key, row.device_id] = row
    return [
        SettingAnswer(
            key=row.key,
            value=json.loads(row.value),
            device_id=row.device_id or None,
            set_at=row.set_at,
            server_sequence=row.server_sequence,
            by_operator=row.tenant_id == EVERY_TENANT,
        )
        for _, row in sorted(newest.items())
    ]
