"""One sync service per clinic: a lock the system lets go of when the process ends, however."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ddx import file_lock
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
    with file_lock.tried(folder / LOCK) as taken:
        if not taken():
            raise AlreadyRunningError("another vereda-sync works for this clinic")
        yield
