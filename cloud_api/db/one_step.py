"""Short transactions of the busiest operations, each handed over once.

The asynchronous driver of SQLite hands every step of a transaction to another thread: one SELECT
by key took six hand-overs and 0.7 ms of processor time. Here the transaction is one step in a
thread that keeps its connection. PostgreSQL's driver has no thread to hand over to.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine

from cloud_api.db.engine import prepare_sqlite

T = TypeVar("T")
Work = Callable[[Connection], T]


class OneStep(Protocol):
    """Runs a function on a connection, inside a transaction of its own."""

    async def read(self, work: Work[T]) -> T:
        """Return what `work` found; whatever it changed is taken back."""

    async def write(self, work: Work[T]) -> T:
        """Return what `work` returned once its transaction is durable; none of it if it raised."""


def one_step(engine: AsyncEngine) -> OneStep:
    """Return short transactions on the database of `engine`, which end with it."""
    return _InAThread(engine) if engine.dialect.name == "sqlite" else _OnTheLoop(engine)


class _OnTheLoop:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # one statement needs no BEGIN and ROLLBACK around it, each a journey to the server
        self._one_by_one = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def read(self, work: Work[T]) -> T:
        async with self._one_by_one.connect() as connection:
            return await connection.run_sync(work)

    async def write(self, work: Work[T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)


class _InAThread:
    """One thread, one transaction after the other; SQLite has one writer at a time anyway."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = _with_plain_driver(engine)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        event.listen(engine.sync_engine, "engine_disposed", lambda _: self._engine.dispose())

    async def read(self, work: Work[T]) -> T:
        return await self._hand_over(self._read, work)

    async def write(self, work: Work[T]) -> T:
        return await self._hand_over(self._write, work)

    async def _hand_over(self, step: Callable[[Work[T]], T], work: Work[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, step, work)

    def _read(self, work: Work[T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)

    def _write(self, work: Work[T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)


def _with_plain_driver(engine: AsyncEngine) -> Engine:
    plain = create_engine(engine.url.set(drivername="sqlite"), hide_parameters=True)
    event.listen(plain, "connect", prepare_sqlite)
    return plain
