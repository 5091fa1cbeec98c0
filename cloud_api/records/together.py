"""Group commit: what arrives while a write is under way is written by the next one, together.

One commit costs as much for twenty records as for one (the disk is waited for once). Nobody waits
longer than for the write under way and their own; alone, a record is written at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST_TOGETHER: Final = 64
"""Far more than are answered at once; keeps one transaction short."""


class Together(Generic[T]):
    """Writes items in the order they came. write: stores all of some items durably, or none.

    spoilt_by: the error of `write` that one bad item brings upon all; each is then tried alone.
    """

    def __init__(
        self, write: Callable[[Sequence[T]], Awaitable[None]], spoilt_by: type[Exception]
    ) -> None:
        self._write, self._spoilt_by = write, spoilt_by
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, item: T) -> None:
        """Return once `item` is durable. Raises what `write` raised for it."""
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((item, stored))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        await stored

    async def _write_all(self) -> None:
        while self._waiting:
            now, self._waiting = (
                self._waiting[:MOST_TOGETHER],
                self._waiting[MOST_TOGETHER:],
            )
            await self._store(now)
        self._writing = None

    async def _store(self, entries: Sequence[tuple[T, asyncio.Future[None]]]) -> None:
        try:
            await self._write([item for item, _ in entries])
        except Exception as error:  # noqa: BLE001 - goes to whoever waits for it
            if isinstance(error, self._spoilt_by) and len(entries) > 1:
                for entry in entries:
                    await self._store([entry])
                return
            _tell(entries, error)
        else:
            _tell(entries, None)


def _tell(entries: Sequence[tuple[object, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, stored in entries:
        if stored.done():  # its caller left; the record stays
            continue
        if error is None:
            stored.set_result(None)
        else:
            stored.set_exception(error)
