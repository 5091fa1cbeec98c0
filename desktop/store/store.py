"""An unlocked store: units of work to read and to write, and the check of its pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from desktop.store.engine import FULL_CHECK_BYTES, begin_immediate, damage, open_engine
from desktop.store.errors import StoreClosedError, StoreCorruptError, from_database
from desktop.store.schema import bring_to_head
from desktop.store.unit_of_work import UnitOfWork


class ClinicStore:
    """The encrypted database, open. Safe to use from several threads."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._readers, self._writers = engine, begin_immediate(engine)
        self._path, self._open = path, True

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
        store = cls(engine, path)
        try:
            if path.stat().st_size <= FULL_CHECK_BYTES:
                store.check()
            bring_to_head(engine, path, create=create)
        except DatabaseError as error:
            store.close()
            raise from_database(error, path) from error
        except BaseException:
            store.close()
            raise
        return store

    def check(self) -> None:
        """Read every page. Raises StoreCorruptError with the number of faults found."""
        faults = damage(self._readers)
        if faults:
            raise StoreCorruptError(self._path, f"{len(faults)} faults, first: {faults[0]}")

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Give a consistent view of the store; nothing is written."""
        with self._unit(self._readers) as session:
            yield UnitOfWork(session)

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """Give a unit of work that commits once when the block ends, or not at all.

        Raises:
            StoreFullError, StoreBusyError, StoreCorruptError: nothing of the block was kept.
        """
        with self._unit(self._writers) as session:
            yield UnitOfWork(session)
            session.commit()

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
            raise from_database(error, self._path) from error
