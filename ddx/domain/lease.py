"""A role lease: the server's signed word on what somebody may do, good for months offline.

The cloud owns roles; a clinic may be without it for a season. So a role is lent, not asked for:
signing in never needs the network. When a lease lapses the person still signs in and still cares
for patients; what lapses is the right to administer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from ddx.domain.canonical import canonical_json
from ddx.domain.roles import Role
from ddx.domain.statements import LEASE, SignatureCheck

LEASE_DAYS: Final = 120
"""Of a fresh lease. Design decision, docs/adr/0015-roles-are-leased.md."""

ENDING_DAYS: Final = 14
"""So long before the end the screen begins to say so."""


class LeaseStanding(StrEnum):
    """Where a lease stands today. NONE: this person is not linked to a cloud identity."""

    NONE = "none"
    VALID = "valid"
    ENDING = "ending"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLease:
    """One person's role on one device. subject: the cloud's own id of the person, never a name.

    issued_at, expires_at: UTC, as text, letter by letter as signed. server_key: Ed25519, hex.
    """

    device_id: str
    clinician_id: str
    subject: str
    role: Role
    issued_at: str
    expires_at: str
    server_key: str
    signature: str = ""

    @property
    def statement(self) -> bytes:
        """The bytes the server signs."""
        return canonical_json(
            {
                "statement": LEASE,
                "device_id": self.device_id,
                "clinician_id": self.clinician_id,
                "subject": self.subject,
                "role": self.role.value,
                "issued_at": self.issued_at,
                "expires_at": self.expires_at,
                "server_key": self.server_key,
            }
        )

    def is_genuine(
        self, check: SignatureCheck, *, server_key: str, device_id: str, clinician_id: str
    ) -> bool:
        """Whether the server this device believes lent this role to this person on this device."""
        ours = (self.device_id, self.clinician_id, self.server_key)
        if ours != (device_id, clinician_id, server_key):
            return False
        return check(server_key, self.signature, self.statement)

    def days_left(self, now: datetime) -> int:
        """Return whole days until the lease ends, negative once it has."""
        return (datetime.fromisoformat(self.expires_at) - now) // timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a person may be today, and why.

    days_left: of the lease; 0 without one. ends_at: of the lease, UTC; None without one.
    """

    role: Role
    standing: LeaseStanding
    days_left: int = 0
    ends_at: datetime | None = None


def granted(local: Role, lease: RoleLease | None, now: datetime) -> Grant:
    """Return the role that counts at `now`.

    local: the role inside the encrypted store. lease: genuine, or None.
    now: never earlier than the newest audit entry, so that setting the clock back gains nothing.
    """
    if lease is None:
        return Grant(role=local, standing=LeaseStanding.NONE)
    left, ends_at = lease.days_left(now), datetime.fromisoformat(lease.expires_at)
    if left < 0:
        role, standing = after_lapse(lease.role), LeaseStanding.LAPSED
    else:
        role = lease.role
        standing = LeaseStanding.ENDING if left <= ENDING_DAYS else LeaseStanding.VALID
    return Grant(role=role, standing=standing, days_left=left, ends_at=ends_at)


def after_lapse(role: Role) -> Role:
    """Return what is left of a role once its lease lapsed: care goes on, administration stops.

    An auditor keeps reading: the role changes nothing and sees no patient.
    """
    return role if role is Role.AUDITOR else Role.MEDICO_GENERAL
