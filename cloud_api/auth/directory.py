"""Enrolled devices and one-time codes over SQL."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cloud_api.db.one_step import one_step
from cloud_api.db.scoped import (
    DEFAULT_TENANT,
    Reason,
    tenant_session,
    unscoped_row,
    unscoped_session,
)
from cloud_api.db.tables import ONLINE_EPOCH, DeviceRow, EnrolmentCodeRow, EventRow
from sync_service.gateway.devices import Device
from sync_service.protocol.errors import EnrolmentRefusedError
from sync_service.protocol.messages import DeviceStatus, EnrolmentRequest

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford base 32: no I, L, O, U, so that a code survives a telephone."""

_GROUPS: Final = 4
_ENROLLED: Final = select(DeviceRow.id, DeviceRow.public_key, DeviceRow.tenant_id).where(
    DeviceRow.id == bindparam("device_id"), DeviceRow.revoked_at.is_(None)
)
_REFUSED: Final = "the code is wrong, used or too old"


def new_code() -> str:
    """Return a fresh one-time code: 16 letters, 80 random bits, in groups for reading aloud."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(_GROUPS))
    return "-".join(groups)


class SqlDirectory:
    """See `sync_service.gateway.devices.DeviceDirectory`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._one_step = engine, one_step(engine)

    async def issue_code(
        self, *, now: datetime, lifetime: timedelta, tenant_id: str = DEFAULT_TENANT
    ) -> str:
        """Return a new one-time code; only its hash is kept.

        The device that uses it belongs to the organisation `tenant_id` from then on.
        """
        code = new_code()
        async with tenant_session(self._engine, tenant_id) as session:
            session.add(
                EnrolmentCodeRow(
                    tenant_id=tenant_id,
                    code_sha256=_hash_of(code),
                    issued_at=now,
                    expires_at=now + lifetime,
                )
            )
        return code

    async def find(self, device_id: str) -> Device | None:
        """Return the device if it is enrolled and not revoked."""
        row = await unscoped_row(
            self._one_step, Reason.AUTHENTICATION, _ENROLLED, device_id=device_id
        )
        return None if row is None else Device(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name

    async def enrol(self, request: EnrolmentRequest, public_key: bytes, now: datetime) -> None:
        """Enrol against a one-time code; the same request again changes nothing.

        Raises:
            EnrolmentRefusedError: the code does not serve, or the device id is taken.
        """
        async with unscoped_session(self._engine, Reason.AUTHENTICATION) as session:
            code, taken = await self._take_code(session, request, now)
            device = await session.get(DeviceRow, request.device_id)
            if device is not None:
                if not taken and device.public_key == public_key and device.revoked_at is None:
                    return  # the answer to the first request was lost
                raise EnrolmentRefusedError("the device id is taken")
            session.add(
                DeviceRow(
                    tenant_id=code.tenant_id,
                    id=request.device_id,
                    public_key=public_key,
                    app_version=request.app_version,
                    enrolled_at=now,
                )
            )

    async def status(self, device_id: str, now: datetime) -> DeviceStatus:
        """Return what the server holds of a device."""
        async with unscoped_session(self._engine, Reason.DEVICE) as session:
            found = await session.execute(
                select(EventRow.epoch, func.max(EventRow.sequence), func.count())
                .where(EventRow.device_id == device_id, EventRow.epoch > ONLINE_EPOCH)
                .group_by(EventRow.epoch)
                .order_by(EventRow.epoch)
            )
            epochs = [(epoch, last, count) for epoch, last, count in found]
        return DeviceStatus(
            device_id=device_id,
            epoch=epochs[-1][0] if epochs else None,
            last_sequence=epochs[-1][1] if epochs else 0,
            stored=sum(count for _, _, count in epochs),
            server_time=now,
        )

    async def _take_code(
        self, session: AsyncSession, request: EnrolmentRequest, now: datetime
    ) -> tuple[EnrolmentCodeRow, bool]:
        """Return the code, and whether it was free and is now this device's (or was already).

        One UPDATE decides: two devices with one code cannot both find it free.
        """
        code = _hash_of(request.code)
        taken = await session.execute(
            update(EnrolmentCodeRow)
            .where(
                EnrolmentCodeRow.code_sha256 == code,
                EnrolmentCodeRow.device_id.is_(None),
                EnrolmentCodeRow.expires_at > now,
            )
            .values(device_id=request.device_id)
            .returning(EnrolmentCodeRow.code_sha256)
        )
        free = taken.first() is not None
        row = await session.get(EnrolmentCodeRow, code)
        if row is None or row.device_id != request.device_id:
            raise EnrolmentRefusedError(_REFUSED)
        return row, free


def _hash_of(code: str) -> str:
    plain = code.upper().replace("-", "")
    return hashlib.sha256(plain.encode()).hexdigest()
