"""Requests and answers of /devices."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from cloud_api.db.tables import DeviceRow
from sync_service.protocol.fields import Message


class CodeRequest(Message):
    """Ask for a one-time code. hours: how long it serves."""

    hours: int = Field(default=72, ge=1, le=720)


class CodeMessage(Message):
    """A one-time code. It is shown once; only its hash is kept."""

    code: str
    expires_at: datetime


class RevocationRequest(Message):
    """Why a device is revoked."""

    reason: Literal["lost", "stolen", "replaced", "compromised", "closed"]


class DeviceMessage(Message):
    """A device. key: SHA-256 (hex) of its public key; revoked_at: null while it serves."""

    device_id: str
    key: str
    app_version: str
    enrolled_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: DeviceRow, key: str) -> "DeviceMessage":
        """Return a device as it is answered."""
        return cls(
            device_id=row.id,
            key=key,
            app_version=row.app_version,
            enrolled_at=row.enrolled_at,
            revoked_at=row.revoked_at,
        )


class DevicePage(Message):
    """Devices by id. next: `after` for more, null at the end."""

    devices: tuple[DeviceMessage, ...]
    next: str | None
