"""How a device comes by each member of a release: by copying, by a patch, or whole.

A plan is made once the manifest is verified; nothing of it is trusted. Whatever a step brings is
held to the hash that was signed, and a patch that does not give the signed bytes is forgotten for
the whole file.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tuf.api.metadata import TargetFile

from model_bundles import compression, layout, verify
from model_bundles.blobs import BlobStore
from model_bundles.chain import SignedTargets
from model_bundles.errors import BundleError, BundleTamperedError
from model_bundles.manifest import Manifest, Member
from model_bundles.verify import VerifiedBundle

Download = Callable[[TargetFile], bytes]
"""Returns the verified bytes of a target. Raises BundleError and TUF's errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The very same stored file lies in another bundle on this device."""

    target: TargetFile
    source: VerifiedBundle

    @property
    def download_bytes(self) -> int:
        """Nothing travels."""
        return 0

    def take(self, store: BlobStore, download: Download) -> None:
        """Copy the file, or download it if the source has been damaged meanwhile."""
        content = self.source.stored(self.target)
        store.put(self.target, download(self.target) if content is None else content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The file is downloaded."""

    target: TargetFile

    @property
    def download_bytes(self) -> int:
        """Bytes that travel."""
        return self.target.length

    def take(self, store: BlobStore, download: Download) -> None:
        """Download the file."""
        store.put(self.target, download(self.target))


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """The member's older content lies in another bundle, and a patch leads from it."""

    target: TargetFile
    member: Member
    patch: TargetFile
    source: VerifiedBundle

    @property
    def download_bytes(self) -> int:
        """Bytes that travel if the patch holds."""
        return self.patch.length

    def take(self, store: BlobStore, download: Download) -> None:
        """Download the patch and rebuild the member, or download the whole file after all."""
        patch = download(self.patch)
        try:
            raw = compression.apply_patch(
                self.source.peek(self.member.name), patch, self.member.length
            )
        except BundleError:  # the old member is damaged here, or the patch is none
            raw = b""
        if hashlib.sha256(raw).hexdigest() == self.member.sha256:
            store.put_rebuilt(self.member.sha256, raw)
        else:
            store.put(self.target, download(self.target))


Step = Copy | Whole | Patch


def plan(
    signed: SignedTargets,
    manifest: Manifest,
    store: BlobStore,
    sources: Sequence[VerifiedBundle],
) -> tuple[Step, ...]:
    """Return how to come by every member that `store` lacks. Raises BundleTamperedError."""
    targets = verify.member_targets(signed, manifest)
    return tuple(
        _step(signed, manifest.version, member, targets[member.name], sources)
        for member in manifest.members
        if not _held(store, targets[member.name], member)
    )


def _held(store: BlobStore, target: TargetFile, member: Member) -> bool:
    """Return whether the member is here, intact to its last byte."""
    if store.holds(target):
        return True
    try:
        stored = verify.read_member(store, target, member)
        raw = compression.unpack(stored, member.length)
    except BundleTamperedError:
        return False
    return hashlib.sha256(raw).hexdigest() == member.sha256


def _step(
    signed: SignedTargets,
    version: str,
    member: Member,
    target: TargetFile,
    sources: Sequence[VerifiedBundle],
) -> Step:
    for source in sources:
        if source.stored(target) is not None:
            return Copy(target=target, source=source)
    for source in sources:
        patch = _patch_from(source, signed, version, member)
        if patch is not None and patch.length < target.length:
            return Patch(target=target, member=member, patch=patch, source=source)
    return Whole(target=target)


def _patch_from(
    source: VerifiedBundle, signed: SignedTargets, version: str, member: Member
) -> TargetFile | None:
    """Return the signed patch from what `source` holds to `member`; the same bytes need none."""
    old = source.member(member.name)
    if old is None or old.length + member.length > layout.MAX_PATCHED_BYTES:
        return None
    return signed.find(layout.patch_path(version, old.sha256, member.sha256))
