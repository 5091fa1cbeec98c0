"""One sync service per clinic: a lock the system lets go of when the process ends, however."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sync_service.client.errors import SyncClientError

LOCK: Final = "sync.lock"


class AlreadyRunningError(SyncClientError):
    """Another sync service works for this clinic."""

    code = "sync.already_running"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the clinic's lock while the block runs.

    Raises:
        AlreadyRunningError: somebody holds it; nothing was done.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)  # and with it the lock


def _lock(handle: int) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - there only

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - not there

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise AlreadyRunningError("another vereda-sync works for this clinic") from error
