"""Encrypted backups: a folder with the database, the key slots and what they must hash to.

`<place>/vereda-20261123T120000000000Z/` holds `clinic.db`, `keys.json` and `backup.json`. The
database is encrypted under the same data key as the store, so the slots of that day open it: a
clinician's passphrase of then (on the same device, if bound to it) or the recovery key of then.

Several clinics may keep their backups in one place, a disk of the network say: each counts,
rotates and sweeps its own and no other's.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ddx.domain.course import UNWATCHED, Course
from ddx.domain.identifiers import RecordId, record_id
from ddx.errors import DdxError
from desktop.store.errors import BackupUnusableError
from desktop.store.files import disk_errors, sync_directory, write_atomically
from desktop.store.layout import DATABASE, SLOTS
from desktop.store.swap import sync_file, unused

MANIFEST: Final = "backup.json"
PREFIX: Final = "vereda-"
UNFINISHED: Final = ".unfinished-"
_FORMAT: Final = 1
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Owner:
    """The clinic a backup is of, as its manifest says. name: for whoever looks for a backup."""

    clinic: RecordId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup on disk. made_at: UTC. size: bytes of the database.

    owner: None for one that does not say whose it is; it is never rotated away.
    """

    folder: Path
    owner: Owner | None
    made_at: datetime
    size: int


def write_backup(
    place: Path,
    owner: Owner,
    made_at: datetime,
    fill: Callable[[Path], None],
    verify: Callable[[Path], None],
    *,
    course: Course = UNWATCHED,
) -> Backup:
    """Write one backup into `place` and return it, or leave nothing.

    fill: writes `clinic.db` and `keys.json` into the folder it is given. verify: opens that
    database again and raises StoreError if it is not sound. The folder gets its name, by one
    rename, only after it was read back, verified and hashed.

    Raises:
        StoreFullError, StoreError: no backup was made; earlier ones stand.
    """
    folder = unused(place / f"{PREFIX}{made_at:%Y%m%dT%H%M%S%fZ}")
    workshop = place / f"{_unfinished(owner)}{folder.name}"
    try:
        with disk_errors():
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            _forget_unfinished(place, owner)
            workshop.mkdir(mode=0o700)
            fill(workshop)
            verify(workshop / DATABASE)
            hashes = {name: digest(workshop / name, course) for name in (DATABASE, SLOTS)}
            course.last_step()
            for name in hashes:
                sync_file(workshop / name)
            size = (workshop / DATABASE).stat().st_size
            _write_manifest(workshop, owner, made_at, size, hashes)
            workshop.rename(folder)
            sync_directory(place)
    except BaseException:
        shutil.rmtree(workshop, ignore_errors=True)
        raise
    return Backup(folder=folder, owner=owner, made_at=made_at, size=size)


def backups_in(place: Path, clinic: RecordId | None = None) -> tuple[Backup, ...]:
    """Return the finished backups in `place`, newest first; any other folder is passed over.

    clinic: only those of this one.
    """
    if not place.is_dir():
        return ()
    found = []
    for folder in place.glob(f"{PREFIX}*"):
        try:
            found.append(_described(folder, _manifest(folder)))
        except BackupUnusableError:
            continue
    wanted = (b for b in found if clinic is None or (b.owner and b.owner.clinic == clinic))
    return tuple(sorted(wanted, key=lambda b: b.made_at, reverse=True))


def verified(folder: Path, course: Course = UNWATCHED) -> Backup:
    """Return the backup in `folder` once every byte matches its manifest.

    Raises BackupUnusableError naming the file that does not.
    """
    manifest = _manifest(folder)
    for name in (DATABASE, SLOTS):
        path = folder / name
        if not path.is_file() or digest(path, course) != manifest["sha256"].get(name):
            raise BackupUnusableError(f"{name} of the backup is missing or altered")
    return _described(folder, manifest)


def rotate(made: Backup, clinic: RecordId, keep: int) -> int:
    """Remove all of `clinic` but `made` and the `keep` - 1 newest others; return how many went.

    `made` stays even when the clock was set back and it looks old.
    """
    own = backups_in(made.folder.parent, clinic)
    others = [backup for backup in own if backup.folder != made.folder]
    old = others[max(1, keep) - 1 :]
    for backup in old:
        shutil.rmtree(backup.folder, ignore_errors=True)
    return len(old)


def digest(path: Path, course: Course = UNWATCHED) -> str:
    """Return the SHA-256 of a file, read in pieces. Told of in bytes."""
    reading, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            reading.update(piece)
            done += len(piece)
            course.at(done, total)
    return reading.hexdigest()


def _unfinished(owner: Owner) -> str:
    return f"{UNFINISHED}{owner.clinic}-"


def _forget_unfinished(place: Path, owner: Owner) -> None:
    for left in place.glob(f"{_unfinished(owner)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _write_manifest(
    folder: Path, owner: Owner, made_at: datetime, size: int, hashes: Mapping[str, str]
) -> None:
    content = {
        "format": _FORMAT,
        "clinic": {"id": owner.clinic, "name": owner.name},
        "made_at": made_at.isoformat(),
        "size": size,
        "sha256": dict(hashes),
    }
    write_atomically(folder / MANIFEST, json.dumps(content, indent=1).encode())


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        raw = json.loads((folder / MANIFEST).read_bytes())
        if raw["format"] != _FORMAT or not isinstance(raw["sha256"], dict):
            raise BackupUnusableError("the backup was written by another version")
        datetime.fromisoformat(raw["made_at"])
        int(raw["size"])
        _owner(raw)
    except (OSError, KeyError, TypeError, ValueError, AttributeError, DdxError) as error:
        raise BackupUnusableError("the backup has no readable manifest") from error
    else:
        return dict(raw)


def _described(folder: Path, manifest: Mapping[str, Any]) -> Backup:
    return Backup(
        folder=folder,
        owner=_owner(manifest),
        made_at=datetime.fromisoformat(manifest["made_at"]),
        size=int(manifest["size"]),
    )


def _owner(manifest: Mapping[str, Any]) -> Owner | None:
    told = manifest.get("clinic")
    return None if told is None else Owner(record_id(told["id"]), str(told["name"]))


def copied(backup: Backup, target: Path, course: Course = UNWATCHED) -> None:
    """Copy database and slots of a backup into `target`, told of in bytes.

    Raises StoreError, StoreFullError.
    """
    with disk_errors():
        for name in (DATABASE, SLOTS):
            _copy(backup.folder / name, target / name, course)


def _copy(source: Path, target: Path, course: Course) -> None:
    done, total = 0, source.stat().st_size
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(_CHUNK):
            writing.write(piece)
            done += len(piece)
            course.at(done, total)
