"""How often a caller may ask: a sliding window, counted by the `limits` library.

Counts live in Redis where there are several workers. While Redis is away each worker counts for
itself: a caller then gets at most as many times the rate as there are workers.
"""

import math
import time
from collections.abc import Callable
from typing import Final

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

from cloud_api.limits.errors import TooManyRequestsError
from cloud_api.shared.redis import PREFIX, TIMEOUT_S

SUBJECT_PER_MINUTE: Final = 100
"""Source: reference architecture, API Management, "Rate Limiting (100 req/min)"."""

ADDRESS_PER_MINUTE: Final = 6_000
"""A hospital behind one address: sixty subjects at their limit. A flood is far above it."""

SWEEP_EVERY_S: Final = 1.0


class ProcessCounts(MemoryStorage):
    """Counts in this process, swept once a second.

    The library sweeps at every hit, which costs 0.9 ms a request with 10,000 callers: whoever
    calls from many addresses would slow down everybody. A test counts the sweeps.
    """

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic_s, self._swept_s = monotonic_s, -SWEEP_EVERY_S

    async def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 - the library's own name
        now_s = self._monotonic_s()
        if now_s - self._swept_s >= SWEEP_EVERY_S:
            self._swept_s = now_s
            await super()._MemoryStorage__schedule_expiry()  # type: ignore[misc] # private to it


def storage_at(redis_address: str) -> Storage:
    """Return where counts live: Redis at an address, this process when it is empty."""
    if not redis_address:
        return ProcessCounts()
    return RedisStorage(
        "async+" + redis_address.replace("unix://", "redis+unix://"),
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix=PREFIX + "limit",
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
    )


class Rate:
    """At most so many requests a minute of one caller.

    name: keeps the counts of two rates apart. unshared: told each time Redis did not answer.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        name: str,
        per_minute: int,
        unshared: Callable[[], None] = lambda: None,
    ) -> None:
        self._item = RateLimitItemPerMinute(per_minute, namespace=name)
        self._shared = SlidingWindowCounterRateLimiter(storage)
        self._own = SlidingWindowCounterRateLimiter(ProcessCounts())
        self._unshared = unshared

    async def spend(self, *caller: str) -> None:
        """Count one request of `caller`.

        Raises:
            TooManyRequestsError: it has had as many as it may; says when to come again.
        """
        try:
            await self._spend(self._shared, caller)
        except StorageError:
            self._unshared()
            await self._spend(self._own, caller)

    async def _spend(
        self, limiter: SlidingWindowCounterRateLimiter, caller: tuple[str, ...]
    ) -> None:
        if not await limiter.hit(self._item, *caller):
            window = await limiter.get_window_stats(self._item, *caller)
            raise TooManyRequestsError(max(1, math.ceil(window.reset_time - time.time())))
