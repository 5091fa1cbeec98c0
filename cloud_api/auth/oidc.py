"""Identity tokens of one OpenID Connect issuer: everything about them is required.

Issuer, audience and key address are pinned in the settings; nothing of the token says where its
keys are. RS256 only, keys of 2,048 bits and more, a short life, and exactly one of our roles.
"""

import asyncio
import base64
import json
import ssl
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from ddx.domain.roles import Role
from sync_service.gateway.leases import CloudIdentity
from sync_service.protocol.errors import IdentityRefusedError

MAX_LIFE_S: Final = 86_400
"""Entra's identity tokens live an hour; one that claims more than a day is not believed."""

LEEWAY_S: Final = 300
REFRESH_EVERY_S: Final = 30.0
"""An unknown key id asks for the keys again at most this often: strangers cannot make us ask."""

MIN_RSA_BITS: Final = 2048
_MAX_KEYS_BYTES: Final = 1 << 18

FetchKeys = Callable[[], dict[str, Any]]


class NoIdentities:
    """A server without an issuer: it lends no roles."""

    async def identify(self, id_token: str, now: datetime) -> CloudIdentity:  # noqa: ARG002
        """Raise IdentityRefusedError."""
        raise IdentityRefusedError("this server lends no roles")


class OidcIdentities:
    """Implements `sync_service.gateway.leases.Identities` for one issuer and one application."""

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        fetch_keys: FetchKeys,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._audience = issuer, audience
        self._fetch, self._monotonic_s = fetch_keys, monotonic_s
        self._keys: dict[str, RSAKey] = {}
        self._asked_s = -REFRESH_EVERY_S

    async def identify(self, id_token: str, now: datetime) -> CloudIdentity:
        """Return whose token it is. Raises IdentityRefusedError without saying which check."""
        try:
            kid = _kid(id_token)
            if kid not in self._keys:
                await asyncio.to_thread(self._refresh)
            token = jwt.decode(id_token, KeySet([self._keys[kid]]), algorithms=["RS256"])
            return self._believed(token.claims, now.timestamp())
        except (JoseError, KeyError, TypeError, ValueError, OSError) as error:
            raise IdentityRefusedError("the identity token does not serve") from error

    def _believed(self, claims: dict[str, Any], now_s: float) -> CloudIdentity:
        expires, issued = float(claims["exp"]), float(claims["iat"])
        not_before = float(claims.get("nbf", issued))
        timely = max(issued, not_before) - LEEWAY_S <= now_s < expires + LEEWAY_S
        if not timely or expires - issued > MAX_LIFE_S:
            raise ValueError("not its time")
        if claims["iss"] != self._issuer or claims["aud"] != self._audience:
            raise ValueError("for somebody else")
        if "tid" in claims and claims["tid"] not in self._issuer:
            raise ValueError("another tenant")
        (role,) = {Role(name) for name in claims["roles"] if name in set(Role)}
        return CloudIdentity(subject=str(claims.get("oid") or claims["sub"]), role=role)

    def _refresh(self) -> None:
        if self._monotonic_s() - self._asked_s < REFRESH_EVERY_S:
            return
        self._asked_s = self._monotonic_s()
        found = {}
        for raw in self._fetch()["keys"]:
            if raw.get("kty") == "RSA" and raw.get("use", "sig") == "sig" and "kid" in raw:
                key = RSAKey.import_key(raw)
                if key.public_key.key_size >= MIN_RSA_BITS:
                    found[raw["kid"]] = key
        self._keys = found


def fetch_over_https(address: str, ca_file: Path | None = None) -> FetchKeys:
    """Return a function that downloads a key set. Raises ValueError for anything but https."""
    if not address.startswith("https://"):
        raise ValueError("keys come over https only")
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))

    def fetch() -> dict[str, Any]:
        with urllib.request.urlopen(address, timeout=15, context=context) as answer:  # noqa: S310
            keys: dict[str, Any] = json.loads(answer.read(_MAX_KEYS_BYTES))
        return keys

    return fetch


def _kid(id_token: str) -> str:
    head = id_token.split(".", 1)[0]
    return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])
