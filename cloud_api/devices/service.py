"""Enrolment codes and revocation: noted first, then done."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from cloud_api.audit.actions import CloudAction
from cloud_api.audit.service import Journal
from cloud_api.auth.directory import SqlDirectory
from cloud_api.auth.guard import Caller
from cloud_api.db.tables import DeviceRow
from cloud_api.devices.repository import Fleet
from cloud_api.devices.schemas import CodeMessage, DeviceMessage, DevicePage


class DeviceService:
    """What the administrators of an organisation do with its devices."""

    def __init__(
        self, fleet: Fleet, directory: SqlDirectory, journal: Journal, now: Callable[[], datetime]
    ) -> None:
        self._fleet, self._directory, self._journal, self._now = fleet, directory, journal, now

    async def issue_code(self, caller: Caller, *, hours: int) -> CodeMessage:
        """Return a code with which one device joins the caller's organisation."""
        now, lifetime = self._now(), timedelta(hours=hours)
        await self._journal.note(caller, CloudAction.DEVICE_CODE_ISSUED, "code", hours=hours)
        code = await self._directory.issue_code(
            now=now, lifetime=lifetime, tenant_id=caller.tenant_id
        )
        return CodeMessage(code=code, expires_at=now + lifetime)

    async def search(self, caller: Caller, *, after: str, limit: int) -> DevicePage:
        """Return devices of the caller's organisation."""
        rows = await self._fleet.search(caller.tenant_id, after=after, limit=limit)
        return DevicePage(
            devices=tuple(_message(row) for row in rows),
            next=rows[-1].id if len(rows) == limit else None,
        )

    async def revoke(self, caller: Caller, device_id: str, reason: str) -> DeviceMessage:
        """Revoke a device: its signature is worth nothing from now on.

        Raises:
            DeviceUnknownError: the caller's organisation has no such device.
        """
        await self._fleet.find(caller.tenant_id, device_id)
        await self._journal.note(caller, CloudAction.DEVICE_REVOKED, device_id, reason=reason)
        return _message(await self._fleet.revoke(caller.tenant_id, device_id, self._now()))


def _message(row: DeviceRow) -> DeviceMessage:
    return DeviceMessage.of(row, hashlib.sha256(row.public_key).hexdigest())
