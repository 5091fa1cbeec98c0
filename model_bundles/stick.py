"""A repository carried by hand: written to a stick, and read from one by the very same client.

    <stick>/vereda-bundles/metadata/, targets/    as on a server, only what a channel offers

A stick is read with the suspicion due to a server, and more: on a disk a name may also be a link
to somewhere else. So nothing on it but plain files and folders is accepted, before any of it is
verified. Which root speaks for it is decided by the root it begins with: that of the repository
for sticks (fresh for 180 days) where this application has one, else the usual one.
"""

import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from model_bundles import blobs, chain, files, layout, verify
from model_bundles.errors import BundleMalformedError, BundleTamperedError
from model_bundles.local import LOCAL, LocalFetcher
from model_bundles.orders import ORDERS_PATH
from model_bundles.verify import METADATA_FOLDER, TARGETS_FOLDER, Trust, VerifiedBundle

if TYPE_CHECKING:
    from model_bundles.client import BundleClient

FOLDER: Final = "vereda-bundles"
MAX_ENTRIES: Final = 20_000
"""Files and folders on a stick we look at; one release and its metadata are under a hundred."""
_OFFLINE_STATE: Final = "sticks"


def repository_on(folder: Path) -> Path:
    """Return the repository in `folder`: the folder itself or its `vereda-bundles`.

    Raises:
        BundleMalformedError: there is none.
        BundleTamperedError: something on it is neither a plain file nor a folder.
    """
    for candidate in (folder / FOLDER, folder):
        if (candidate / METADATA_FOLDER).is_dir():
            with files.storage_errors():
                check_plain(candidate)
            return candidate
    raise BundleMalformedError(f"no bundles in {folder.name or folder}; look for {FOLDER}")


def check_plain(repository: Path) -> None:
    """Return if `repository` holds plain files and folders only, none of them linked elsewhere.

    Raises:
        BundleTamperedError: a symlink, a hard link, a device, or more than MAX_ENTRIES entries.
    """
    for count, entry in enumerate(_entries(repository)):
        found = entry.lstat()
        if count >= MAX_ENTRIES:
            raise BundleTamperedError(f"more than {MAX_ENTRIES} files")
        if stat.S_ISDIR(found.st_mode) and not _leads_elsewhere(entry):
            continue
        if not stat.S_ISREG(found.st_mode):
            raise BundleTamperedError(f"{entry.name} is a link, or no file at all")
        if found.st_nlink > 1:
            raise BundleTamperedError(f"{entry.name} is a hard link")


def client_of(
    folder: Path,
    trust: Trust,
    state_dir: Path,
    channel: str = "stable",
    **more: Any,
) -> "BundleClient":
    """Return the client of the repository in `folder`. more: as `BundleClient` takes it.

    state_dir: the client's memory of the usual repository; that of the repository for sticks
    lies below it, since the two count apart.

    Raises as `repository_on`.
    """
    from model_bundles.client import BundleClient  # noqa: PLC0415 - loads an HTTP library

    repository = repository_on(folder)
    root = trust.root_of(repository / METADATA_FOLDER)
    state = state_dir if root == trust.root else state_dir / _OFFLINE_STATE
    return BundleClient(Trust(root), state, LOCAL, LocalFetcher(repository), channel, **more)


def export(
    repository: Path,
    folder: Path,
    trust: Trust,
    channel: str = "stable",
    *,
    metadata: Path | None = None,
) -> VerifiedBundle:
    """Write what `channel` of a repository offers to a stick; return it, verified on the stick.

    metadata: that of another repository over the same targets, to write in place of its own: the
    application ships one for sticks (`embedded.stick_metadata`).

    What lay in the stick's `vereda-bundles` is replaced. The copy is read as a device would,
    expiry included, so that nobody carries a stick that will be refused.

    Raises:
        BundleExpiredError: it is past its date; get a fresh copy of the repository.
        BundleError: it does not verify. BundleStorageError: the stick refused.
    """
    repository = repository_on(repository)
    metadata = metadata or repository / METADATA_FOLDER
    signed = chain.repository_targets(metadata, trust.root_of(metadata))
    stored = blobs.RepositoryFiles(repository / TARGETS_FOLDER)
    release = verify.offered_release(signed, stored, channel)
    wanted = [signed.find(layout.channel_path(channel)), signed.find(ORDERS_PATH)]
    with files.storage_errors():
        fresh = Path(tempfile.mkdtemp(prefix=".vereda-", dir=folder))
        try:
            shutil.copytree(metadata, fresh / METADATA_FOLDER)
            copy = blobs.RepositoryFiles(fresh / TARGETS_FOLDER)
            for target in (*signed.under(release.version), *filter(None, wanted)):
                files.write_durably(copy.locate(target), blobs.read_target(stored, target))
            _check_as_a_device(fresh, trust, channel)
            _open_to_all(fresh)
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
            fresh.rename(folder / FOLDER)
            files.sync_folder(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return verify.open_verified(folder / FOLDER, trust, channel=channel)


def _check_as_a_device(repository: Path, trust: Trust, channel: str) -> None:
    """Return if a new device would install from `repository`; raise BundleError otherwise."""
    with tempfile.TemporaryDirectory() as state:
        client_of(repository, trust, Path(state), channel).offered()
    verify.open_verified(repository, trust, channel=channel).check_every_member()


def _open_to_all(folder: Path) -> None:
    """Let every account read a stick: nothing on it is secret."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _entries(folder: Path) -> Iterator[Path]:
    """Every file and folder below `folder`, links and junctions not followed."""
    waiting = [folder]
    while waiting:
        for entry in waiting.pop().iterdir():
            yield entry
            if entry.is_dir() and not _leads_elsewhere(entry):
                waiting.append(entry)


def _leads_elsewhere(entry: Path) -> bool:
    """Whether `entry` is a symlink, or a junction of Windows, which is a folder to `lstat`."""
    return entry.is_symlink() or entry.resolve() != entry.parent.resolve() / entry.name
