"""Who the device is to the server: an id, an epoch and a way to sign."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ddx.domain.identifiers import RecordId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceIdentity:
    """The device as the server knows it.

    epoch: which life of the outbox; a restored backup starts another. sign: Ed25519 over the
    given bytes (64 bytes back); the key itself stays with its keeper.
    public_key: raw, 32 bytes.
    """

    device_id: RecordId
    epoch: int
    public_key: bytes
    sign: Callable[[bytes], bytes]

    @classmethod
    def from_private_key(
        cls, device_id: RecordId, epoch: int, key: Ed25519PrivateKey
    ) -> "DeviceIdentity":
        """Return the identity of a device that holds its key in memory."""
        raw = key.public_key().public_bytes_raw()
        return cls(device_id=device_id, epoch=epoch, public_key=raw, sign=key.sign)

    @property
    def public_key_text(self) -> str:
        """The public key in base64, as enrolment sends it."""
        return base64.b64encode(self.public_key).decode()
