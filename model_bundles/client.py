"""Fetches releases: the side with a clock. Freshness first, then only the missing bytes.

python-tuf's ngclient runs the TUF client workflow; around it are the things it leaves to us:
the embedded root as the only anchor, fsync, a process lock, floors that outlive its files.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tuf.api import exceptions as tuf_errors
from tuf.api.metadata import Metadata, Root, TargetFile, Timestamp
from tuf.ngclient import FetcherInterface, Updater

from ddx.domain.course import OnProgress, StoppedError
from model_bundles import blobs, chain, files, layout, verify
from model_bundles.clock import TrustedClock, signed_at
from model_bundles.errors import (
    BundleBlockedError,
    BundleError,
    BundleExpiredError,
    BundleMalformedError,
    BundleOfflineError,
    BundleRejectedError,
    BundleRollbackError,
    BundleTamperedError,
    BundleWithdrawnError,
)
from model_bundles.floors import FileFloors, Floors
from model_bundles.local import RepositoryLocation
from model_bundles.manifest import Release
from model_bundles.orders import MAX_ORDERS_BYTES, ORDERS_PATH, read_orders
from model_bundles.plan import plan
from model_bundles.rollout import BASIS_POINTS, ChannelOffer, Rollout, read_offer
from model_bundles.slots import FreshRelease, Slots
from model_bundles.verify import Trust, VerifiedBundle

_SHORT_LIVED: Final = "timestamp"


@dataclass(frozen=True, slots=True)
class Device:
    """Who asks. id: the device's own; site: the clinic's, None where it has none."""

    id: str
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a channel offers. download_bytes: what `fetch` would transfer, at most."""

    version: str
    digest: str
    download_bytes: int

    @property
    def release(self) -> Release:
        """Version and digest together."""
        return Release(self.version, self.digest)


