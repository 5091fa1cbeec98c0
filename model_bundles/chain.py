"""The chain of signatures from the embedded root to the signed targets. It has no clock.

Used for serving: what was signed stays signed. Freshness is the business of `client`.
Thresholds and keys come from the root (top-level roles) and from the targets metadata
(delegated roles); each step verifies the bytes it then reads.
Source: TUF specification 1.0.34, sections 5.3 to 5.6, without the expiry steps.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from model_bundles import files, layout
from model_bundles.errors import BundleTamperedError

MAX_ROOT_BYTES: Final = 512_000
MAX_TIMESTAMP_BYTES: Final = 16_384
MAX_SNAPSHOT_BYTES: Final = 2_000_000
MAX_TARGETS_BYTES: Final = 5_000_000
MAX_ROOT_ROTATIONS: Final = 256
"""Limits of python-tuf's UpdaterConfig, so that both ways in accept the same files."""

RoleBytes = Callable[[str], bytes | None]
"""Name of a targets role -> the bytes of its metadata, unverified."""

RootBytes = Callable[[int], bytes | None]
"""Version of a root -> its bytes, unverified; None after the newest."""

_T = TypeVar("_T", Root, Timestamp, Snapshot, Targets)


@dataclass(frozen=True, slots=True)
class SignedTargets:
    """Every target the signatures vouch for, by role."""

    root: Root
    targets: Targets
    delegated: Mapping[str, Targets]

    def find(self, path: str) -> TargetFile | None:
        """Return the signed target at `path`, or None.

        The top-level role speaks first, then the delegated roles trusted for this path, in
        order; a terminating one ends the search.
        """
        for role in self._speakers(path):
            if path in role.targets:
                return role.targets[path]
        return None

    def under(self, version: str) -> tuple[TargetFile, ...]:
        """Return the signed targets of one release, sorted by path."""
        prefix = f"{version}/"
        paths = {
            path
            for role in (self.targets, *self.delegated.values())
            for path in role.targets
            if path.startswith(prefix)
        }
        found = (self.find(path) for path in sorted(paths))
        return tuple(target for target in found if target is not None)

    def floors(self) -> dict[str, int]:
        """Return role name and key set -> metadata version, to remember against rollback.

        The key set is part of the name: when the root rotates a role's keys its count may
        start again (recovery from a fast-forward attack, TUF 5.3.11).
        """
        versions = {
            floor_name("root", []): self.root.version,
            floor_name("targets", self.root.roles["targets"].keyids): self.targets.version,
        }
        for name, role in self.delegated.items():
            keyids = self.targets.get_delegated_role(name).keyids
            versions[floor_name(name, keyids)] = role.version
        return versions

    def _speakers(self, path: str) -> Iterator[Targets]:
        yield self.targets
        if self.targets.delegations is not None:
            for name, terminating in self.targets.delegations.get_roles_for_target(path):
                if name in self.delegated:
                    yield self.delegated[name]
                if terminating:
                    return


def floor_name(role: str, keyids: list[str]) -> str:
    """Return the name under which the version of `role` under these keys is remembered."""
    keys = hashlib.sha256(",".join(sorted(keyids)).encode()).hexdigest()
    return f"{role}@{keys[:12]}" if keyids else role


def root_chain(embedded: bytes, successor: RootBytes) -> Root:
    """Return the newest root reachable from the embedded one, each signed by its predecessor.

    Raises:
        BundleTamperedError: the embedded root is unreadable, or a successor is not signed by
            both the root before it and itself.
    """
    metadata = parse(embedded, Root)
    root = metadata.signed
    _verify(root, "root", metadata)
    for _ in range(MAX_ROOT_ROTATIONS):
        content = successor(root.version + 1)
        if content is None:
            return root
        metadata = parse(content, Root)
        _verify(root, "root", metadata)
        _verify(metadata.signed, "root", metadata)
        if metadata.signed.version != root.version + 1:
            raise BundleTamperedError(f"root {metadata.signed.version} follows {root.version}")
        root = metadata.signed
    raise BundleTamperedError(f"more than {MAX_ROOT_ROTATIONS} roots")


