"""Who may push: the ports for enrolled devices and for telling them apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sync_service.protocol.messages import DeviceStatus, EnrolmentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device. public_key: raw Ed25519, 32 bytes.

    tenant_id: the organisation it belongs to, empty before it is enrolled.
    """

    id: str
    public_key: bytes
    tenant_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """What a signature covers. target: path and query as received; headers: lower-case names."""

    method: str
    target: str
    body: bytes
    headers: Mapping[str, str]


class Authenticator(Protocol):
    """Ties a request to a device."""

    async def device_of(self, request: SignedRequest) -> Device:
        """Return the enrolled device that signed `request`. Raises AuthenticationError."""

    async def check_proof(self, request: SignedRequest, device: Device) -> None:
        """Return if `request` is signed by a device not enrolled yet. Raises as above."""


class DeviceDirectory(Protocol):
    """The enrolled devices."""

    async def enrol(self, request: EnrolmentRequest, public_key: bytes, now: datetime) -> None:
        """Enrol against a one-time code; the same request again changes nothing.

        Raises:
            EnrolmentRefusedError: the code does not serve, or the device id is taken.
        """

    async def status(self, device_id: str, now: datetime) -> DeviceStatus:
        """Return what the server holds of a device."""
