"""The port of what workers share: answers, signed requests already seen.

Nothing here is a record: all of it may be lost at any moment, and the service goes on.
"""

from typing import Protocol

from ddx.errors import DdxError


class SharedMemoryError(DdxError):
    """The shared memory does not answer. What can be done without it goes on without it."""

    code = "shared.unreachable"
    retryable = True


class SharedMemory(Protocol):
    """Values under keys for a while. Each adapter passes `tests/contract/test_shared_memory.py`."""

    async def get(self, key: str) -> bytes | None:
        """Return the value, None when there is none (any more). Raises SharedMemoryError."""

    async def put(self, key: str, value: bytes, *, keep_s: float) -> None:
        """Keep the value for at most `keep_s` seconds. Raises SharedMemoryError."""

    async def forget(self, key: str) -> None:
        """Keep nothing under the key. Raises SharedMemoryError."""

    async def close(self) -> None:
        """Let go of connections."""
