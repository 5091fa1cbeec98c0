"""A small real publisher for tests: signs, tampers, expires, rolls back. Real keys, real TUF."""

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tuf.ngclient import FetcherInterface

from ddx.domain import artifacts
from model_bundles import layout
from model_bundles.authoring.build import BuiltBundle, build_bundle
from model_bundles.authoring.keys import KeyRing, Policy, RolePolicy
from model_bundles.authoring.repository import Repository
from model_bundles.client import BundleClient
from model_bundles.local import LOCAL, LocalFetcher
from model_bundles.rollout import Rollout
from model_bundles.slots import Slots
from model_bundles.verify import Trust, VerifiedBundle, open_verified

SMALL_POLICY: Policy = {
    "root": RolePolicy(keys=2, threshold=2, lifetime_days=730),
    "targets": RolePolicy(keys=1, threshold=1, lifetime_days=365),
    "models": RolePolicy(keys=2, threshold=2, lifetime_days=400),
    "safety": RolePolicy(keys=2, threshold=1, lifetime_days=30),
    "snapshot": RolePolicy(keys=1, threshold=1, lifetime_days=7),
    "timestamp": RolePolicy(keys=1, threshold=1, lifetime_days=3),
}
"""The house's roles with fewer keys, so that a workshop opens in milliseconds."""

CREATED_AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
GOLDEN = [
    {
        "case": {"age_days": 365, "sex": "female", "findings": [], "vitals": {}},
        "differential": {"top": [["OMIM:154700", 0.5], ["VD:influenza", 0.25]]},
    }
]


def small_members(**changed: bytes) -> dict[str, bytes]:
    """Return the required members with little in them.

    changed: by the stem of the file, `common=b"..."` for `models/common.onnx`.
    """
    members = {name: f"content of {name}\n".encode() * 40 for name in sorted(layout.REQUIRED)}
    members[artifacts.GOLDEN_CASES] = json.dumps(GOLDEN).encode()
    stems = {Path(name).stem: name for name in members}
    return members | {stems[stem]: content for stem, content in changed.items()}


class CountingFetcher(FetcherInterface):
    """Counts what travels, and breaks the link on demand.

    requests: addresses asked for, in order. received: bytes handed over.
    break_after: bytes after which the link breaks; None never. offline: refuse everything.
    """

    def __init__(self, inner: FetcherInterface) -> None:
        self.inner = inner
        self.requests: list[str] = []
        self.received = 0
        self.break_after: int | None = None
        self.offline = False

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.requests.append(url)
        if self.offline:
            raise ConnectionError("no link")
        for chunk in self.inner.fetch(url):
            for start in range(0, len(chunk), 512):
                piece = chunk[start : start + 512]
                self.received += len(piece)
                if self.break_after is not None and self.received > self.break_after:
                    raise ConnectionResetError("the link broke")
                yield piece


@dataclass
class BundleWorkshop:
    """A publisher with its own keys and repository in `folder`.

        workshop = BundleWorkshop(tmp_path / "publisher")
        workshop.publish("2026.11.1")
        workshop.install(slots)

    trust: what a device embeds. repository: the folder with `metadata/` and `targets/`.
    """

    folder: Path
    policy: Policy = field(default_factory=lambda: SMALL_POLICY)

    def __post_init__(self) -> None:
        self.keys = KeyRing.generate(self.folder / "keys", self.policy)
        self.repository = self.folder / "repository"
        self.writer = Repository(self.repository, self.keys, self.policy)
        self.trust: Trust = self.writer.initialise()
        self._copies = itertools.count()

    def publish(
        self,
        version: str = "2026.11.1",
        members: Mapping[str, bytes] | None = None,
        *,
        channel: str = "stable",
        at: datetime | None = None,
        min_app_version: str = layout.APP_VERSION,
        rollout: Rollout | None = None,
    ) -> BuiltBundle:
        """Build, sign and offer a release; small members unless given."""
        built = build_bundle(
            small_members() if members is None else members,
            version,
            CREATED_AT,
            min_app_version=min_app_version,
        )
        self.writer.publish(built, channel, at, rollout=rollout)
        return built

    def signed(self, version: str = "2026.11.1") -> VerifiedBundle:
        """Publish a small release and return it, opened and verified."""
        self.publish(version)
        return self.opened()

    def opened(self, channel: str = "stable") -> VerifiedBundle:
        """Return what the channel offers, opened out of the repository folder."""
        return open_verified(self.repository, self.trust, channel=channel)

    def offer_older(self, version: str) -> None:
        """Point the channel back at a published version: a rollback with valid signatures."""
        self.writer.offer(version)

    def expire(self, *, days_ago: int = 30) -> None:
        """Sign snapshot and timestamp as of `days_ago`, so that both are past their date."""
        self.writer.renew(datetime.now(UTC) - timedelta(days=days_ago))

    def renew(self) -> None:
        """Sign snapshot and timestamp as of now."""
        self.writer.renew()

    def files(self) -> list[Path]:
        """Return every file of the repository, sorted."""
        return sorted(path for path in self.repository.rglob("*") if path.is_file())

    def find(self, pattern: str) -> Path:
        """Return the newest file of the repository that matches a glob pattern."""
        found = sorted(self.repository.glob(pattern), key=lambda p: (p.stat().st_mtime_ns, p.name))
        if not found:
            raise FileNotFoundError(pattern)
        return found[-1]

    def tamper(self, pattern: str, *, offset: int = -20, mask: int = 0x01) -> Path:
        """Change one byte of a file that matches `pattern`; return the file."""
        path = self.find(pattern)
        flip(path, offset=offset, mask=mask)
        return path

    def keep(self) -> Path:
        """Copy the repository as it is now, to be replayed later."""
        copy = self.folder / f"kept-{next(self._copies)}"
        shutil.copytree(self.repository, copy)
        return copy

    def replay(self, kept: Path) -> None:
        """Put a kept repository back: every signature valid, everything old."""
        shutil.rmtree(self.repository)
        shutil.copytree(kept, self.repository)

    def fetcher(self) -> CountingFetcher:
        """Return a fetcher of this repository that counts and can break."""
        return CountingFetcher(LocalFetcher(self.repository))

    def slots(self, directory: Path) -> Slots:
        """Return the slots of a device that trusts this publisher."""
        return Slots(directory, self.trust)

    def client(
        self,
        state_dir: Path,
        *,
        fetcher: FetcherInterface | None = None,
        channel: str = "stable",
        trust: Trust | None = None,
    ) -> BundleClient:
        """Return a device's client of this repository."""
        return BundleClient(
            trust or self.trust, state_dir, LOCAL, fetcher or self.fetcher(), channel
        )

    def install(self, slots: Slots, state_dir: Path | None = None) -> VerifiedBundle:
        """Fetch, stage and activate what the channel offers."""
        client = self.client(state_dir or self.folder / "device")
        offer = client.offered()
        if offer is None:
            raise LookupError("the channel offers nothing")
        client.fetch(offer, slots)
        return slots.activate()


def flip(path: Path, *, offset: int, mask: int = 0x01) -> None:
    """Change one byte of a file: XOR with `mask` at `offset` (negative: from the end)."""
    content = bytearray(path.read_bytes())
    content[max(offset, -len(content))] ^= mask
    path.write_bytes(content)
