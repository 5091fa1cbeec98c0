"""A publisher, its repository on loopback, and a device on which a release serves: attacked."""

import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from support.bundle_workshop import BundleWorkshop
from support.onnx_models import model
from support.tiny_engine import TinyEngine, tiny_members
from tuf.api.metadata import Metadata, MetaFile, Targets

from ddx.domain.artifacts import COMMON_MODEL, GOLDEN_CASES
from ddx.domain.wire import case_from_json
from ddx.inference.session import ModelSession
from desktop.services.shelf import CLIENT_STATE, SLOTS, DeviceShelf
from model_bundles import selftest, stick
from model_bundles.authoring.keys import KeyRing, Policy, RolePolicy
from model_bundles.client import BundleClient
from model_bundles.compression import pack
from model_bundles.local import RepositoryLocation
from model_bundles.manifest import Release, write_channel, write_manifest
from model_bundles.slots import Slots
from model_bundles.verify import VerifiedBundle, open_verified
from sync_service.client.fetcher import HttpxFetcher

POLICY: Policy = {
    "root": RolePolicy(keys=3, threshold=2, lifetime_days=730),
    "targets": RolePolicy(keys=3, threshold=2, lifetime_days=365),
    "models": RolePolicy(keys=3, threshold=2, lifetime_days=400),
    "safety": RolePolicy(keys=2, threshold=1, lifetime_days=30),
    "snapshot": RolePolicy(keys=1, threshold=1, lifetime_days=7),
    "timestamp": RolePolicy(keys=1, threshold=1, lifetime_days=3),
}
SHIPPED, SERVING, NEXT = "2026.10.1", "2026.11.1", "2026.11.2"
STALL_S = 0.2
"""Longest silence the attacked client's link allows; nothing asserts it."""

ORIGINS = {"slot": "active", "default": "embedded"}

Serve = Callable[[http.server.BaseHTTPRequestHandler], None]


class NothingInstalledError(Exception):
    """The client saw no offer: the attack had no effect."""


class CarefulEngine(TinyEngine):
    """The small engine; it loads the common model as the real one does before it answers."""

    @classmethod
    def from_artifacts(cls, artifacts) -> "CarefulEngine":
        ModelSession.from_bytes(artifacts.read(COMMON_MODEL))
        return cls(artifacts=artifacts)


def honest_members(**changed: bytes) -> dict[str, bytes]:
    """Return the members of a small release whose engine and golden case are real."""
    return tiny_members() | {COMMON_MODEL: model()} | changed


