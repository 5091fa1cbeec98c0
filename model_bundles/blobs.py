"""Where the stored bytes of a release lie: a repository's targets, or our blob store.

Both give the bytes of a signed target or an error: the bytes returned are the bytes that were
hashed, so a file changed between two reads, a link or a swapped name changes nothing.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import TargetFile

from model_bundles import files
from model_bundles.errors import BundleTamperedError
from model_bundles.manifest import check_sha256


class StoredFiles(Protocol):
    """Read access to the stored bytes of signed targets."""

    def locate(self, target: TargetFile) -> Path:
        """Return where the bytes of `target` should be."""


def sha256_of(target: TargetFile) -> str:
    """Return the SHA-256 (hex) that was signed for `target`; raise BundleTamperedError."""
    digest = target.hashes.get("sha256")
    if digest is None:
        raise BundleTamperedError(f"{target.path} is signed without a SHA-256")
    check_sha256(digest)
    return digest


def read_target(stored: StoredFiles, target: TargetFile) -> bytes:
    """Return the signed bytes of `target`. Raises BundleTamperedError for any others."""
    content = files.read_bounded(stored.locate(target), target.length)
    if content is None:
        raise BundleTamperedError(f"{target.path} is missing")
    try:
        target.verify_length_and_hashes(content)
    except LengthOrHashMismatchError as error:
        raise BundleTamperedError(f"{target.path} is not what was signed") from error
    return content


def check_present(stored: StoredFiles, target: TargetFile) -> None:
    """Return if a file of the signed length is there; raise BundleTamperedError otherwise."""
    try:
        length = stored.locate(target).stat().st_size
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BundleTamperedError(f"{target.path} is missing") from error
    if length != target.length:
        raise BundleTamperedError(f"{target.path} has {length} bytes, {target.length} signed")


@dataclass(frozen=True, slots=True)
class RepositoryFiles:
    """The targets folder of a repository with consistent snapshots: `<dir>/<sha256>.<name>`."""

    folder: Path

    def locate(self, target: TargetFile) -> Path:
        """Return where the bytes of `target` should be."""
        parent, _, name = target.path.rpartition("/")
        if any(part in {"", ".", ".."} for part in (*parent.split("/"), name)):
            raise BundleTamperedError(f"not a target path: {target.path[:80]!r}")
        return self.folder / parent / f"{sha256_of(target)}.{name}"


@dataclass(frozen=True, slots=True)
class BlobStore:
    """Stored bytes by their SHA-256, shared by all releases of a device."""

    folder: Path

    def locate(self, target: TargetFile) -> Path:
        """Return where the bytes of `target` should be."""
        return self.folder / sha256_of(target)

    def holds(self, target: TargetFile) -> bool:
        """Return whether the bytes of `target` are here and intact (they are hashed)."""
        try:
            read_target(self, target)
        except BundleTamperedError:
            return False
        return True

    def put(self, target: TargetFile, content: bytes) -> None:
        """Keep `content`, which the caller has verified against `target`."""
        files.write_durably(self.locate(target), content)

    def keep_only(self, digests: Collection[str]) -> None:
        """Remove every blob whose SHA-256 is not in `digests`, half-written files too."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name not in digests:
                with suppress(OSError):  # a file in use on Windows goes next time
                    path.unlink()
