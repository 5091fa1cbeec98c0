"""A TUF repository on a disk: the writer's side. Serve its two folders from any static host.

    metadata/  <n>.root.json, timestamp.json, <n>.snapshot.json, <n>.targets.json, <n>.models.json
    targets/   <version>/<sha256>.manifest.json, <version>/<folder>/<sha256>.<name>.zst,
               channels/<sha256>.<channel>.json

Consistent snapshots: files are added, never changed, and timestamp.json is replaced last, so a
reader sees the state before or after a publication and nothing in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from model_bundles import chain, files, layout
from model_bundles.authoring.build import BuiltBundle
from model_bundles.authoring.keys import (
    HOUSE_POLICY,
    MODELS,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    Policy,
    Signers,
)
from model_bundles.blobs import RepositoryFiles
from model_bundles.errors import BundleWithdrawnError, SigningError, VersionTakenError
from model_bundles.manifest import Release, write_channel
from model_bundles.verify import METADATA_FOLDER, TARGETS_FOLDER, Trust

_S = TypeVar("_S", Root, Timestamp, Snapshot, Targets)


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository in `directory`, signed with `keys` under `policy`.

    Times are handed in (`at`), so that the same keys and times give the same bytes.
    """

    directory: Path
    keys: Signers
    policy: Policy = field(default_factory=lambda: HOUSE_POLICY)

    @property
    def trust(self) -> Trust:
        """The first root: what an application embeds to trust this repository."""
        return Trust((self._metadata / "1.root.json").read_bytes())

    def initialise(self, at: datetime | None = None) -> Trust:
        """Create an empty repository and return the root of trust to embed.

        Raises:
            SigningError: a repository is there already, or keys are missing.
        """
        if (self._metadata / "1.root.json").exists():
            raise SigningError("a repository is there already")
        at = _moment(at)
        root = Root(expires=self._expiry(ROOT, at), consistent_snapshot=True)
        for role in (ROOT, TARGETS, SNAPSHOT, TIMESTAMP):
            signers = self.keys.signers(role)
            root.roles[role] = Role([s.public_key.keyid for s in signers], self._threshold(role))
            root.keys.update({s.public_key.keyid: s.public_key for s in signers})
        self._write("1.root.json", self._signed(ROOT, root))
        targets = Targets(expires=self._expiry(TARGETS, at), delegations=self._delegations())
        models = Targets(expires=self._expiry(MODELS, at))
        self._commit({TARGETS: targets, MODELS: models}, None, at)
        return self.trust

    def publish(
        self, built: BuiltBundle, channel: str = "stable", at: datetime | None = None
    ) -> Release:
        """Add a release and let `channel` offer it; return what was published.

        at: the time of signing; every role it touches expires its policy's lifetime later.

        Raises:
            VersionTakenError: the version is published already, whatever it holds.
            SigningError: keys are missing.
        """
        models = self._current(MODELS)
        if layout.manifest_path(built.version) in models.targets:
            raise VersionTakenError(built.version)
        additions = dict(built.stored)
        additions[layout.channel_path(channel)] = write_channel(channel, built.release)
        self._add(models, additions, _moment(at))
        return built.release

    def offer(self, version: str, channel: str = "stable", at: datetime | None = None) -> Release:
        """Let `channel` offer a version that is published already, an older one too.

        Devices refuse to go below the version they have activated; a downgrade needs an order
        they trust for that.

        Raises:
            BundleWithdrawnError: the version is not in this repository.
        """
        models = self._current(MODELS)
        target = models.targets.get(layout.manifest_path(version))
        if target is None:
            raise BundleWithdrawnError(f"version {version} is not in this repository")
        release = Release(version, target.hashes["sha256"])
        document = write_channel(channel, release)
        self._add(models, {layout.channel_path(channel): document}, _moment(at))
        return release

    def renew(self, at: datetime | None = None) -> None:
        """Sign snapshot and timestamp anew so that they do not expire; nothing else changes."""
        self._commit({}, self._heads(), _moment(at))

    def _add(self, models: Targets, additions: Mapping[str, bytes], at: datetime) -> None:
        stored = RepositoryFiles(self.directory / TARGETS_FOLDER)
        for path, content in additions.items():
            target = TargetFile.from_data(path, content, ["sha256"])
            files.write_durably(stored.locate(target), content)
            models.targets[path] = target
        models.version += 1
        models.expires = self._expiry(MODELS, at)
        self._commit({MODELS: models}, self._heads(), at)

    def _commit(
        self,
        changed: Mapping[str, Targets],
        heads: tuple[Timestamp, Snapshot] | None,
        at: datetime,
    ) -> None:
        """Write the changed roles, then the snapshot that names them, then the timestamp.

        heads: what stood at the head before; None for the first commit.
        """
        snapshot = Snapshot() if heads is None else heads[1]
        snapshot.version += heads is not None
        snapshot.expires = self._expiry(SNAPSHOT, at)
        for role, signed in changed.items():
            content = self._signed(role, signed)
            self._write(f"{signed.version}.{role}.json", content)
            snapshot.meta[f"{role}.json"] = _named(signed.version, content)
        content = self._signed(SNAPSHOT, snapshot)
        self._write(f"{snapshot.version}.snapshot.json", content)
        head = Timestamp(
            version=1 if heads is None else heads[0].version + 1,
            expires=self._expiry(TIMESTAMP, at),
            snapshot_meta=_named(snapshot.version, content),
        )
        self._write("timestamp.json", self._signed(TIMESTAMP, head))

    def _delegations(self) -> Delegations:
        signers = self.keys.signers(MODELS)
        role = DelegatedRole(
            MODELS,
            [s.public_key.keyid for s in signers],
            self._threshold(MODELS),
            terminating=True,
            paths=list(layout.RELEASE_PATTERNS),
        )
        return Delegations({s.public_key.keyid: s.public_key for s in signers}, {MODELS: role})

    def _signed(self, role: str, signed: _S) -> bytes:
        metadata = Metadata(signed)
        signers = self.keys.signers(role)
        if len(signers) < self._threshold(role):
            raise SigningError(f"{len(signers)} keys for {role}, {self._threshold(role)} needed")
        for signer in signers:
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def _current(self, role: str) -> Targets:
        _, snapshot = self._heads()
        version = snapshot.meta[f"{role}.json"].version
        return _load(self._metadata / f"{version}.{role}.json", Targets)

    def _heads(self) -> tuple[Timestamp, Snapshot]:
        timestamp = _load(self._metadata / "timestamp.json", Timestamp)
        version = timestamp.snapshot_meta.version
        return timestamp, _load(self._metadata / f"{version}.snapshot.json", Snapshot)

    def _expiry(self, role: str, at: datetime) -> datetime:
        return at + timedelta(days=self.policy[role].lifetime_days)

    def _threshold(self, role: str) -> int:
        return self.policy[role].threshold

    def _write(self, name: str, content: bytes) -> None:
        files.write_durably(self._metadata / name, content)

    @property
    def _metadata(self) -> Path:
        return self.directory / METADATA_FOLDER


def _named(version: int, content: bytes) -> MetaFile:
    return MetaFile.from_data(version, content, ["sha256"])


def _moment(at: datetime | None) -> datetime:
    return (at or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)


def _load(path: Path, kind: type[_S]) -> _S:
    return chain.parse(path.read_bytes(), kind).signed
