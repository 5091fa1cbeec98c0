"""Carries the event log on to a broker: in order, at least once, from where it stopped.

The log is the truth and durable by itself; a broker that is away for a week delays its readers and
loses nothing. A reader drops what it has seen by `server_sequence`.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from cloud_api.db.scoped import Reason, unscoped_session
from cloud_api.db.tables import StreamCursorRow
from cloud_api.stream.log import EventStream, LoggedEvent
from ddx.errors import DdxError

log = logging.getLogger(__name__)

PAGE: Final = 500
LOOK_EVERY_S: Final = 1.0
WAIT_AFTER_FAILURE_S: Final = 15.0


class BrokerError(DdxError):
    """The broker did not take events. The cursor stays; they are offered again."""

    code = "stream.broker"
    retryable = True


class Broker(Protocol):
    """Takes events in order."""

    async def publish(self, events: Sequence[LoggedEvent]) -> None:
        """Return when every event is held by the broker. Raises BrokerError."""

    async def close(self) -> None:
        """Let go of the connections."""


class SqlCursor:
    """How far one follower has come, beside the log it follows."""

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self._engine, self._name = engine, name

    async def position(self) -> int:
        """Return the last server sequence handed on, 0 at the beginning."""
        async with unscoped_session(self._engine, Reason.STREAM) as session:
            row = await session.get(StreamCursorRow, self._name)
            return 0 if row is None else row.position

    async def move_to(self, position: int) -> None:
        """Remember `position`, durably."""
        async with unscoped_session(self._engine, Reason.STREAM) as session:
            await session.merge(StreamCursorRow(name=self._name, position=position))


class Forwarder:
    """Reads a page, publishes it, moves the cursor."""

    def __init__(self, stream: EventStream, broker: Broker, cursor: SqlCursor) -> None:
        self._stream, self._broker, self._cursor = stream, broker, cursor

    async def catch_up(self) -> int:
        """Hand on everything after the cursor; return how many events that were.

        Raises:
            BrokerError: what was handed on so far stays so; the rest is offered again.
        """
        handed, position = 0, await self._cursor.position()
        while page := await self._stream.read(after=position, limit=PAGE):
            await self._broker.publish(page)
            position = page[-1].server_sequence
            await self._cursor.move_to(position)
            handed += len(page)
        return handed

    async def run(self) -> None:
        """Follow the log until cancelled."""
        try:
            while True:
                try:
                    await self.catch_up()
                    await asyncio.sleep(LOOK_EVERY_S)
                except BrokerError as error:
                    log.warning("the broker does not take events: %s", error)
                    await asyncio.sleep(WAIT_AFTER_FAILURE_S)
        finally:
            await self._broker.close()
