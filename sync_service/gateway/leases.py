"""Lending a role: who an identity token says somebody is, and the server's word on it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from ddx.domain.lease import LEASE_DAYS, RoleLease
from ddx.domain.roles import Role
from ddx.domain.statements import moment_text
from sync_service.gateway.checkpoints import StatementKey
from sync_service.gateway.devices import Device
from sync_service.protocol.errors import DeviceMismatchError, IdentityRefusedError
from sync_service.protocol.leases import LeaseMessage, LeaseRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudIdentity:
    """A person as the issuer knows them. subject: the issuer's id, never a name.

    tenant_id: their organisation.
    """

    subject: str
    role: Role
    tenant_id: str = ""


class Identities(Protocol):
    """Reads identity tokens."""

    async def identify(self, id_token: str, now: datetime) -> CloudIdentity:
        """Return whose token it is and the role it carries.

        Raises:
            IdentityRefusedError: not a token of the issuer for this application, or no role.
        """


async def lend(
    asked: LeaseRequest,
    device: Device,
    *,
    identities: Identities,
    key: StatementKey,
    now: datetime,
) -> LeaseMessage:
    """Return the lease for the person behind `asked`, for `LEASE_DAYS` from `now`.

    Raises:
        DeviceMismatchError: the request names another device than the one that signed it.
        IdentityRefusedError: see `Identities.identify`; or the person belongs to another
            organisation than the device.
    """
    if asked.device_id != device.id:
        raise DeviceMismatchError("the lease names another device than its signature")
    person = await identities.identify(asked.id_token, now)
    if person.tenant_id != device.tenant_id:
        raise IdentityRefusedError("a person of another organisation")
    unsigned = RoleLease(
        device_id=device.id,
        clinician_id=asked.clinician_id,
        subject=person.subject,
        role=person.role,
        issued_at=moment_text(now),
        expires_at=moment_text(now + timedelta(days=LEASE_DAYS)),
        server_key=key.public_key,
    )
    lease = replace(unsigned, signature=key.sign(unsigned.statement))
    return LeaseMessage(
        **{name: getattr(lease, name) for name in RoleLease.__dataclass_fields__ if name != "role"},
        role=lease.role.value,
    )
