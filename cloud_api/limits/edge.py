"""Refusals before anybody is known: network, pace of an address, size of a body, encoding.

Pure ASGI: a request that passes costs a few microseconds. The probes of the orchestrator
(`/health`, `/ready`) are never refused: a service that is flooded is still alive.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_api.errors import refusal
from cloud_api.limits.errors import AddressRefusedError
from cloud_api.limits.rates import Rate
from ddx.errors import DdxError
from sync_service.protocol.compression import ZSTD
from sync_service.protocol.errors import EncodingUnsupportedError, MessageTooLargeError

PROBES: Final = frozenset({"/health", "/ready"})
SCRAPE: Final = "/metrics"
READ_ENCODINGS: Final = frozenset({"", "identity", ZSTD})

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AllowedNetworks:
    """Lets through who calls from one of the networks; with none named, everybody.

    scrapers: networks that may read /metrics.
    """

    def __init__(
        self, app: ASGIApp, networks: Iterable[Network], scrapers: Iterable[Network]
    ) -> None:
        self._app = app
        self._networks, self._scrapers = tuple(networks), tuple(scrapers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] == "http" and not self._lets_in(scope):
            error = AddressRefusedError("calls from this network are not accepted")
            await refusal(scope, error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _lets_in(self, scope: Scope) -> bool:
        path = scope["path"]
        if path == SCRAPE:
            return _is_in(address_of(scope), self._scrapers)
        return not self._networks or path in PROBES or _is_in(address_of(scope), self._networks)


class AddressPace:
    """Counts the requests of each address, before any signature or token is looked at."""

    def __init__(self, app: ASGIApp, rate: Rate) -> None:
        self._app, self._rate = app, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] == "http" and scope["path"] not in PROBES:
            try:
                await self._rate.spend(_prefix(address_of(scope)))
            except DdxError as error:
                await refusal(scope, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class BodyBounds:
    """Refuses a body that is too long, said or sent, or packed in a way nobody here unpacks.

    How long it may be once unpacked is bounded where it is (`sync_service.protocol.compression`).
    """

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app, self._limit = app, limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with an eye on what comes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        objection = self._objection(Headers(scope=scope))
        if objection is not None:
            await refusal(scope, objection)(scope, receive, send)
            return
        got = 0

        async def bounded() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._limit:
                raise MessageTooLargeError(self._limit)
            return message

        await self._app(scope, bounded, send)

    def _objection(self, headers: Headers) -> DdxError | None:
        if headers.get("content-encoding", "").strip().lower() not in READ_ENCODINGS:
            return EncodingUnsupportedError("send zstd or identity")
        said = headers.get("content-length", "0")
        if not said.isdecimal() or len(said) > len(str(self._limit)) or int(said) > self._limit:
            return MessageTooLargeError(self._limit)
        return None


def address_of(scope: Scope) -> str:
    """Return the caller's address as the server knows it; empty when it does not.

    Behind a proxy uvicorn reads X-Forwarded-For, and only from proxies it was told to believe.
    """
    client: Sequence[str] | None = scope.get("client")
    return client[0] if client else ""


def _prefix(address: str) -> str:
    """Return what one subscriber holds: an IPv4 address, a /64 of IPv6 (RFC 6177)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
