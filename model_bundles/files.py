"""Files that survive a power cut, bounded reads, and a lock between processes."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ddx import file_lock
from model_bundles.errors import BundleBusyError, BundleStorageError

_POLL_S: Final = 0.05


def read_bounded(path: Path, limit: int) -> bytes | None:
    """Return the content of `path`, at most `limit` + 1 bytes of it; None when there is no file.

    A caller that gets more than `limit` bytes knows the file is too long.
    """
    try:
        with path.open("rb") as handle:
            return handle.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def write_durably(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: after a power cut it holds the old bytes or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """Force every file and folder below `folder` to the disk (python-tuf does not)."""
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync_file(Path(parent, name))
        sync_folder(Path(parent))


def _sync_file(path: Path) -> None:
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to the disk; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn an OSError of the disk into a BundleStorageError that names no path."""
    try:
        yield
    except OSError as error:
        raise BundleStorageError(f"the disk refused: {error.strerror or error}") from error


@contextmanager
def process_lock(path: Path, *, patience_s: float = 5.0) -> Iterator[None]:
    """Hold `path` as a lock against other processes and threads; released by a crash too.

    Raises:
        BundleBusyError: somebody else holds it for longer than `patience_s` seconds.
    """
    with file_lock.tried(path) as taken:
        deadline = time.monotonic() + patience_s
        while not taken():
            if time.monotonic() >= deadline:
                raise BundleBusyError("another process is updating the bundles")
            time.sleep(_POLL_S)
        yield
