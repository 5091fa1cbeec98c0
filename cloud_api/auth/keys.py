"""The signing keys of the one issuer, from the one address in the settings."""

import asyncio
import json
import ssl
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

REFRESH_EVERY_S: Final = 30.0
"""The issuer is asked at most this often, so that made-up key ids cannot make us ask."""

REFRESH_AFTER_S: Final = 3_600.0
"""A key the issuer took back is trusted no longer than this (while the issuer answers)."""

MIN_RSA_BITS: Final = 2048
_MAX_KEYS_BYTES: Final = 1 << 18

FetchKeys = Callable[[], dict[str, Any]]


class PinnedKeys:
    """Keys by id. RSA of 2,048 bits and more, for signatures; all others are not there."""

    def __init__(
        self, fetch: FetchKeys, *, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._monotonic_s = fetch, monotonic_s
        self._keys: dict[str, RSAKey] = {}
        self._asked_s = self._got_s = -REFRESH_AFTER_S - 1.0 + monotonic_s()
        self._asking = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> RSAKey:
        """Return the key with an id.

        Raises:
            KeyError: the issuer has no such key, or was asked too recently to ask again.
            OSError, ValueError: the issuer cannot be asked, or answers nonsense.
        """
        if kid not in self._keys:
            async with self._asking:  # whoever comes meanwhile waits for the answer
                if kid not in self._keys:
                    await self._refresh()
        elif self._monotonic_s() - self._got_s > REFRESH_AFTER_S and not self._asking.locked():
            self._renewal = asyncio.create_task(self._renew())
        return self._keys[kid]

    async def _renew(self) -> None:
        """Ask again while callers go on; an issuer that is away takes no key back."""
        async with self._asking:
            with suppress(OSError, ValueError):
                await self._refresh()

    async def _refresh(self) -> None:
        if self._monotonic_s() - self._asked_s < REFRESH_EVERY_S:
            return
        self._asked_s = self._monotonic_s()
        self._keys = _usable(await asyncio.to_thread(self._fetch))
        self._got_s = self._asked_s


def _usable(key_set: dict[str, Any]) -> dict[str, RSAKey]:
    """Return the keys we take, by id. Raises ValueError when it is no key set."""
    try:
        keys = {
            raw["kid"]: RSAKey.import_key(raw)
            for raw in key_set["keys"]
            if raw.get("kty") == "RSA" and raw.get("use", "sig") == "sig" and "kid" in raw
        }
    except (KeyError, TypeError, AttributeError, JoseError) as error:
        raise ValueError("not a key set") from error
    return {kid: key for kid, key in keys.items() if key.public_key.key_size >= MIN_RSA_BITS}


class _StaysWhereItIs(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a redirect would take us from the address in the settings."""

    def redirect_request(self, *_args: object, **_named: object) -> None:
        """Return nothing; the answer is then an error."""


def fetch_over_https(address: str, ca_file: Path | None = None) -> FetchKeys:
    """Return a function that downloads a key set from this very address.

    Raises:
        ValueError: anything but https.
    """
    if not address.startswith("https://"):
        raise ValueError("keys come over https only")
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context), _StaysWhereItIs
    )

    def fetch() -> dict[str, Any]:
        with opener.open(address, timeout=15) as answer:
            keys: dict[str, Any] = json.loads(answer.read(_MAX_KEYS_BYTES))
        return keys

    return fetch