class BundleClient:
    """Talks to one repository on behalf of one device.

    state_dir: the client's own memory (metadata, floors), apart from the slots.
    fetcher: how bytes travel; timeouts, retries, proxy, resumption and budget are its business.
    clock: what is known of the time besides this machine's clock. device: who this device is to
    a rollout; None is in no cohort short of everybody.
    """

    def __init__(
        self,
        trust: Trust,
        state_dir: Path,
        repository: RepositoryLocation,
        fetcher: FetcherInterface,
        channel: str = "stable",
        *,
        floors: Floors | None = None,
        clock: TrustedClock | None = None,
        device: Device | None = None,
    ) -> None:
        layout.channel_path(channel)
        self._trust, self._state, self._repository = trust, state_dir, repository
        self._fetcher, self._channel = _Metered(fetcher), channel
        self._floors = floors or FileFloors(state_dir / "floors.json")
        self._clock = clock or TrustedClock(self._floors)
        self._device = device

    @property
    def clock(self) -> TrustedClock:
        """What this client holds for the time."""
        return self._clock

    def offered(
        self, slots: Slots | None = None, sources: Sequence[VerifiedBundle] = ()
    ) -> Offer | None:
        """Ask the repository what the channel offers this device.

        slots: when given, orders of the safety role are kept there, None is returned for the
        release that is active, stopped or was taken back here, and `download_bytes` counts only
        what the slots do not hold. sources: other bundles at hand, whose files are not fetched.

        Raises:
            BundleOfflineError: not reachable. BundleBusyError: another process is at it.
            BundleExpiredError, BundleRollbackError, BundleTamperedError: it cannot be trusted.
        """
        with self._session() as updater:
            target = updater.get_targetinfo(layout.channel_path(self._channel))
            signed = self._accept(updater)
            if slots is not None:
                self._take_orders(updater, signed, slots)
            if target is None:
                return None
            content = self._document(updater, target, layout.MAX_CHANNEL_BYTES)
            release = self._offered_here(read_offer(content, self._channel), slots)
            if release is None or (slots is not None and not _wanted(slots, release)):
                return None
            verify.manifest_target(signed, release)
            listed = signed.under(release.version)
            whole = [t for t in listed if not layout.is_patch(release.version, t.path)]
            missing = _missing(whole, slots, sources)
            return Offer(release.version, release.digest, _total(missing))

    def fetch(
        self,
        offer: Offer,
        slots: Slots,
        on_progress: OnProgress | None = None,
        sources: Sequence[VerifiedBundle] = (),
    ) -> VerifiedBundle:
        """Bring what `slots` lacks of `offer`, verify all of it and stage it.

        A member is copied where one of the `sources` (or of the slots) has it, rebuilt from a
        patch where one has its older content, and else downloaded whole. Interrupted, it keeps
        the files that were complete; called again, it goes on from them.

        Raises:
            BundleWithdrawnError: the repository no longer holds the offer.
            BundleRollbackError, BundleRejectedError: see `Slots.check_acceptable`.
            BundleError: as `offered`; BundleStorageError when the disk refused.
        """
        slots.check_acceptable(offer.release)
        with self._session() as updater:
            updater.get_targetinfo(layout.manifest_path(offer.version))  # refreshes, with the role
            signed = self._accept(updater)
            self._take_orders(updater, signed, slots)
            slots.check_acceptable(offer.release)
            target = signed.find(layout.manifest_path(offer.version))
            if target is None or blobs.sha256_of(target) != offer.digest:
                raise BundleWithdrawnError(f"release {offer.version} is no longer offered")
            with self._fetcher.telling(on_progress):
                self._bring(updater, signed, offer.release, slots, (*slots.held(), *sources))
            return slots.stage(FreshRelease(offer.release, self._kept_metadata(signed)))

    def document(self, path: str, limit: int) -> bytes | None:
        """Return a small signed target, fresh from the repository; None where it names none.

        Raises:
            BundleMalformedError: longer than `limit` bytes. BundleError: as `offered`.
        """
        with self._session() as updater:
            target = self._other_target(updater, path)
            return None if target is None else self._document(updater, target, limit)

    def bring(
        self, path: str, into: Path, limit: int, on_progress: OnProgress | None = None
    ) -> TargetFile:
        """Write a signed target of any size to the file `into`, verified; return what was signed.

        Raises:
            BundleWithdrawnError: the repository does not name it.
            BundleMalformedError: longer than `limit` bytes. BundleError: as `offered`.
        """
        with self._session() as updater:
            target = self._other_target(updater, path)
            if target is None:
                raise BundleWithdrawnError(f"{path} is no longer offered")
            if target.length > limit:
                raise BundleMalformedError(f"{path} of {target.length} bytes")
            into.parent.mkdir(parents=True, exist_ok=True)
            with self._fetcher.telling(on_progress):
                self._fetcher.expect(target.length)
                updater.download_target(target, str(into))
            files.sync_folder(into.parent)
            return target

    @contextmanager
    def _session(self) -> Iterator[Updater]:
        lock = self._state / "client.lock"
        with files.storage_errors(), files.process_lock(lock), _tuf_errors():
            self._metadata.mkdir(parents=True, exist_ok=True)
            updater = Updater(
                str(self._metadata),
                self._repository.metadata_url,
                str(self._state / "targets"),
                self._repository.targets_url,
                fetcher=self._fetcher,
                bootstrap=self._trust.root,
            )
            # Expiry is judged by the trusted time: a clock set back does not revive old metadata.
            updater._trusted_set.reference_time = self._clock.now()  # noqa: SLF001
            yield updater

    def _other_target(self, updater: Updater, path: str) -> TargetFile | None:
        """Return a target of a role beside those of bundles, once all of them are accepted."""
        target = updater.get_targetinfo(path)
        updater.get_targetinfo(layout.channel_path(self._channel))  # fetches the models role
        self._accept(updater)
        return target

    @property
    def _metadata(self) -> Path:
        return self._state / "metadata"

    def _accept(self, updater: Updater) -> chain.SignedTargets:
        """Make the refreshed metadata durable, refuse it below the floors, raise the floors."""
        updater.get_targetinfo(ORDERS_PATH)  # fetches the safety role, where there is one
        files.sync_tree(self._metadata)
        signed = self._signed()
        timestamp = self._timestamp()
        name = chain.floor_name(_SHORT_LIVED, signed.root.roles[_SHORT_LIVED].keyids)
        versions = {**signed.floors(), name: timestamp.version}
        remembered = self._floors.read()
        for role_keys, version in versions.items():
            floor = remembered.get(role_keys, (0,))[0]
            if version < floor:
                role = role_keys.partition("@")[0]
                raise BundleRollbackError(f"{role} {version}", f"{role} {floor}")
        self._floors.raise_to({name: (version,) for name, version in versions.items()})
        self._clock.saw(timestamp.expires, signed_at(timestamp))
        return signed

    def _signed(self) -> chain.SignedTargets:
        root = chain.root_chain(self._trust.root, self._root_reader())
        return chain.signed_targets(root, lambda role: _whole(self._metadata / f"{role}.json"))

    def _root_reader(self) -> chain.RootBytes:
        """Roots up to the one the updater ended at; it leaves files it refused lying about."""
        current = Metadata[Root].from_file(str(self._metadata / "root.json")).signed.version
        roots = self._metadata / "root_history"
        return lambda n: _whole(roots / f"{n}.root.json") if n <= current else None

    def _timestamp(self) -> Timestamp:
        content = _whole(self._metadata / f"{_SHORT_LIVED}.json")
        if content is None:
            raise BundleTamperedError("timestamp metadata vanished while it was read")
        return Metadata[Timestamp].from_bytes(content).signed

    def _take_orders(self, updater: Updater, signed: chain.SignedTargets, slots: Slots) -> None:
        target = signed.find(ORDERS_PATH)
        if target is None:
            return
        read = read_orders(self._document(updater, target, MAX_ORDERS_BYTES))
        read.check_published(signed)
        slots.take_orders(read)

    def _offered_here(self, offer: ChannelOffer, slots: Slots | None) -> Release | None:
        """Return what this device is offered; what it took once it keeps (sticky)."""
        if slots is not None and offer.release == slots.active_release():
            return offer.release
        if offer.rollout is None or self._admitted(offer.rollout):
            return offer.release
        before = offer.rollout.before
        if before is not None and slots is not None and slots.is_older(before):
            return None  # this device is past what the others are offered meanwhile
        return before

    def _admitted(self, rollout: Rollout) -> bool:
        if self._device is None:
            return rollout.sites is None and rollout.basis_points == BASIS_POINTS
        return rollout.admits(self._device.id, self._device.site)

    def _document(self, updater: Updater, target: TargetFile, limit: int) -> bytes:
        if target.length > limit:
            raise BundleMalformedError(f"{target.path} of {target.length} bytes")
        found = updater.find_cached_target(target) or updater.download_target(target)
        return Path(found).read_bytes()

    def _bring(
        self,
        updater: Updater,
        signed: chain.SignedTargets,
        release: Release,
        slots: Slots,
        sources: Sequence[VerifiedBundle],
    ) -> None:
        listed = verify.manifest_target(signed, release)
        if not slots.blobs.holds(listed):
            slots.blobs.put(listed, self._content(updater, listed))
        manifest = verify.signed_manifest(signed, release, slots.blobs)
        steps = plan(signed, manifest, slots.blobs, sources)
        self._fetcher.expect(sum(step.download_bytes for step in steps))
        for step in steps:
            step.take(slots.blobs, lambda target: self._content(updater, target))

    def _content(self, updater: Updater, target: TargetFile) -> bytes:
        """Return the bytes of a target, downloaded and verified."""
        incoming = self._state / "incoming"
        updater.download_target(target, str(incoming))
        content = incoming.read_bytes()
        target.verify_length_and_hashes(content)
        incoming.unlink()
        return content

    def _kept_metadata(self, signed: chain.SignedTargets) -> dict[str, bytes]:
        names = {f"{role}.json": f"{role}.json" for role in ("targets", *signed.delegated)}
        for version in range(1, signed.root.version + 1):
            names[f"{version}.root.json"] = f"root_history/{version}.root.json"
        contents = {kept: _whole(self._metadata / source) for kept, source in names.items()}
        return {kept: content for kept, content in contents.items() if content is not None}


