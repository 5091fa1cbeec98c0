"""Room kept aside for the day the disk is full.

While a disk is full even DELETE and a checkpoint fail. Letting go of this file gives SQLite the
few megabytes it needs to write what the clinician has on screen and to shut down in order.
"""

import logging
import os
import shutil
from pathlib import Path
from typing import Final

NAME: Final = "ballast"
BALLAST_BYTES: Final = 4 << 20
"""A WAL grows to about 4 MiB before it is folded in (1,000 pages of 4 KiB), and a visit is about
0.1 MiB: enough for that and for some 40 visits more."""
ROOM_NEEDED_BYTES: Final = 64 << 20
"""Free space below which no ballast is laid: the disk belongs to the records first."""

_log = logging.getLogger(__name__)


def lay(folder: Path, *, size: int = BALLAST_BYTES, room_needed: int = ROOM_NEEDED_BYTES) -> bool:
    """Make the ballast of `folder` unless it is there; return whether it is there now.

    Random bytes: a file system that compresses or leaves holes would keep no room for zeros.
    A disk that refuses leaves no ballast and no error: nothing depends on it until later.
    """
    path = folder / NAME
    if path.is_file() and path.stat().st_size >= size:
        return True
    if shutil.disk_usage(folder).free < room_needed:
        return False
    try:
        with path.open("wb") as stream:
            stream.write(os.urandom(size))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        return False
    return True


def release(folder: Path) -> bool:
    """Let go of the ballast; return whether that made room."""
    path = folder / NAME
    if not path.is_file():
        return False
    try:
        path.unlink()
    except OSError:
        return False
    _log.warning("the disk is full: the ballast of the store was released")
    return True
