"""Bytes -> VerifiedBundle, or a BundleError. There is no other way in.

`BundleClient`, `Offer` and `RepositoryLocation` live in `client` and are reachable from here;
they load on first use, so that opening a bundle does not pay for an HTTP library.
"""

import hashlib
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from tuf.api.metadata import TargetFile

from model_bundles import blobs, chain, compression, files, layout
from model_bundles.blobs import BlobStore, RepositoryFiles, StoredFiles
from model_bundles.errors import (
    BundleMalformedError,
    BundleMemberMissingError,
    BundleTamperedError,
)
from model_bundles.manifest import (
    Manifest,
    Member,
    Release,
    check_usable,
    read_canonical,
    read_channel,
    read_manifest,
)

if TYPE_CHECKING:
    from model_bundles.client import BundleClient, Offer
    from model_bundles.local import RepositoryLocation

__all__ = [
    "BundleClient",
    "Offer",
    "RepositoryLocation",
    "Trust",
    "VerifiedBundle",
    "open_verified",
]

RELEASE_FILE: Final = "release.json"
"""In an installed release: which release it should be. A hint; the signatures decide."""
BLOBS_FOLDER: Final = "blobs"
METADATA_FOLDER: Final = "metadata"
TARGETS_FOLDER: Final = "targets"
_MAX_RELEASE_BYTES: Final = 4096
_SEAL: Final = object()


def __getattr__(name: str) -> Any:
    if name in {"BundleClient", "Offer", "RepositoryLocation"}:
        from model_bundles import client  # noqa: PLC0415 - see the module's docstring

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@dataclass(frozen=True, slots=True)
class Trust:
    """Where trust begins: the bytes of the root metadata that came with the application.

    offline: the first root of the separate repository for sticks, where there is one.
    """

    root: bytes = field(repr=False)
    offline: bytes | None = field(repr=False, default=None)

    def root_of(self, metadata: Path) -> bytes:
        """Return the root that judges a metadata folder.

        That of the repository for sticks where the folder begins with it, else the usual one: a
        folder that begins with anything else is judged, and refused, by the usual one.
        """
        if self.offline is not None:
            first = files.read_bounded(metadata / "1.root.json", chain.MAX_ROOT_BYTES)
            if first == self.offline:
                return self.offline
        return self.root


