"""An unlocked store: units of work to read and to write, and the check of its pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlcipher3 import dbapi2

from ddx.domain.course import UNWATCHED, Course
from ddx.errors import DdxError
from desktop.store import ballast
from desktop.store.engine import (
    FULL_CHECK_BYTES,
    begin_immediate,
    copy_into,
    damage,
    open_engine,
    quick_damage,
    stoppable,
)
from desktop.store.errors import (
    StoreClosedError,
    StoreCorruptError,
    StoreFullError,
    from_database,
    from_driver,
)
from desktop.store.schema import bring_to_head
from desktop.store.unit_of_work import UnitOfWork

T = TypeVar("T")


class ClinicStore:
    """The encrypted database, open. Safe to use from several threads."""

    def __init__(self, engine: Engine, path: Path, data_key: bytes = b"") -> None:
        """Bind an engine. data_key: what copies are encrypted under; never printed."""
        self._readers, self._writers = engine, begin_immediate(engine)
        self._path, self._open, self._data_key = path, True, data_key

    @classmethod
    def open(cls, path: Path, data_key: bytes) -> "ClinicStore":
        """Return the store at `path`, checked and at the current schema.

        Raises:
            StoreCorruptError: missing, damaged, or not a clinic. The file is left untouched.
            StoreNewerError: written by a newer application.
        """
        return cls._opened(path, data_key, create=False)

    @classmethod
    def create(cls, path: Path, data_key: bytes) -> "ClinicStore":
        """Return a new, empty store at `path`, which must not exist yet."""
        return cls._opened(path, data_key, create=True)

    @classmethod
    def _opened(cls, path: Path, data_key: bytes, *, create: bool) -> "ClinicStore":
        engine = open_engine(path, data_key, create=create)
        store = cls(engine, path, data_key)
        try:
            store._look_over()
            bring_to_head(engine, path, create=create)
        except DatabaseError as error:
            store.close()
            raise from_database(error, path) from error
        except BaseException:
            store.close()
            raise
        return store

    def check(self, course: Course = UNWATCHED) -> None:
        """Read every page, index and reference. Raises StoreCorruptError with what was found.

        Takes about 10 ms per MiB; other threads go on meanwhile. By a connection of its own: one
        that has searched keeps what it read of the search indexes, and once others have written
        SQLite (3.53) compares them with that and finds faults that are not there.
        """
        self._refuse(self._faults(lambda: self._damage_seen_afresh(course)))

    def _damage_seen_afresh(self, course: Course) -> tuple[str, ...]:
        fresh = open_engine(self._path, self._data_key)
        try:
            return damage(fresh, thorough=True, course=course)
        finally:
            fresh.dispose()

    def copy_to(self, target: Path, course: Course = UNWATCHED) -> None:
        """Write a consistent copy, under the same key, to `target`, which must not exist.

        Raises:
            StoreFullError, StoreCorruptError: the copy is not to be used.
        """
        self._faults(lambda: copy_into(self._readers, self._data_key, target, course))

    def same_key(self, copy: Path, course: Course = UNWATCHED) -> "ClinicStore":
        """Return the copy at `copy`, opened under this store's key and read to the last page.

        Raises StoreCorruptError.
        """
        opened = ClinicStore.open(copy, self._data_key)
        try:
            opened.check(course)
        except BaseException:
            opened.close()
            raise
        return opened

    def _look_over(self) -> None:
        whole = self._path.stat().st_size <= FULL_CHECK_BYTES
        self._refuse(damage(self._readers) if whole else quick_damage(self._readers, self._path))

    def _faults(self, work: Callable[[], T]) -> T:
        if not self._open:
            raise StoreClosedError("the store is closed")
        try:
            return work()
        except DatabaseError as error:
            raise self._told(error) from error
        except dbapi2.DatabaseError as error:
            raise from_driver(error, self._path) from error

    def _refuse(self, faults: tuple[str, ...]) -> None:
        if faults:
            raise StoreCorruptError(self._path, f"{len(faults)} faults, first: {faults[0]}")

    def _told(self, error: DatabaseError) -> DdxError:
        """Return our error; a full disk also gets back the room kept aside for it."""
        told = from_database(error, self._path)
        if isinstance(told, StoreFullError):
            ballast.release(self._path.parent)
        return told

    @contextmanager
    def read(self, course: Course = UNWATCHED) -> Iterator[UnitOfWork]:
        """Give a consistent view of the store; nothing is written.

        course: what the statements of the block end with.
        """
        with self._unit(self._readers) as session, _ending_with(course, session):
            yield UnitOfWork(session)

    @contextmanager
    def write(self, course: Course = UNWATCHED) -> Iterator[UnitOfWork]:
        """Give a unit of work that commits once when the block ends, or not at all.

        course: what the statements of the block end with, and then nothing is kept.

        Raises:
            StoreFullError, StoreBusyError, StoreCorruptError: nothing of the block was kept.
        """
        with self._unit(self._writers) as session:
            with _ending_with(course, session):
                yield UnitOfWork(session)
                course.at()
            session.commit()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return not self._open

    def close(self) -> None:
        """Close every connection; the last one folds the WAL into the database."""
        self._open = False
        self._readers.dispose()

    @contextmanager
    def _unit(self, engine: Engine) -> Iterator[Session]:
        if not self._open:
            raise StoreClosedError("the store is closed")
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield session
        except DatabaseError as error:
            raise self._told(error) from error


@contextmanager
def _ending_with(course: Course, session: Session) -> Iterator[None]:
    if course is UNWATCHED:
        yield
        return
    with stoppable(session.connection(), course):
        yield
