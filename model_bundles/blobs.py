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

from model_bundles import compression, files
from model_bundles.errors import BundleTamperedError
from model_bundles.manifest import check_sha256


class StoredFiles(Protocol):
    """Read access to the stored bytes of signed targets."""

    def locate(self, target: TargetFile) -> Path:
        """Return where the bytes of `target` should be."""

    def rebuilt(self, raw_sha256: str) -> Path | None:
        """Return where a member rebuilt from a patch would be; None where there are none."""


def sha256_of(target: TargetFile) -> str:
    """Return the SHA-256 (hex) that was signed for `target`; raise BundleTamperedError."""
    digest = target.hashes.get("sha256")
    if digest is None:
        raise BundleTamperedError(f"{target.path} is signed without a SHA-256")
    check_sha256(digest)
    return digest


def rebuilt_name(raw_sha256: str) -> str:
    """Return the file name of a rebuilt member in a `BlobStore`."""
    check_sha256(raw_sha256)
    return f"{raw_sha256}.raw"


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

    def rebuilt(self, raw_sha256: str) -> Path | None:  # noqa: ARG002 (the port's)
        """Return None: in a repository every file is the one that was signed."""
        return None


@dataclass(frozen=True, slots=True)
class BlobStore:
    """Stored bytes by their SHA-256, shared by all releases of a device.

    <sha256>        a signed target as it was published
    <sha256>.raw    a member rebuilt from a patch, by the hash of its raw bytes; compressed
                    here, for no other machine's compression need give the signed bytes
    """

    folder: Path

    def locate(self, target: TargetFile) -> Path:
        """Return where the bytes of `target` should be."""
        return self.folder / sha256_of(target)

    def rebuilt(self, raw_sha256: str) -> Path | None:
        """Return where the member with that hash would be, had it been rebuilt here."""
        return self.folder / rebuilt_name(raw_sha256)

    def put_rebuilt(self, raw_sha256: str, raw: bytes) -> None:
        """Keep a member the caller has held to `raw_sha256`, which a signed manifest names."""
        files.write_durably(self.folder / rebuilt_name(raw_sha256), compression.pack_quickly(raw))

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

    def keep_only(self, names: Collection[str]) -> None:
        """Remove every blob whose file name is not in `names`, half-written files too."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name not in names:
                with suppress(OSError):  # a file in use on Windows goes next time
                    path.unlink()