@final
class VerifiedBundle:
    """A bundle whose signatures reach our root and whose every byte is checked when read.

    Satisfies `ddx.domain.artifacts.Artifacts`. Made by `open_verified` only. Safe to share
    between threads.
    """

    __slots__ = ("_files", "_lock", "_manifest", "_members", "_raw", "_release", "_targets")

    def __init__(
        self,
        seal: object,
        manifest: Manifest,
        targets: Mapping[str, TargetFile],
        stored: StoredFiles,
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("a VerifiedBundle is made by open_verified only")
        self._manifest, self._targets, self._files = manifest, targets, stored
        self._release = manifest.release
        self._members = {member.name: member for member in manifest.members}
        self._raw: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"VerifiedBundle({self.version}, {self.digest[:12]})"

    @property
    def version(self) -> str:
        """Version, e.g. `2026.11.1`."""
        return self._manifest.version

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical manifest."""
        return self._release.digest

    @property
    def release(self) -> Release:
        """Version and digest together."""
        return self._release

    @property
    def created_at(self) -> datetime:
        """When the bundle was built, UTC."""
        return self._manifest.created_at

    @property
    def members(self) -> tuple[str, ...]:
        """Names of all members, sorted."""
        return tuple(self._members)

    @property
    def size_bytes(self) -> int:
        """Stored (compressed) bytes of all members: what lies on the disk."""
        return sum(target.length for target in self._targets.values())

    @property
    def stored_names(self) -> frozenset[str]:
        """Names in a `BlobStore` of every file this bundle may consist of, the manifest too."""
        members = (blobs.sha256_of(target) for target in self._targets.values())
        rebuilt = (blobs.rebuilt_name(member.sha256) for member in self._members.values())
        return frozenset((self.digest, *members, *rebuilt))

    @property
    def manifest(self) -> Manifest:
        """The manifest that was verified."""
        return self._manifest

    def member(self, name: str) -> Member | None:
        """Return hash and length of a member, or None."""
        return self._members.get(name)

    def peek(self, name: str) -> bytes:
        """Return the raw bytes of one member without keeping them. Raises as `read` does."""
        if name not in self._members:
            raise BundleMemberMissingError(name, self.version)
        return self._unpack(self._members[name])

    def stored(self, target: TargetFile) -> bytes | None:
        """Return the bytes of `target` if this bundle was published with the very same file."""
        for mine in self._targets.values():
            if mine.length == target.length and mine.hashes == target.hashes:
                with suppress(BundleTamperedError):  # rebuilt here, or damaged: download it
                    return blobs.read_target(self._files, mine)
        return None

    def read(self, name: str) -> bytes:
        """Return the raw bytes of one member, hashed on first read and then kept until `let_go`.

        Raises:
            BundleMemberMissingError: the bundle has no such member.
            BundleTamperedError: the stored file is gone or is not what was signed.
        """
        with self._lock:
            if name not in self._raw:
                if name not in self._members:
                    raise BundleMemberMissingError(name, self.version)
                self._raw[name] = self._unpack(self._members[name])
            return self._raw[name]

    def let_go(self) -> None:
        """Keep no member in memory any longer: the next read takes it from the disk again."""
        with self._lock:
            self._raw.clear()

    def check_every_member(self) -> None:
        """Read and hash every member, keeping none. Raises BundleTamperedError."""
        for member in self._members.values():
            self._unpack(member)

    def _unpack(self, member: Member) -> bytes:
        with files.storage_errors():
            stored = read_member(self._files, self._targets[member.name], member)
        raw = compression.unpack(stored, member.length)
        if hashlib.sha256(raw).hexdigest() != member.sha256:
            raise BundleTamperedError(f"{member.name} is not what the manifest names")
        return raw


def open_verified(directory: Path, trust: Trust, *, channel: str = "stable") -> VerifiedBundle:
    """Return the bundle in `directory`, verified up to the bytes of its members.

    directory: an installed release (see `slots`) or a repository (`metadata/`, `targets/`), of
    which the release that `channel` offers is opened. Signatures, manifest and the presence of
    every member are checked now, the bytes of a member when it is first read. Expiry is not
    looked at: an old bundle goes on serving.

    Raises:
        BundleTamperedError: anything missing, changed, or not signed up to `trust`.
        BundleMalformedError, BundleIncompatibleError: signed, but not a bundle we can use.
        BundleStorageError: the disk cannot be read.
    """
    with files.storage_errors():
        hint = files.read_bounded(directory / RELEASE_FILE, _MAX_RELEASE_BYTES)
        if hint is not None:
            return _open_installed(directory, trust, _release_of(hint))
        metadata = directory / METADATA_FOLDER
        signed = chain.repository_targets(metadata, trust.root_of(metadata))
        stored = RepositoryFiles(directory / TARGETS_FOLDER)
        return open_release(signed, offered_release(signed, stored, channel), stored)


def _open_installed(directory: Path, trust: Trust, release: Release) -> VerifiedBundle:
    metadata = directory / METADATA_FOLDER
    signed = chain.installed_targets(metadata, trust.root_of(metadata))
    store = BlobStore(directory.parent.parent / BLOBS_FOLDER)
    return open_release(signed, release, store)


def _release_of(hint: bytes) -> Release:
    try:
        return Release.from_json(read_canonical(hint))
    except BundleMalformedError as error:
        raise BundleTamperedError(f"{RELEASE_FILE} cannot be read") from error


def offered_release(signed: chain.SignedTargets, stored: StoredFiles, channel: str) -> Release:
    """Return the release that `channel` offers in a repository. Raises BundleTamperedError."""
    target = signed.find(layout.channel_path(channel))
    if target is None:
        raise BundleTamperedError(f"no channel {channel} is signed")
    _check_length(target, layout.MAX_CHANNEL_BYTES)
    return read_channel(blobs.read_target(stored, target), channel)


def open_release(
    signed: chain.SignedTargets, release: Release, stored: StoredFiles
) -> VerifiedBundle:
    """Return `release` out of the signed targets, its stored files found in `stored`.

    Raises as `open_verified` does.
    """
    manifest = signed_manifest(signed, release, stored)
    targets = member_targets(signed, manifest)
    for member in manifest.members:
        if not _rebuilt_here(stored, member):
            blobs.check_present(stored, targets[member.name])
    return VerifiedBundle(_SEAL, manifest, targets, stored)


def read_member(stored: StoredFiles, target: TargetFile, member: Member) -> bytes:
    """Return the compressed bytes of one member, as signed or as rebuilt here from a patch.

    What was rebuilt is held to the member's own hash once it is unpacked, as all members are.
    Raises BundleTamperedError.
    """
    path = stored.rebuilt(member.sha256)
    if path is not None and not stored.locate(target).is_file():
        rebuilt = files.read_bounded(path, layout.MAX_MEMBER_BYTES)
        if rebuilt is not None:
            return rebuilt
    return blobs.read_target(stored, target)


def _rebuilt_here(stored: StoredFiles, member: Member) -> bool:
    path = stored.rebuilt(member.sha256)
    return path is not None and path.is_file()


def manifest_target(signed: chain.SignedTargets, release: Release) -> TargetFile:
    """Return the signed target of a release's manifest. Raises BundleTamperedError."""
    target = signed.find(layout.manifest_path(release.version))
    if target is None or blobs.sha256_of(target) != release.digest:
        raise BundleTamperedError(f"release {release.version} {release.digest[:12]} is not signed")
    _check_length(target, layout.MAX_MANIFEST_BYTES)
    return target


def signed_manifest(signed: chain.SignedTargets, release: Release, stored: StoredFiles) -> Manifest:
    """Return the manifest of `release`. Raises as `open_verified` does."""
    manifest = read_manifest(blobs.read_target(stored, manifest_target(signed, release)))
    if manifest.version != release.version:
        raise BundleTamperedError(f"manifest of {manifest.version} in place of {release.version}")
    check_usable(manifest)
    return manifest


def member_targets(signed: chain.SignedTargets, manifest: Manifest) -> dict[str, TargetFile]:
    """Return member name -> signed target of its stored file. Raises BundleTamperedError."""
    targets = {}
    for member in manifest.members:
        target = signed.find(layout.member_path(manifest.version, member.name))
        if target is None:
            raise BundleTamperedError(f"{member.name} of {manifest.version} is not signed")
        _check_length(target, layout.MAX_MEMBER_BYTES)
        targets[member.name] = target
    return targets


def _check_length(target: TargetFile, limit: int) -> None:
    if target.length > limit:
        raise BundleTamperedError(f"{target.path} has {target.length} bytes, at most {limit}")
