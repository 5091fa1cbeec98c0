"""One whole folder in place of another, so that a crash leaves one or the other and never none.

The new folder is built as `<name>.building`, made `<name>.ready` by one rename once every byte of
it is on disk, and then takes the place of the old one, which is moved aside. `finish` runs at
every start: a crash between two renames is carried to its end.
"""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from desktop.store.files import disk_errors, sync_directory


def build(folder: Path) -> Path:
    """Return the empty folder in which what replaces `folder` is built."""
    workshop = folder.with_name(f"{folder.name}.building")
    with disk_errors():
        if workshop.exists():
            shutil.rmtree(workshop)  # a replacement that never became ready
        workshop.mkdir(parents=True, mode=0o700)
    return workshop


def make_ready(folder: Path) -> None:
    """Say that what was built is whole: from here on it will take the place of `folder`."""
    workshop = folder.with_name(f"{folder.name}.building")
    with disk_errors():
        for file in workshop.iterdir():
            sync_file(file)
        sync_directory(workshop)
        workshop.rename(_ready(folder))
        sync_directory(folder.parent)


def is_ready(folder: Path) -> bool:
    """Whether a replacement waits to take the place of `folder`."""
    return _ready(folder).is_dir()


def finish(folder: Path, at: datetime) -> Path | None:
    """Put a waiting replacement in place; return where the old folder is now, if there was one."""
    if not is_ready(folder):
        return None
    aside: Path | None = None
    with disk_errors():
        if folder.exists():
            aside = set_aside(folder, at, "replaced")
        _ready(folder).rename(folder)
        sync_directory(folder.parent)
    return aside


QUARANTINED: Final = "quarantined"
_MOMENT: Final = "%Y%m%dT%H%M%S%fZ"


def set_aside(folder: Path, at: datetime, why: str) -> Path:
    """Move `folder` beside itself, whole, and return where it is."""
    aside = unused(folder.with_name(f"{folder.name}.{why}-{at.strftime(_MOMENT)}"))
    with disk_errors():
        folder.rename(aside)
        sync_directory(folder.parent)
    return aside


def quarantined(folder: Path) -> tuple[datetime, ...]:
    """Return when a damaged `folder` was set aside, oldest first, while that folder is there."""
    prefix = f"{folder.name}.{QUARANTINED}-"
    moments = []
    for aside in folder.parent.glob(f"{prefix}*"):
        stamp = aside.name.removeprefix(prefix).split("-")[0]
        try:
            moments.append(datetime.strptime(stamp, _MOMENT).replace(tzinfo=UTC))
        except ValueError:
            continue  # a folder that somebody named so
    return tuple(sorted(moments))


def unused(path: Path) -> Path:
    """Return `path`, or a name beside it that nothing has: a clock set back repeats a moment."""
    names = (path.with_name(f"{path.name}-{number}") for number in range(2, 1_000_000))
    return path if not path.exists() else next(name for name in names if not name.exists())


def sync_file(path: Path) -> None:
    """Make the content of one file durable."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ready(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.ready")
