"""Shared memory of a service with several workers: Redis, Azure Cache for Redis in production.

Set `maxmemory-policy noeviction`: a full server then refuses a signed request (safe) instead of
forgetting that it saw one. A full cache only costs time.
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cloud_api.shared.ports import SharedMemoryError
from sync_service.protocol.errors import GatewayBusyError

TIMEOUT_S: Final = 0.25
"""More than any answer takes in one datacentre, less than what an answer may take in all (0.5)."""

PREFIX: Final = "vereda:"
_BUSY_S: Final = 5


def open_redis(address: str) -> Redis:
    """Return a client that connects on first use. address: `redis://`, `rediss://`, `unix://`."""
    return Redis.from_url(address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


class RedisMemory:
    """See `cloud_api.shared.ports.SharedMemory`."""

    def __init__(self, client: Redis) -> None:
        self._client: Any = client

    async def get(self, key: str) -> bytes | None:
        """Return the value, None when there is none (any more). Raises SharedMemoryError."""
        async with _answering():
            found: bytes | None = await self._client.get(PREFIX + key)
        return found

    async def put(self, key: str, value: bytes, *, keep_s: float) -> None:
        """Keep the value for at most `keep_s` seconds. Raises SharedMemoryError."""
        async with _answering():
            await self._client.set(PREFIX + key, value, px=_milliseconds(keep_s))

    async def forget(self, key: str) -> None:
        """Keep nothing under the key. Raises SharedMemoryError."""
        async with _answering():
            await self._client.delete(PREFIX + key)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()


class RedisNonces:
    """Signed requests seen by any worker: `cloud_api.auth.nonces.NonceMemory`."""

    def __init__(self, client: Redis) -> None:
        self._client: Any = client

    async def first_time(self, device_id: str, nonce: str, *, now_s: float, keep_s: float) -> bool:  # noqa: ARG002 - Redis keeps its own clock
        """Return whether the nonce is new, and remember it for `keep_s` seconds.

        Raises:
            GatewayBusyError: Redis does not answer; a request that may be a replay is not believed.
        """
        key = f"{PREFIX}nonce:{device_id}:{nonce}"
        try:
            async with _answering():
                new = await self._client.set(key, b"", nx=True, px=_milliseconds(keep_s))
        except SharedMemoryError as error:
            raise GatewayBusyError(_BUSY_S) from error
        return bool(new)


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise SharedMemoryError(type(error).__name__) from error


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))
