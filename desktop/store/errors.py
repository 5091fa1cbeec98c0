"""What can go wrong with the encrypted store, by culprit, and the words SQLite uses for it."""

from pathlib import Path
from typing import ClassVar

from sqlalchemy.exc import DatabaseError

from ddx.domain.course import StoppedError
from ddx.errors import DdxError


class StoreError(DdxError):
    """The clinic's store cannot be used."""

    code: ClassVar[str] = "store.unusable"


class WrongKeyError(StoreError):
    """A passphrase or recovery key does not open its slot. Says nothing about why."""

    code: ClassVar[str] = "store.wrong_key"


class WeakPassphraseError(StoreError):
    """A new passphrase is shorter than `minimum` characters."""

    code: ClassVar[str] = "passphrase.too_short"

    def __init__(self, minimum: int) -> None:
        super().__init__(f"a passphrase needs at least {minimum} characters")
        self.minimum = minimum


class StoreCorruptError(StoreError):
    """The database file or its key slots are damaged. Nothing was changed or deleted.

    Next step: set the store aside (`Clinic.quarantine()`), then restore the last backup.
    quarantined_at: folder the damaged store was copied to; None while that was not asked for.
    """

    code: ClassVar[str] = "store.corrupt"

    def __init__(self, path: Path, reason: str, quarantined_at: Path | None = None) -> None:
        super().__init__(f"{path.name}: {reason}; set it aside and restore a backup")
        self.path, self.reason, self.quarantined_at = path, reason, quarantined_at


class StoreExistsError(StoreError):
    """A store is already there; a second one is never created over it."""

    code: ClassVar[str] = "store.exists"


class StoreNewerError(StoreError):
    """The store was written by a newer version of the application; update first."""

    code: ClassVar[str] = "store.newer"

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"store schema {found}, this version knows {known}")
        self.found, self.known = found, known


class StoreFullError(StoreError):
    """The disk is full. What was committed is safe; free space and try again.

    The room kept aside (`desktop.store.ballast`) was let go: the next save usually fits.
    """

    code: ClassVar[str] = "store.full"
    retryable: ClassVar[bool] = True


class StoreBusyError(StoreError):
    """Another process holds the store; trying again helps."""

    code: ClassVar[str] = "store.busy"
    retryable: ClassVar[bool] = True


class StoreClosedError(StoreError):
    """The session was closed; sign in again."""

    code: ClassVar[str] = "store.closed"


class BackupUnusableError(StoreError):
    """A backup is incomplete, altered or damaged. The store in use was not touched."""

    code: ClassVar[str] = "backup.unusable"


class RecordMissingError(StoreError):
    """No record of that kind has that id."""

    code: ClassVar[str] = "record.missing"

    def __init__(self, kind: str, record: str) -> None:
        super().__init__(f"no {kind} {record}")
        self.kind, self.record = kind, record


DAMAGE = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_SHORT_READ"})
"""Primary SQLite names of a damaged file. Source: sqlite.org/rescode.html."""


def sqlite_name(error: DatabaseError) -> str:
    """Return SQLite's name of the result code behind `error`, or an empty string."""
    return str(getattr(error.orig, "sqlite_errorname", ""))


def is_damage(error: DatabaseError) -> bool:
    """Whether `error` speaks of a damaged file rather than of a wrong statement."""
    name = sqlite_name(error)
    return name in DAMAGE or name.startswith("SQLITE_CORRUPT")


def from_database(error: DatabaseError, path: Path) -> DdxError:
    """Return the store's own error for what SQLite reported through SQLAlchemy."""
    return _told(sqlite_name(error) or type(error).__name__, path)


def from_driver(error: Exception, path: Path) -> DdxError:
    """Return the store's own error for what the driver itself reported."""
    return _told(str(getattr(error, "sqlite_errorname", "")) or type(error).__name__, path)


def _told(name: str, path: Path) -> DdxError:
    if name == "SQLITE_INTERRUPT":  # nothing else interrupts here than a course that was stopped
        return StoppedError("a statement was ended on request")
    if name in DAMAGE or name.startswith("SQLITE_CORRUPT"):
        return StoreCorruptError(path, "the file is damaged")
    if name == "SQLITE_FULL":
        return StoreFullError("the disk is full")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusyError("the store is in use by another process")
    return StoreError(f"the store refused a statement ({name})")
