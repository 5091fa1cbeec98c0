"""Files that are either the old ones or the new ones, whenever the power goes."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desktop.store.errors import StoreError, StoreFullError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` with `content`, durably: after return a power cut cannot undo it.

    The file is readable by its owner only.

    Raises:
        StoreFullError, StoreError: the disk refused; the old file stands.
    """
    with disk_errors():
        _write(path, content)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn what the disk refuses into the store's own errors."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StoreFullError("the disk is full") from error
        raise StoreError(f"the disk refused: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames inside `directory` durable (Windows has no such call and needs none)."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
