"""The releases on this device: active, previous, staged, and the atomic switch between them.

    <directory>/pointer.json            which release holds which role; the only switch
    <directory>/floors.json             the highest version ever activated
    <directory>/orders.json             the safety role's orders in force, where there are any
    <directory>/health.json             what went wrong with the release that serves
    <directory>/releases/<v>-<digest>/  release.json + the long-lived signed metadata
    <directory>/blobs/<sha256>          stored files, shared by all releases

A release folder is complete and verified before the pointer names it, and is never changed
while the pointer does, so a crash at any moment leaves the active release as it was.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ddx.domain.canonical import canonical_json
from model_bundles import files, layout, verify
from model_bundles.blobs import BlobStore
from model_bundles.errors import (
    BundleBlockedError,
    BundleError,
    BundleMalformedError,
    BundleRejectedError,
    BundleRollbackError,
    BundleStateError,
    NoSuchReleaseError,
)
from model_bundles.floors import BUNDLE, ORDERS, FileFloors, Floors
from model_bundles.health import Health, HealthFile
from model_bundles.manifest import Release, check_sha256, read_canonical
from model_bundles.orders import (
    MAX_ORDERS_BYTES,
    Orders,
    OrdersMemory,
    newer,
    read_orders,
    write_orders,
)
from model_bundles.verify import Trust, VerifiedBundle

_REJECTED_KEPT: Final = 20
_MAX_POINTER_BYTES: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """Which release holds which role. rejected: digests this device went back from."""

    active: Release | None = None
    previous: Release | None = None
    staged: Release | None = None
    rejected: tuple[str, ...] = ()

    @property
    def releases(self) -> tuple[Release, ...]:
        """Every release that must stay on the disk."""
        return tuple(r for r in (self.active, self.previous, self.staged) if r is not None)

    def to_bytes(self) -> bytes:
        """Return the pointer as canonical JSON."""
        roles = {"active": self.active, "previous": self.previous, "staged": self.staged}
        named = {role: release.to_json() if release else None for role, release in roles.items()}
        return canonical_json({"format": 1, **named, "rejected": list(self.rejected)})

    @classmethod
    def from_bytes(cls, content: bytes) -> "Pointer":
        """Return the pointer `content` spells. Raises BundleStateError."""
        try:
            raw = read_canonical(content)
            for digest in raw["rejected"]:
                check_sha256(digest)
            return cls(
                active=_release(raw["active"]),
                previous=_release(raw["previous"]),
                staged=_release(raw["staged"]),
                rejected=tuple(raw["rejected"]),
            )
        except (BundleMalformedError, KeyError, TypeError) as error:
            raise BundleStateError("the pointer to the active bundle cannot be read") from error


def _stopped(orders: Orders, release: Release) -> bool:
    sent_away = any(order.release == release for order in orders.downgrades)
    return sent_away or orders.blocks_release(release.digest) is not None


def _sent_back(orders: Orders | None, active: Release | None, release: Release) -> bool:
    """Return whether the safety role sends a device here that serves `active`.

    active: None where what ships with the application serves, of which this memory knows nothing.
    """
    if orders is None:
        return False
    if active is None:
        return any(order.to == release for order in orders.downgrades)
    return orders.destination(active) == release


def _release(raw: Mapping[str, Any] | None) -> Release | None:
    return None if raw is None else Release.from_json(raw)


@dataclass(frozen=True, slots=True)
class FreshRelease:
    """A release out of a repository that was fresh a moment ago; made by `client` only.

    metadata: file name -> bytes of the metadata to keep beside it (roots, targets, delegated).
    """

    release: Release
    metadata: Mapping[str, bytes]


class Slots:
    """Active, previous and staged release in one directory of this device.

    floors: where the highest activated version is remembered; a file here when not given.
    memory: keeps the safety role's orders too, and is believed before the file here.
    Every bundle handed out is opened and verified anew.
    """

    def __init__(
        self,
        directory: Path,
        trust: Trust,
        floors: Floors | None = None,
        memory: OrdersMemory | None = None,
    ) -> None:
        self._directory, self._trust, self._memory = directory, trust, memory
        self._floors = floors or FileFloors(directory / "floors.json")
        self._health = HealthFile(directory / "health.json")
        self.blobs = BlobStore(directory / verify.BLOBS_FOLDER)

    def active(self) -> VerifiedBundle | None:
        """Return the release that serves, or None on a new device. Raises BundleError."""
        return self._open(self._pointer().active)

    def active_release(self) -> Release | None:
        """Return which release serves, without opening it. Raises BundleStateError."""
        return self._pointer().active

    def previous_release(self) -> Release | None:
        """Return which release `rollback` would go back to. Raises BundleStateError."""
        return self._pointer().previous

    def previous(self) -> VerifiedBundle | None:
        """Return the release `rollback` would go back to, or None. Raises BundleError."""
        return self._open(self._pointer().previous)

    def staged_folder(self) -> Path:
        """Return the folder of the staged release. Raises NoSuchReleaseError."""
        staged = self._pointer().staged
        if staged is None:
            raise NoSuchReleaseError("nothing is staged")
        return self._folder(staged)

    def staged(self) -> VerifiedBundle | None:
        """Return the release that waits for `activate`, or None. Raises BundleError."""
        return self._open(self._pointer().staged)

    def held(self) -> tuple[VerifiedBundle, ...]:
        """Return active and previous release, those of them that verify."""
        found = []
        for opening in (self.active, self.previous):
            with suppress(BundleError):  # what is damaged is no source of anything
                found.append(opening())
        return tuple(bundle for bundle in found if bundle is not None)

    def orders(self) -> Orders | None:
        """Return the safety role's orders in force, or None.

        Raises:
            BundleStateError: this device had orders, and they are damaged, older or gone; the
                next contact with a repository brings them back.
        """
        floor = self._floors.read().get(ORDERS, (0,))[0]
        with files.storage_errors():
            content = files.read_bounded(self._orders_path, MAX_ORDERS_BYTES)
        try:
            kept = None if content is None else read_orders(content)
        except BundleError as error:
            raise BundleStateError("the orders kept on this device cannot be read") from error
        if (0 if kept is None else kept.number) < floor:
            raise BundleStateError("the orders kept on this device are gone")
        return kept

    @property
    def orders_number(self) -> int:
        """Number of the orders in force; 0 for none, or damaged ones."""
        try:
            orders = self.orders()
        except BundleError:
            return 0
        return 0 if orders is None else orders.number

    def take_orders(self, read: Orders) -> None:
        """Keep orders that were read from a repository, unless newer ones are kept already.

        Raises:
            BundleRollbackError: this device has followed newer ones, and they are gone.
        """
        with self._changing():
            here, remembered = self._orders_here(), self._remembered()
            floor = self._floors.read().get(ORDERS, (0,))[0]
            best = newer(remembered or self._vouched_for(here, floor), read)
            if best is None or best.number < floor:
                raise BundleRollbackError(f"orders {read.number}", f"orders {floor}")
            if self._memory is not None and remembered != best:
                self._memory.keep_orders(write_orders(best))
            if here != best:
                files.write_durably(self._orders_path, write_orders(best))
            if floor < best.number:
                self._floors.raise_to({ORDERS: (best.number,)})

    def recall_orders(self) -> bool:
        """Bring the orders the memory holds back to the file here; return whether it had others."""
        with self._changing():
            remembered = self._remembered()
            if remembered is None or remembered == self._orders_here():
                return False
            files.write_durably(self._orders_path, write_orders(remembered))
            return True

    def _orders_here(self) -> Orders | None:
        """Return what the file here says, None where it cannot be read."""
        with suppress(BundleError):
            content = files.read_bounded(self._orders_path, MAX_ORDERS_BYTES)
            return None if content is None else read_orders(content)
        return None

    def _remembered(self) -> Orders | None:
        """Return what the memory holds, None where it is nothing we can read."""
        with suppress(BundleError):
            content = None if self._memory is None else self._memory.orders()
            return None if content is None else read_orders(content)
        return None

    def _vouched_for(self, here: Orders | None, floor: int) -> Orders | None:
        """Return the orders in the file unless a memory that holds none knows of no such number."""
        forged = self._memory is not None and here is not None and here.number > floor
        return None if forged else here

    def health(self, release: Release) -> Health:
        """Return what went wrong with an installed release since it began to serve."""
        return self._health.read(release.digest)

    def note(self, health: Health) -> None:
        """Keep the health of the release that serves. Raises BundleStorageError."""
        self._health.write(health)

    def is_older(self, release: Release) -> bool:
        """Return whether `release` is below what this device has accepted."""
        floor = self._floor(self._pointer())
        return floor is not None and layout.version_key(release.version) < layout.version_key(floor)

    def check_acceptable(self, release: Release) -> None:
        """Return if `release` may be installed here.

        Raises:
            BundleBlockedError: the safety role has stopped it, or sent devices back from it.
            BundleRollbackError: older than the highest version ever activated, or the same
                version with another content; unless the safety role sends this device there.
            BundleRejectedError: this device went back from it once.
        """
        pointer, orders = self._pointer(), self.orders()
        if orders is not None and _stopped(orders, release):
            raise BundleBlockedError(f"release {release.version} was stopped by the safety role")
        if release == pointer.active or _sent_back(orders, pointer.active, release):
            return
        floor = self._floor(pointer)
        if floor is not None:
            newest = layout.version_key(floor)
            offered = layout.version_key(release.version)
            same_name = pointer.active is not None and release.version == pointer.active.version
            if offered < newest or same_name:
                raise BundleRollbackError(release.version, floor)
        if release.digest in pointer.rejected:
            raise BundleRejectedError(f"release {release.version} was taken back on this device")

    def stage(self, fresh: FreshRelease) -> VerifiedBundle:
        """Verify `fresh`, every byte of it, and keep it beside the active release.

        Its stored files must be in `blobs` already. A release that is active already is
        returned as it is and nothing is staged.

        Raises:
            BundleRollbackError, BundleRejectedError: see `check_acceptable`.
            BundleTamperedError: a file missing or not what was signed.
            BundleStorageError: the disk refused.
        """
        with self._changing():
            self.check_acceptable(fresh.release)
            pointer = self._pointer()
            if fresh.release == pointer.active:
                return self._existing(pointer.active)
            if pointer.staged is not None:
                pointer = self._point(replace(pointer, staged=None))
            self._write_release(fresh)
            bundle = self._existing(fresh.release)
            bundle.check_every_member()
            self._point(replace(pointer, staged=fresh.release))
            self._sweep()
            return bundle

    def activate(self) -> VerifiedBundle:
        """Let the staged release serve; the one before it stays for `rollback`.

        Run `selftest.run` on `staged()` first.

        Raises:
            NoSuchReleaseError: nothing is staged.
            BundleError: the staged release no longer verifies; the active one stays.
        """
        with self._changing():
            pointer = self._pointer()
            if pointer.staged is None:
                raise NoSuchReleaseError("nothing is staged")
            self.check_acceptable(pointer.staged)
            bundle = self._existing(pointer.staged)
            self._floors.raise_to({BUNDLE: layout.version_key(bundle.version)})
            self._point(
                replace(pointer, active=pointer.staged, previous=pointer.active, staged=None)
            )
            return bundle

    def rollback(self) -> VerifiedBundle:
        """Go back to the previous release, verified again; the one left is not taken again.

        The version floor stays where it is.

        Raises:
            NoSuchReleaseError: there is no previous release.
            BundleError: the previous release no longer verifies; the active one stays.
        """
        with self._changing():
            pointer = self._pointer()
            if pointer.previous is None or pointer.active is None:
                raise NoSuchReleaseError("no previous release to go back to")
            bundle = self._existing(pointer.previous)
            bundle.check_every_member()
            rejected = (*pointer.rejected, pointer.active.digest)[-_REJECTED_KEPT:]
            self._point(Pointer(active=pointer.previous, rejected=rejected))
            return bundle

    def leave(self, release: Release) -> None:
        """Serve with `release` no more and never take it again; the version floor stays.

        Where it was active, the previous release takes its place if it verifies to the last
        byte; else nothing is active, and what ships with the application serves.
        """
        with self._changing():
            pointer = self._pointer()
            previous = None if pointer.previous == release else pointer.previous
            active = pointer.active
            if active == release:
                active, previous = self._sound(previous), None
            rejected = (*pointer.rejected, release.digest)[-_REJECTED_KEPT:]
            self._point(replace(pointer, active=active, previous=previous, rejected=rejected))

    def _sound(self, release: Release | None) -> Release | None:
        try:
            bundle = self._open(release)
            if bundle is not None:
                bundle.check_every_member()
        except BundleError:
            return None
        return release

    def discard_staged(self, *, reject: bool) -> None:
        """Forget the staged release. reject: it failed its self-test, never take it again."""
        with self._changing():
            pointer = self._pointer()
            if pointer.staged is None:
                return
            digests = (pointer.staged.digest,) if reject else ()
            rejected = (*pointer.rejected, *digests)[-_REJECTED_KEPT:]
            self._point(replace(pointer, staged=None, rejected=rejected))

    def never_below(self, version: str) -> None:
        """Refuse from now on whatever is older than `version` (what the application ships)."""
        key = layout.version_key(version)
        with files.storage_errors():
            if self._floors.read().get(BUNDLE, ()) < key:
                with self._changing():
                    self._floors.raise_to({BUNDLE: key})

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with files.storage_errors(), files.process_lock(self._directory / "slots.lock"):
            yield

    def _floor(self, pointer: Pointer) -> str | None:
        remembered = self._floors.read().get(BUNDLE)
        versions = [".".join(map(str, remembered))] if remembered else []
        versions += [pointer.active.version] if pointer.active else []
        return max(versions, key=layout.version_key, default=None)

    def _pointer(self) -> Pointer:
        with files.storage_errors():
            content = files.read_bounded(self._pointer_path, _MAX_POINTER_BYTES)
        return Pointer() if content is None else Pointer.from_bytes(content)

    def _point(self, pointer: Pointer) -> Pointer:
        files.write_durably(self._pointer_path, pointer.to_bytes())
        return pointer

    @property
    def _orders_path(self) -> Path:
        return self._directory / "orders.json"

    @property
    def _pointer_path(self) -> Path:
        return self._directory / "pointer.json"

    def _folder(self, release: Release) -> Path:
        return self._directory / "releases" / f"{release.version}-{release.digest[:16]}"

    def _open(self, release: Release | None) -> VerifiedBundle | None:
        return None if release is None else self._existing(release)

    def _existing(self, release: Release) -> VerifiedBundle:
        bundle = verify.open_verified(self._folder(release), self._trust)
        if bundle.release != release:
            raise BundleStateError(f"{bundle.version} lies where {release.version} should")
        return bundle

    def _write_release(self, fresh: FreshRelease) -> None:
        folder = self._folder(fresh.release)
        if folder.exists():
            shutil.rmtree(folder)
        for name, content in fresh.metadata.items():
            files.write_durably(folder / verify.METADATA_FOLDER / name, content)
        hint = canonical_json(fresh.release.to_json())
        files.write_durably(folder / verify.RELEASE_FILE, hint)
        files.sync_tree(folder)
        files.sync_folder(folder.parent)

    def _sweep(self) -> None:
        """Remove releases and blobs that no role needs; only after a successful `stage`."""
        pointer = self._pointer()
        kept = {self._folder(release).name for release in pointer.releases}
        for folder in (self._directory / "releases").iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        needed: set[str] = set()
        for release in pointer.releases:
            needed |= self._existing(release).stored_names
        self.blobs.keep_only(needed)
