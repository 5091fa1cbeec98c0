"""A TUF repository on a disk: the writer's side. Serve its two folders from any static host.

    metadata/  <n>.root.json, timestamp.json, <n>.snapshot.json, <n>.targets.json,
               <n>.models.json, <n>.safety.json, where it is delegated <n>.app.json
    targets/   <version>/<sha256>.manifest.json, <version>/<folder>/<sha256>.<name>.zst,
               channels/<sha256>.<channel>.json, safety/<sha256>.orders.json,
               app/<version>/<sha256>.<installer>, app/channels/<sha256>.<channel>.json

Keys that are not all at one desk sign through `ceremony`; this is the part that needs no people.

Consistent snapshots: files are added, never changed, and timestamp.json is replaced last, so a
reader sees the state before or after a publication and nothing in between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
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
from model_bundles.app_updates import (
    AppRelease,
    installers_of,
    write_app_release,
)
from model_bundles.authoring.build import BuiltBundle
from model_bundles.authoring.keys import (
    DELEGABLE,
    HOUSE_POLICY,
    MODELS,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    Policy,
    Signers,
)
from model_bundles.blobs import RepositoryFiles, read_target
from model_bundles.clock import SIGNED_AT
from model_bundles.errors import BundleWithdrawnError, SigningError, VersionTakenError
from model_bundles.installers import platform_of
from model_bundles.manifest import Release
from model_bundles.orders import (
    ORDERS_PATH,
    SAFETY,
    SAFETY_PATTERNS,
    Orders,
    read_orders,
    write_orders,
)
from model_bundles.rollout import ChannelOffer, Rollout, read_offer, write_offer
from model_bundles.verify import METADATA_FOLDER, TARGETS_FOLDER, Trust

PATTERNS: Final = MappingProxyType(
    {
        MODELS: layout.RELEASE_PATTERNS,
        SAFETY: SAFETY_PATTERNS,
        layout.APP: layout.APP_PATTERNS,
    }
)
"""Delegated role -> the target paths it may sign for."""

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
        at = moment(at)
        root = Root(expires=self._expiry(ROOT, at), consistent_snapshot=True)
        for role in (ROOT, TARGETS, SNAPSHOT, TIMESTAMP):
            signers = self.keys.signers(role)
            root.roles[role] = Role([s.public_key.keyid for s in signers], self._threshold(role))
            root.keys.update({s.public_key.keyid: s.public_key for s in signers})
        self._write("1.root.json", self._signed(ROOT, root))
        targets = Targets(expires=self._expiry(TARGETS, at), delegations=self._delegations())
        empty = {role: Targets(expires=self._expiry(role, at)) for role in self._delegated}
        self._commit({TARGETS: targets, **empty}, None, at)
        return self.trust

    def publish(
        self,
        built: BuiltBundle,
        channel: str = "stable",
        at: datetime | None = None,
        *,
        rollout: Rollout | None = None,
    ) -> Release:
        """Add a release and let `channel` offer it; return what was published.

        at: the time of signing; every role it touches expires its policy's lifetime later.
        rollout: to whom it is offered; None: to everybody.

        Raises:
            VersionTakenError: the version is published already, whatever it holds.
            SigningError: keys are missing.
        """
        models = self._current(MODELS)
        if layout.manifest_path(built.version) in models.targets:
            raise VersionTakenError(built.version)
        additions = dict(built.stored)
        offer = ChannelOffer(release=built.release, rollout=rollout)
        additions[layout.channel_path(channel)] = write_offer(channel, offer)
        self._add(models, additions, moment(at))
        return built.release

    def offer(
        self,
        version: str,
        channel: str = "stable",
        at: datetime | None = None,
        *,
        rollout: Rollout | None = None,
    ) -> Release:
        """Let `channel` offer a version that is published already, an older one too.

        Devices refuse to go below the version they have activated; a downgrade needs an order
        they trust for that.

        Raises:
            BundleWithdrawnError: the version is not in this repository.
        """
        release = self.release(version)
        document = write_offer(channel, ChannelOffer(release=release, rollout=rollout))
        self._add(self._current(MODELS), {layout.channel_path(channel): document}, moment(at))
        return release

    def release(self, version: str) -> Release:
        """Return the published release of that version. Raises BundleWithdrawnError."""
        target = self._current(MODELS).targets.get(layout.manifest_path(version))
        if target is None:
            raise BundleWithdrawnError(f"version {version} is not in this repository")
        return Release(version, target.hashes["sha256"])

    def publish_app(
        self,
        version: str,
        installers: Mapping[str, bytes],
        channel: str = "stable",
        at: datetime | None = None,
        *,
        rollout: Rollout | None = None,
    ) -> None:
        """Add the installers of one version of the application and let `channel` offer it.

        installers: file name -> content. Raises as `app_content` does; SigningError also when
        keys are missing.
        """
        additions = self.app_content(version, installers, channel, rollout)
        self._add(self._current(layout.APP), additions, moment(at), role=layout.APP)

    def app_content(
        self, version: str, installers: Mapping[str, bytes], channel: str, rollout: Rollout | None
    ) -> dict[str, bytes]:
        """Return path -> bytes of a new version's installers and of the channel that offers it.

        Raises:
            VersionTakenError: the version is published already.
            SigningError: this repository has no `app` role.
            BundleMalformedError: a file that is named like no installer.
        """
        if self._app_files(version):
            raise VersionTakenError(version)
        paths = installers_of(version, installers)
        content = {paths[platform_of(name)]: raw for name, raw in installers.items()}
        return content | self._app_channel(channel, version, paths, rollout)

    def app_offer(self, version: str, channel: str, rollout: Rollout | None) -> dict[str, bytes]:
        """Return path -> bytes of a channel that offers a version published before.

        Raises:
            BundleWithdrawnError: the version is not in this repository.
            SigningError: this repository has no `app` role.
        """
        names = self._app_files(version)
        if not names:
            raise BundleWithdrawnError(f"application {version} is not in this repository")
        return self._app_channel(channel, version, installers_of(version, names), rollout)

    def _app_channel(
        self, channel: str, version: str, paths: Mapping[str, str], rollout: Rollout | None
    ) -> dict[str, bytes]:
        offer = AppRelease(version=version, installers=paths, rollout=rollout)
        return {layout.app_channel_path(channel): write_app_release(channel, offer)}

    def _app_files(self, version: str) -> list[str]:
        """Return the names of the installers of a version. Raises SigningError."""
        if f"{layout.APP}.json" not in self.heads()[1].meta:
            raise SigningError("this repository delegates to no app role; `vereda-keys delegate`")
        prefix = f"{layout.APP}/{version}/"
        published = self._current(layout.APP).targets
        return sorted(path.removeprefix(prefix) for path in published if path.startswith(prefix))

    def order(self, orders: Orders, at: datetime | None = None) -> None:
        """Replace the orders of the safety role by `orders`.

        Raises:
            BundleTamperedError: a downgrade to a release that is not published here.
            SigningError: the number is not above that of the orders in force.
        """
        _, content = self.order_content(orders)
        self._add(self._current(SAFETY), {ORDERS_PATH: content}, moment(at), role=SAFETY)

    def order_content(self, orders: Orders) -> tuple[str, bytes]:
        """Return path and bytes of `orders`, checked as `order` says."""
        orders.check_published(self.signed())
        before = self.orders()
        if before is not None and orders.number <= before.number:
            raise SigningError(f"orders {before.number} are in force; number these above")
        return ORDERS_PATH, write_orders(orders)

    def orders(self) -> Orders | None:
        """Return the orders in force, or None."""
        target = self.signed().find(ORDERS_PATH)
        return None if target is None else read_orders(read_target(self.stored, target))

    def signed(self) -> chain.SignedTargets:
        """Return what this repository vouches for, from its own first root on."""
        return chain.repository_targets(self._metadata, self.trust.root)

    def root(self) -> Root:
        """Return the newest root reachable from the first one. Raises BundleTamperedError."""
        return chain.root_chain(
            self.trust.root,
            lambda n: files.read_bounded(self._metadata / f"{n}.root.json", chain.MAX_ROOT_BYTES),
        )

    def current_bytes(self, role: str) -> bytes | None:
        """Return the metadata of targets or a delegated role now in force, None where absent."""
        if not (self._metadata / "timestamp.json").exists():
            return None
        meta = self.heads()[1].meta.get(f"{role}.json")
        if meta is None:
            return None
        return (self._metadata / f"{meta.version}.{role}.json").read_bytes()

    def offered_content(self, root: bytes | None = None) -> dict[str, bytes]:
        """Return path -> stored bytes of the channels and of every release they lead to.

        root: what must have signed it all; the repository's own first root when not given.
        """
        signed = chain.repository_targets(self._metadata, root or self.trust.root)
        models = signed.delegated[MODELS].targets
        channels = {path: target for path, target in models.items() if path.startswith("channels/")}
        content = {path: read_target(self.stored, target) for path, target in channels.items()}
        for path, document in list(content.items()):
            offer = read_offer(document, path.removeprefix("channels/").removesuffix(".json"))
            before = offer.rollout.before if offer.rollout else None
            for release in (offer.release, before):
                for target in signed.under(release.version) if release else ():
                    content[target.path] = read_target(self.stored, target)
        return content

    @property
    def stored(self) -> RepositoryFiles:
        """Where the stored bytes of the targets lie."""
        return RepositoryFiles(self.directory / TARGETS_FOLDER)

    def renew(self, at: datetime | None = None) -> None:
        """Sign snapshot and timestamp anew so that they do not expire; nothing else changes."""
        self._commit({}, self.heads(), moment(at))

    def adopt(
        self, signed: Mapping[str, bytes], at: datetime | None = None, *, root: bytes | None = None
    ) -> None:
        """Publish role metadata that others have signed, under a snapshot and timestamp of ours.

        signed: role -> metadata, its signatures collected and checked by `ceremony`.
        root: the next root, if it changes; written first, so that the new keys are known.
        """
        if root is not None:
            self._write(f"{chain.parse(root, Root).signed.version}.root.json", root)
        first = not (self._metadata / "timestamp.json").exists()
        self._commit_signed(signed, None if first else self.heads(), moment(at))

    def store(self, additions: Mapping[str, bytes]) -> dict[str, TargetFile]:
        """Keep the bytes of new targets (path -> bytes); nothing names them until it is signed."""
        targets = {}
        for path, content in additions.items():
            targets[path] = TargetFile.from_data(path, content, ["sha256"])
            files.write_durably(self.stored.locate(targets[path]), content)
        return targets

    def _add(
        self,
        signed: Targets,
        additions: Mapping[str, bytes],
        at: datetime,
        *,
        role: str = MODELS,
    ) -> None:
        signed.targets.update(self.store(additions))
        signed.version += 1
        signed.expires = self._expiry(role, at)
        self._commit({role: signed}, self.heads(), at)

    def _commit(
        self,
        changed: Mapping[str, Targets],
        heads: tuple[Timestamp, Snapshot] | None,
        at: datetime,
    ) -> None:
        self._commit_signed(
            {r: self._signed(r, signed) for r, signed in changed.items()}, heads, at
        )

    def _commit_signed(
        self,
        changed: Mapping[str, bytes],
        heads: tuple[Timestamp, Snapshot] | None,
        at: datetime,
    ) -> None:
        """Write the changed roles, then the snapshot that names them, then the timestamp.

        heads: what stood at the head before; None for the first commit.
        """
        snapshot = Snapshot() if heads is None else heads[1]
        snapshot.version += heads is not None
        snapshot.expires = self._expiry(SNAPSHOT, at)
        for role, content in changed.items():
            version = chain.parse(content, Targets).signed.version
            self._write(f"{version}.{role}.json", content)
            snapshot.meta[f"{role}.json"] = _named(version, content)
        content = self._signed(SNAPSHOT, snapshot)
        self._write(f"{snapshot.version}.snapshot.json", content)
        head = Timestamp(
            version=1 if heads is None else heads[0].version + 1,
            expires=self._expiry(TIMESTAMP, at),
            snapshot_meta=_named(snapshot.version, content),
            unrecognized_fields={SIGNED_AT: at.isoformat()},
        )
        self._write("timestamp.json", self._signed(TIMESTAMP, head))

    def _delegations(self) -> Delegations:
        held = {role: [s.public_key for s in self.keys.signers(role)] for role in self._delegated}
        return delegations(held, self.policy)

    @property
    def _delegated(self) -> tuple[str, ...]:
        return tuple(role for role in DELEGABLE if role in self.policy)

    def _signed(self, role: str, signed: _S) -> bytes:
        metadata = Metadata(signed)
        signers = self.keys.signers(role)
        if len(signers) < self._threshold(role):
            raise SigningError(f"{len(signers)} keys for {role}, {self._threshold(role)} needed")
        for signer in signers:
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def _current(self, role: str) -> Targets:
        _, snapshot = self.heads()
        version = snapshot.meta[f"{role}.json"].version
        return _load(self._metadata / f"{version}.{role}.json", Targets)

    def heads(self) -> tuple[Timestamp, Snapshot]:
        """Return the timestamp and the snapshot it names, as published."""
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


def delegations(held: Mapping[str, Sequence[Key]], policy: Policy) -> Delegations:
    """Return what targets delegates: role -> its keys; each terminating, for its own paths only.

    No path belongs to two roles, so there is no order of search to argue about.
    """
    roles = {
        name: DelegatedRole(
            name,
            [key.keyid for key in keys],
            policy[name].threshold,
            terminating=True,
            paths=list(PATTERNS[name]),
        )
        for name, keys in held.items()
    }
    return Delegations({key.keyid: key for keys in held.values() for key in keys}, roles)


def _named(version: int, content: bytes) -> MetaFile:
    return MetaFile.from_data(version, content, ["sha256"])


def moment(at: datetime | None) -> datetime:
    """Return `at`, or now, in UTC and whole seconds: as metadata spells times."""
    return (at or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)


def _load(path: Path, kind: type[_S]) -> _S:
    return chain.parse(path.read_bytes(), kind).signed
