"""The SQLCipher engine: raw key per connection, WAL, durable commits, explicit transactions."""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from desktop.store.errors import StoreCorruptError, StoreError, is_damage

BUSY_TIMEOUT_S: Final = 10.0
FULL_CHECK_BYTES: Final = 16 << 20
"""Files up to this size are checked page by page at open (6 ms per MiB measured). In larger
ones each page is authenticated when it is read, and `ClinicStore.check` reads them all."""

_BEGIN: Final = "vereda_begin"


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


def damage(engine: Engine) -> tuple[str, ...]:
    """Return every fault SQLCipher finds: failed page authentication, then structure.

    Reads the whole file. An old page put back in place passes: the audit chain finds that.
    """
    with engine.connect() as connection:
        pages = connection.execute(text("PRAGMA cipher_integrity_check")).scalars().all()
        if pages:
            return tuple(str(page) for page in pages)
        rows = connection.execute(text("PRAGMA quick_check(10)")).scalars().all()
    return tuple(str(row) for row in rows if row != "ok")


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
