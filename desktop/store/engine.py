"""The SQLCipher engine: raw key per connection, WAL, durable commits, explicit transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from ddx.domain.course import UNWATCHED, Course
from desktop.store.errors import StoreCorruptError, StoreError, is_damage

BUSY_TIMEOUT_S: Final = 10.0
FULL_CHECK_BYTES: Final = 16 << 20
"""Files up to this size are checked page by page at open (6 ms per MiB measured). In larger
ones each page is authenticated when it is read, and `ClinicStore.check` reads them all."""
CACHE_KIB: Final = 4 << 10  # per connection; a search over 20,000 visits is as fast as with 16 MiB

_BEGIN: Final = "vereda_begin"
_COPIED_PAGES: Final = 256  # of 4 KiB: a copy is told of, and may end, each MiB
_ASKED_EVERY: Final = 20_000
"""Steps of SQLite's machine between two looks at whether to go on: about a millisecond."""


def open_engine(path: Path, data_key: bytes, *, create: bool = False) -> Engine:
    """Return an engine on the encrypted database at `path`.

    The key reaches SQLCipher as a raw hex pragma on each connection and is never part of a
    URL. `create=False` never makes a file: a missing or empty one is damage, not a fresh start.

    Raises:
        StoreCorruptError: the file is missing, empty, or does not open under `data_key`
            (which the caller got from an authenticated slot, so the key is not the culprit).
    """
    if not create and (not path.is_file() or path.stat().st_size == 0):
        raise StoreCorruptError(path, "the file is missing or empty")
    engine = create_engine(
        _url(path, create=create),
        module=dbapi2,
        poolclass=QueuePool,
        pool_size=4,
        pool_use_lifo=True,  # the cache that is full already is asked, not four of the same
        max_overflow=4,
        hide_parameters=True,  # a failed statement must not print a patient
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
    )
    _prepare(engine, data_key)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT count(*) FROM sqlite_master"))
    except DatabaseError as error:
        engine.dispose()
        if is_damage(error):
            raise StoreCorruptError(path, "the file does not open under its own key") from error
        raise StoreError("the store does not open") from error
    return engine


def begin_immediate(engine: Engine) -> Engine:
    """Return a view of `engine` whose transactions take the write lock when they begin."""
    return engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})


@contextmanager
def stoppable(connection: Connection, course: Course) -> Iterator[None]:
    """Let the statements of the block end when `course` is asked to; SQLite then says INTERRUPT."""
    if course is UNWATCHED:
        yield
        return
    driver = connection.connection.driver_connection
    if driver is None:
        raise StoreError("the connection was closed")
    driver.set_progress_handler(lambda: not course.may_go_on(), _ASKED_EVERY)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


def damage(
    engine: Engine, *, thorough: bool = False, course: Course = UNWATCHED
) -> tuple[str, ...]:
    """Return every fault found: failed page authentication first, then structure.

    Reads the whole file. thorough: also every index against its table, every reference and the
    search indexes. An old page put back in place passes: the audit chain finds that. The
    authentication of the pages is one call of SQLCipher, which nothing ends early.
    """
    with engine.connect() as connection, stoppable(connection, course):
        course.at()
        pages = _pages_that_fail(connection)
        if pages:
            # the check reads the file beside the WAL: a process killed while it folded the WAL in,
            # or one at it this moment, leaves pages there that only the WAL holds
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            # a reader that began behind an empty WAL keeps others from folding theirs in
            connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()
            pages = _pages_that_fail(connection)
        if pages:
            return pages
        course.at()
        check = "integrity_check(100)" if thorough else "quick_check(10)"
        rows = connection.execute(text(f"PRAGMA {check}")).scalars().all()
        faults = [str(row) for row in rows if row != "ok"]
        if thorough and not faults:
            strays = connection.execute(text("PRAGMA foreign_key_check")).all()
            faults.extend(f"row of {row[0]} refers to nothing" for row in strays)
    return tuple(faults)


