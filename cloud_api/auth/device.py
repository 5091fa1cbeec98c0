"""Device signatures: Ed25519 over method, path, body, moment and nonce."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud_api.auth.nonces import NonceMemory
from sync_service.gateway.devices import Device, SignedRequest
from sync_service.protocol import versions
from sync_service.protocol.errors import (
    ClockSkewError,
    ReplayedRequestError,
    SignatureInvalidError,
    UnknownDeviceError,
    UnsignedRequestError,
)
from sync_service.protocol.signing import signing_input

_NONCE = re.compile(r"[0-9a-f]{16,64}")
_TIMESTAMP = re.compile(r"[0-9]{1,11}")


@dataclass(frozen=True, slots=True)
class _Claim:
    """The signature headers of a request, readable but not believed."""

    device_id: str
    timestamp_s: int
    nonce: str
    signature: bytes


class DeviceAuthenticator:
    """Believes a request when its device is enrolled, its signature fits, and it is new.

    The window is checked before the signature: a device with a wrong clock learns the time.
    """

    def __init__(
        self,
        find: Callable[[str], Awaitable[Device | None]],
        nonces: NonceMemory,
        now: Callable[[], datetime],
    ) -> None:
        """Bind the ports. find: the enrolled, unrevoked device with an id, or None."""
        self._find, self._nonces, self._now = find, nonces, now

    async def device_of(self, request: SignedRequest) -> Device:
        """Return the enrolled device that signed `request`. Raises AuthenticationError."""
        claim = _claim_of(request)
        device = await self._find(claim.device_id)
        if device is None:
            raise UnknownDeviceError("no such device")
        await self._believe(request, claim, device)
        return device

    async def check_proof(self, request: SignedRequest, device: Device) -> None:
        """Return if `request` is signed by a device not enrolled yet. Raises as above."""
        claim = _claim_of(request)
        if claim.device_id != device.id:
            raise SignatureInvalidError("signed for another device id")
        await self._believe(request, claim, device)

    async def _believe(self, request: SignedRequest, claim: _Claim, device: Device) -> None:
        now_s = self._now().timestamp()
        if abs(now_s - claim.timestamp_s) > versions.REPLAY_WINDOW_S:
            raise ClockSkewError("signed outside the window")
        _verify(request, claim, device)
        # only after the signature: strangers cannot fill the memory
        keep_s = 2 * versions.REPLAY_WINDOW_S + 1
        if not await self._nonces.first_time(device.id, claim.nonce, now_s=now_s, keep_s=keep_s):
            raise ReplayedRequestError("seen before")


def _claim_of(request: SignedRequest) -> _Claim:
    headers = request.headers
    device_id = headers.get(versions.DEVICE_HEADER.lower(), "")
    timestamp = headers.get(versions.TIMESTAMP_HEADER.lower(), "")
    nonce = headers.get(versions.NONCE_HEADER.lower(), "")
    try:
        text = headers.get(versions.SIGNATURE_HEADER.lower(), "")
        signature = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnsignedRequestError("the signature is not base64") from error
    readable = _TIMESTAMP.fullmatch(timestamp) and _NONCE.fullmatch(nonce)
    if not device_id or not readable or len(signature) != 64:
        raise UnsignedRequestError("a signature header is missing or unreadable")
    return _Claim(device_id, int(timestamp), nonce, signature)


def _verify(request: SignedRequest, claim: _Claim, device: Device) -> None:
    covered = signing_input(
        method=request.method,
        target=request.target,
        body=request.body,
        device_id=claim.device_id,
        timestamp_s=claim.timestamp_s,
        nonce=claim.nonce,
    )
    try:
        _key_of(device.public_key).verify(claim.signature, covered)
    except (InvalidSignature, ValueError) as error:
        raise SignatureInvalidError("the signature does not fit") from error


@lru_cache(maxsize=4096)  # of what the bytes mean, not of whom we believe
def _key_of(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)