def _wanted(slots: Slots, release: Release) -> bool:
    if release == slots.active_release():
        return False
    try:
        slots.check_acceptable(release)
    except (BundleRejectedError, BundleBlockedError):
        return False
    return True


def _missing(
    targets: Sequence[TargetFile], slots: Slots | None, sources: Sequence[VerifiedBundle]
) -> list[TargetFile]:
    return [
        target
        for target in targets
        if (slots is None or not slots.blobs.holds(target))
        and all(source.stored(target) is None for source in sources)
    ]


def _total(targets: list[TargetFile]) -> int:
    return sum(target.length for target in targets)


def _whole(path: Path) -> bytes | None:
    return files.read_bounded(path, chain.MAX_TARGETS_BYTES)


class _Metered(FetcherInterface):
    """Passes bytes on from another fetcher, counts them, and names its failures alike."""

    def __init__(self, inner: FetcherInterface) -> None:
        self._inner = inner
        self._received, self._total = 0, 0
        self._on_progress: OnProgress | None = None

    @contextmanager
    def telling(self, on_progress: OnProgress | None) -> Iterator[None]:
        """Count from zero, and tell `on_progress` from when it is known what to expect."""
        self._received, self._total, self._on_progress = 0, 0, on_progress
        try:
            yield
        finally:
            self._on_progress = None

    def expect(self, more_bytes: int) -> None:
        """Expect `more_bytes` after those that came."""
        self._total = self._received + more_bytes
        if self._received:
            self._tell()

    def _tell(self) -> None:
        if self._on_progress is not None and self._total:
            self._on_progress(min(self._received, self._total), self._total)

    def _fetch(self, url: str) -> Iterator[bytes]:
        chunks = self._inner.fetch(url)
        while (chunk := self._next(chunks)) is not None:
            self._received += len(chunk)
            self._tell()
            yield chunk

    @staticmethod
    def _next(chunks: Iterator[bytes]) -> bytes | None:
        try:
            return next(chunks, None)
        except (tuf_errors.DownloadError, BundleError, StoppedError):
            raise
        except Exception as error:  # any HTTP library may be underneath
            raise tuf_errors.DownloadError("the transfer broke off") from error


@contextmanager
def _tuf_errors() -> Iterator[None]:
    """Turn the errors of python-tuf into ours, by whose fault they are."""
    try:
        yield
    except tuf_errors.ExpiredMetadataError as error:
        raise BundleExpiredError(f"the repository is out of date: {error}") from error
    except tuf_errors.BadVersionNumberError as error:
        raise BundleRollbackError(f"an older repository ({error})", "a newer one") from error
    except tuf_errors.DownloadLengthMismatchError as error:
        raise BundleTamperedError(f"more bytes than were signed: {error}") from error
    except tuf_errors.DownloadError as error:
        raise BundleOfflineError(f"the repository cannot be reached: {error}") from error
    except tuf_errors.RepositoryError as error:
        raise BundleTamperedError(f"the repository does not verify: {error}") from error
