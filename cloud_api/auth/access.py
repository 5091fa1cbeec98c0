"""Who may call an operation: declared with it, checked before it runs, printed in the docs.

There is no operation without a declaration (`cloud_api.auth.door`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ddx.domain.roles import PERMISSIONS, Permission, PermissionDeniedError, Role


class Kind(StrEnum):
    """How a caller shows who they are."""

    OPEN = "open"
    PERSON = "person"
    DEVICE = "device"
    EITHER = "person or device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One declaration. Make it with the functions below.

    permissions: a person needs one of them; empty for any person with a role.
    operator: only people of the organisation that runs the service. because: of what is open.
    """

    kind: Kind
    permissions: tuple[Permission, ...] = ()
    operator: bool = False
    because: str = ""

    @property
    def people(self) -> bool:
        """Whether access tokens are looked at."""
        return self.kind in {Kind.PERSON, Kind.EITHER}

    @property
    def devices(self) -> bool:
        """Whether device signatures are looked at."""
        return self.kind in {Kind.DEVICE, Kind.EITHER}

    def admits(self, role: Role, *, of_operator: bool = True) -> bool:
        """Whether a person with `role` may call."""
        if not self.people or (self.operator and not of_operator):
            return False
        return not self.permissions or bool(PERMISSIONS[role].intersection(self.permissions))

    def check(self, role: Role, *, of_operator: bool) -> None:
        """Return if a person with `role` may call; raise PermissionDeniedError otherwise."""
        if not self.admits(role, of_operator=of_operator):
            raise PermissionDeniedError(role, self.permissions[0])


def people(*permissions: Permission, operator: bool = False) -> Access:
    """Declare: people with one of `permissions`."""
    return Access(kind=Kind.PERSON, permissions=permissions, operator=operator)


def people_or_devices(*permissions: Permission) -> Access:
    """Declare: people with one of `permissions`, and every enrolled device."""
    return Access(kind=Kind.EITHER, permissions=permissions)


def everyone(because: str) -> Access:
    """Declare: anybody, and why that is right."""
    return Access(kind=Kind.OPEN, because=because)


DEVICES: Final = Access(kind=Kind.DEVICE)
"""Declare: an enrolled device, known by its signature."""
