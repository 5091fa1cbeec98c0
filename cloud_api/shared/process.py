"""Shared memory of a service with one worker: the process itself, bounded in bytes."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

CAPACITY_BYTES: Final = 64 << 20
"""About 2,700 answers of /predict, 24 KB each."""

_OVERHEAD_BYTES: Final = 300
"""What the dictionary and the objects cost beside the value, measured on CPython 3.11."""


class ProcessMemory:
    """See `cloud_api.shared.ports.SharedMemory`. Full: what was not used for longest goes."""

    def __init__(
        self,
        capacity_bytes: int = CAPACITY_BYTES,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._capacity, self._monotonic_s, self._bytes = capacity_bytes, monotonic_s, 0

    async def get(self, key: str) -> bytes | None:
        """Return the value, None when there is none (any more)."""
        found = self._kept.get(key)
        if found is None:
            return None
        until_s, value = found
        if until_s <= self._monotonic_s():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return value

    async def put(self, key: str, value: bytes, *, keep_s: float) -> None:
        """Keep the value for at most `keep_s` seconds; less when room is needed."""
        self._drop(key)
        self._kept[key] = self._monotonic_s() + keep_s, value
        self._bytes += _size(key, value)
        while self._bytes > self._capacity:
            self._drop(next(iter(self._kept)))

    async def forget(self, key: str) -> None:
        """Keep nothing under the key."""
        self._drop(key)

    async def close(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._bytes -= _size(key, found[1])


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value) + _OVERHEAD_BYTES