@dataclass
class Arena:
    """One device of one publisher: SERVING is active, NEXT is about to be published.

    tricks: end of an address -> how the server misbehaves there.
    """

    folder: Path
    url: str = ""
    tricks: dict[str, Serve] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.publisher = BundleWorkshop(self.folder / "publisher", POLICY)
        self.publisher.publish(SHIPPED, honest_members())
        self.shipped = self.folder / "shipped"
        shutil.copytree(self.publisher.repository, self.shipped)
        self.publisher.publish(SERVING, honest_members())
        self.data = self.folder / "device"
        self.slots_folder, self.state = self.data / SLOTS, self.data / CLIENT_STATE
        self.released = threading.Event()

    def install_first(self) -> None:
        """Bring the device to SERVING, over loopback."""
        self.update()

    @property
    def repository(self) -> Path:
        """The folder the server hands out."""
        return self.publisher.repository

    @property
    def metadata(self) -> Path:
        """Its metadata folder."""
        return self.repository / "metadata"

    @property
    def slots(self) -> Slots:
        """The device's slots, read anew."""
        return Slots(self.slots_folder, self.publisher.trust)

    @property
    def embedded(self) -> VerifiedBundle:
        """What came with the application."""
        return open_verified(self.shipped, self.publisher.trust)

    def publish_next(self, **changed: bytes) -> None:
        """Publish NEXT, honestly."""
        self.publisher.publish(NEXT, honest_members(**changed))

    def update(self) -> VerifiedBundle:
        """Offer, download, verify, stage, self-test, activate: as a device does. Raises."""
        with httpx.Client(timeout=60, verify=False) as link:
            return self._updated(self._client(link))

    def update_impatiently(self) -> VerifiedBundle:
        """The same over a link that gives a silent server up soon."""
        with httpx.Client(timeout=STALL_S, verify=False) as link:
            return self._updated(self._client(link))

    def update_timed(self, **bounds: Any) -> VerifiedBundle:
        """The same with bounds of a slow download that fit a test. bounds: of `HttpxFetcher`."""
        with httpx.Client(timeout=60, verify=False) as link:
            return self._updated(self._client(link, **bounds))

    def update_from_stick(self, folder: Path) -> VerifiedBundle:
        """The same from a USB stick."""
        return self._updated(stick.client_of(folder, self.publisher.trust, self.state))

    def carry(self) -> Path:
        """Write an honest stick with what is offered; return where its targets lie."""
        usb = self.folder / "usb"
        usb.mkdir(exist_ok=True)
        stick.export(self.repository, usb, self.publisher.trust)
        return usb / stick.FOLDER / "targets"

    @property
    def usb(self) -> Path:
        """The stick."""
        return self.folder / "usb"

    def _client(self, link: httpx.Client, **bounds: Any) -> BundleClient:
        place = RepositoryLocation(f"{self.url}/metadata/", f"{self.url}/targets/")
        fetcher = HttpxFetcher(link, sleep=lambda seconds: None, **bounds)
        return BundleClient(self.publisher.trust, self.state, place, fetcher)

    def _updated(self, client: BundleClient) -> VerifiedBundle:
        slots = self.slots
        offer = client.offered(slots)
        if offer is None:
            raise NothingInstalledError
        client.fetch(offer, slots)
        staged = slots.staged()
        assert staged is not None
        try:
            selftest.run(staged, CarefulEngine.from_artifacts)
        except Exception:
            slots.discard_staged(reject=True)
            raise
        return slots.activate()

    def diagnosis(self) -> tuple[str, str]:
        """Return where the bundle that answers came from, and its version, after it has answered.

        What a start of the application does, by the application's own shelf: choose, verify, load;
        then every byte is read and the golden case diagnosed, whose recorded answer must come out.
        """
        shelf = DeviceShelf(
            self.data,
            CarefulEngine.from_artifacts,
            trust=self.publisher.trust,
            open_embedded=lambda: self.embedded,
        )
        bundle = shelf._serving.bundle
        bundle.check_every_member()
        (golden,) = json.loads(bundle.read(GOLDEN_CASES))
        answer = shelf.engine.diagnose(case_from_json(golden["case"]))
        expected = golden["differential"]["top"]
        assert [[c.disease, c.probability] for c in answer.candidates] == expected
        assert answer.bundle_digest == bundle.digest
        return ORIGINS[shelf.status.source], bundle.version

    # What attackers do.

    def newest(self, pattern: str) -> Path:
        """Return the newest file of the repository that matches."""
        return self.publisher.find(pattern)

    def stranger(self) -> BundleWorkshop:
        """Return another publisher, all keys its own, who offers 2099.1.1."""
        other = BundleWorkshop(self.folder / "stranger", POLICY)
        other.publish("2099.1.1", honest_members())
        return other

    def stolen(self, *roles: str, count: int = 1) -> KeyRing:
        """Return `count` keys of each role, as if stolen."""
        return KeyRing({role: self.publisher.keys.signers(role)[:count] for role in roles})

    def edited(self, path: Path, change: Callable, keys: KeyRing, role: str) -> bytes:
        """Return the metadata in `path`, changed, signed by whatever keys of `role` were stolen."""
        metadata = Metadata.from_file(str(path))
        change(metadata.signed)
        metadata.signatures.clear()
        for signer in keys.signers(role):
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def publish_heads(self, keys: KeyRing, meta: dict[str, bytes]) -> None:
        """With stolen snapshot and timestamp keys, name these role files (`<n>.<role>.json`)."""
        head, snapshot = self.publisher.writer.heads()
        for name, content in meta.items():
            number, role = name.split(".", 1)
            (self.metadata / name).write_bytes(content)
            snapshot.meta[role] = MetaFile.from_data(int(number), content, ["sha256"])
        snapshot.version += 1
        signed = Metadata(snapshot)
        signed.sign(keys.signers("snapshot")[0])
        content = signed.to_bytes()
        (self.metadata / f"{snapshot.version}.snapshot.json").write_bytes(content)
        head.version += 1
        head.snapshot_meta = MetaFile.from_data(snapshot.version, content, ["sha256"])
        top = Metadata(head)
        top.sign(keys.signers("timestamp")[0])
        (self.metadata / "timestamp.json").write_bytes(top.to_bytes())

    def sign_carelessly(
        self, stored: dict[str, bytes], version: str = NEXT, *, manifest: bytes | None = None
    ) -> None:
        """Let the true holders of `models` sign whatever is given: the worst they could do."""
        writer = self.publisher.writer
        content = stored[f"{version}/manifest.json"] if manifest is None else manifest
        release = Release(version, hashlib.sha256(content).hexdigest())
        channel = {"channels/stable.json": write_channel("stable", release)}
        at = datetime.now(UTC).replace(microsecond=0)
        models: Targets = writer._current("models")
        writer._add(models, {**stored, f"{version}/manifest.json": content, **channel}, at)


def stored_release(version: str = NEXT, **changed: bytes) -> dict[str, bytes]:
    """Return target path -> stored bytes of an honest release."""
    members = honest_members(**changed)
    manifest = write_manifest(members, version=version, created_at=datetime.now(UTC))
    packed = {f"{version}/{name}.zst": pack(raw) for name, raw in members.items()}
    return {f"{version}/manifest.json": manifest.content, **packed}


@contextmanager
def arena(folder: Path) -> Iterator[Arena]:
    """Open an arena whose repository is served on loopback, with SERVING installed."""
    made = Arena(folder)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs) -> None:
            super().__init__(*args, directory=str(made.repository), **kwargs)

        def do_GET(self) -> None:
            for ending, trick in made.tricks.items():
                if self.path.endswith(ending):
                    with suppress(OSError):  # the client hung up, as it should
                        trick(self)
                    return
            super().do_GET()

        def log_message(self, *args) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_port}"
        try:
            made.install_first()
            yield made
        finally:
            made.released.set()
            server.shutdown()
            thread.join()