def signed_targets(root: Root, role_bytes: RoleBytes) -> SignedTargets:
    """Return the targets that `root` vouches for, through the roles it delegates to.

    Raises:
        BundleTamperedError: metadata missing, unreadable, or under its threshold of signatures.
    """
    metadata = parse(_present(role_bytes("targets"), "targets"), Targets)
    _verify(root, "targets", metadata)
    targets, delegated = metadata.signed, {}
    roles = targets.delegations.roles if targets.delegations else None
    for name in roles or {}:
        content = role_bytes(name)
        if content is None and name in layout.OPTIONAL_ROLES:
            continue  # this reader never asked for anything of it
        child = parse(_present(content, name), Targets)
        _verify(targets, name, child)
        delegated[name] = child.signed
    return SignedTargets(root, targets, delegated)


def repository_targets(folder: Path, embedded: bytes) -> SignedTargets:
    """Return what a repository's metadata folder vouches for, as a client would see it.

    The current set is the one that timestamp and snapshot name (no mix and match).

    Raises:
        BundleTamperedError: any file missing, changed, or not reaching the embedded root.
    """
    root = root_chain(embedded, lambda n: _read(folder, f"{n}.root.json", MAX_ROOT_BYTES))
    timestamp = parse(
        _present(_read(folder, "timestamp.json", MAX_TIMESTAMP_BYTES), "timestamp"), Timestamp
    )
    _verify(root, "timestamp", timestamp)
    meta = timestamp.signed.snapshot_meta
    content = _present(
        _read(folder, f"{meta.version}.snapshot.json", MAX_SNAPSHOT_BYTES), "snapshot"
    )
    _matches(meta, content, "snapshot")
    snapshot = parse(content, Snapshot)
    _verify(root, "snapshot", snapshot)
    _same_version(snapshot.signed, meta.version, "snapshot")
    return signed_targets(root, _snapshot_reader(folder, snapshot.signed))


def _snapshot_reader(folder: Path, snapshot: Snapshot) -> RoleBytes:
    def read(role: str) -> bytes | None:
        meta = snapshot.meta.get(f"{role}.json")
        if meta is None:
            return None
        content = _read(folder, f"{meta.version}.{role}.json", MAX_TARGETS_BYTES)
        if content is not None:
            _matches(meta, content, role)
            _same_version(parse(content, Targets).signed, meta.version, role)
        return content

    return read


def installed_targets(folder: Path, embedded: bytes) -> SignedTargets:
    """Return what the metadata kept beside an installed release vouches for.

    Only the long-lived roles are kept: the online keys of timestamp and snapshot may be
    replaced while a device is offline, and that must not stop it.

    Raises:
        BundleTamperedError: any file missing, changed, or not reaching the embedded root.
    """
    root = root_chain(embedded, lambda n: _read(folder, f"{n}.root.json", MAX_ROOT_BYTES))
    return signed_targets(root, lambda role: _read(folder, f"{role}.json", MAX_TARGETS_BYTES))


def _read(folder: Path, name: str, limit: int) -> bytes | None:
    if Path(name).name != name:  # a delegated role may be called anything, `../x` too
        raise BundleTamperedError(f"not the name of a metadata file: {name[:80]!r}")
    content = files.read_bounded(folder / name, limit)
    if content is not None and len(content) > limit:
        raise BundleTamperedError(f"{name} is longer than {limit} bytes")
    return content


def _present(content: bytes | None, role: str) -> bytes:
    if content is None:
        raise BundleTamperedError(f"metadata of role {role} is missing")
    return content


def parse(content: bytes, kind: type[_T]) -> Metadata[_T]:
    """Return metadata of the role `kind`, its signatures not looked at yet.

    Raises:
        BundleTamperedError: unreadable, or the metadata of another role.
    """
    try:
        metadata = Metadata[_T].from_bytes(content)
    except RepositoryError as error:
        raise BundleTamperedError(f"{kind.type} metadata cannot be read") from error
    if not isinstance(metadata.signed, kind):
        raise BundleTamperedError(f"{metadata.signed.type} metadata in place of {kind.type}")
    return metadata


def _verify(delegator: Root | Targets, role: str, metadata: Metadata[_T]) -> None:
    try:
        delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except (RepositoryError, ValueError) as error:
        raise BundleTamperedError(f"signatures of role {role} do not hold: {error}") from error


def _matches(meta: MetaFile, content: bytes, role: str) -> None:
    try:
        meta.verify_length_and_hashes(content)
    except RepositoryError as error:
        raise BundleTamperedError(f"{role} metadata is not the one named: {error}") from error


def _same_version(signed: Signed, version: int, role: str) -> None:
    if signed.version != version:
        raise BundleTamperedError(f"{role} {signed.version} in place of {version}")
