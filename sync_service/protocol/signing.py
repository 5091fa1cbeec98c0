"""The bytes a device signs: one request, at one moment, for one server path."""

import hashlib
from typing import Final

_DOMAIN: Final = "vereda-request-1"
"""Separates these signatures from any other use of the device key."""


def signing_input(
    *, method: str, target: str, body: bytes, device_id: str, timestamp_s: int, nonce: str
) -> bytes:
    """Return what the Ed25519 signature of a request covers.

    target: path and query as sent. body: as sent, still compressed, so that nothing is
    decompressed for a stranger. timestamp_s: seconds since 1970 UTC, the server's clock as far
    as the device knows it. No field may hold a line break; header values cannot.
    """
    lines = (
        _DOMAIN,
        device_id,
        method.upper(),
        target,
        hashlib.sha256(body).hexdigest(),
        str(timestamp_s),
        nonce,
    )
    return "\n".join(lines).encode()