def _pages_that_fail(connection: Connection) -> tuple[str, ...]:
    rows = connection.execute(text("PRAGMA cipher_integrity_check")).scalars().all()
    return tuple(str(row) for row in rows)


def quick_damage(engine: Engine, path: Path) -> tuple[str, ...]:
    """Return what a look at header, schema and length finds; for files too large to read whole."""
    with engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()
        pages = int(connection.execute(text("PRAGMA page_count")).scalar_one())
        size = int(connection.execute(text("PRAGMA page_size")).scalar_one())
    wal = path.with_name(f"{path.name}-wal")
    in_wal = wal.is_file() and wal.stat().st_size > 0
    if not in_wal and path.stat().st_size != pages * size:
        return (f"{path.stat().st_size} bytes where {pages * size} are due",)
    return ()


def copy_into(engine: Engine, data_key: bytes, target: Path, course: Course = UNWATCHED) -> None:
    """Write a consistent, encrypted copy of the database to `target`, which must not exist.

    The online backup of SQLite: readers and writers go on meanwhile. Told of in pages.
    """
    source = engine.raw_connection()
    driver: Any = source.driver_connection
    copy = dbapi2.connect(str(target), isolation_level=None)
    try:
        _give_key(copy, "key", data_key)
        # One view for all the steps: without it, each write of others would begin the copy anew.
        driver.execute("BEGIN").close()
        driver.execute("SELECT count(*) FROM sqlite_master").fetchall()
        driver.backup(
            copy,
            pages=_COPIED_PAGES,
            progress=lambda _status, left, total: course.at(total - left, total),
        )
        # The copy carries the source's WAL mode; a backup is one file.
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    finally:
        copy.close()
        source.close()  # the pool ends the view


def change_key(path: Path, old: bytes, new: bytes) -> None:
    """Encrypt the database at `path` under another key, in place; nobody else may have it open."""
    connection = dbapi2.connect(str(path), isolation_level=None)
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")
        _give_key(connection, "key", old)
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()
        _give_key(connection, "rekey", new)
    finally:
        connection.close()


def _give_key(connection: Any, pragma: str, key: bytes) -> None:
    connection.execute(f"PRAGMA {pragma} = \"x'{key.hex()}'\"").fetchall()


def _url(path: Path, *, create: bool) -> URL:
    mode = "rwc" if create else "rw"
    return URL.create(
        "sqlite", database=path.resolve().as_uri(), query={"mode": mode, "uri": "true"}
    )


def _prepare(engine: Engine, data_key: bytes) -> None:
    pragmas = (
        "PRAGMA cipher_log_level = NONE",  # a damaged file writes thousands of log lines
        f"PRAGMA key = \"x'{data_key.hex()}'\"",
        "PRAGMA journal_mode = WAL",  # first to touch the file: a wrong key fails here
        "PRAGMA synchronous = FULL",  # WAL + NORMAL loses acknowledged rows on power loss
        "PRAGMA foreign_keys = ON",
        "PRAGMA temp_store = MEMORY",
        f"PRAGMA cache_size = -{CACHE_KIB}",
        "PRAGMA trusted_schema = OFF",
    )

    @event.listens_for(engine, "connect")
    def _unlock(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, see _begin
        cursor = connection.cursor()
        try:
            for pragma in pragmas:
                cursor.execute(pragma)
        except BaseException:
            cursor.close()
            connection.close()  # never try a second key on a connection that refused one
            raise
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
        # Rows of one unit of work may come in any order: references are checked at commit.
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")

    @event.listens_for(engine, "handle_error")
    def _drop_poisoned(context: ExceptionContext) -> None:
        # One bad page poisons a connection: mark it dead so that the pool opens new ones.
        failed = context.sqlalchemy_exception
        if isinstance(failed, DatabaseError) and is_damage(failed):
            context.is_disconnect = True
