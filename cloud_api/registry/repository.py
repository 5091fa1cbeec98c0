"""The repository this service hands out: opened and verified like any device would."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cloud_api.errors import RepositoryMissingError
from cloud_api.settings import CloudSettings
from ddx.errors import DdxError
from model_bundles import chain, layout
from model_bundles.blobs import RepositoryFiles, read_target
from model_bundles.embedded import default_repository, embedded_trust
from model_bundles.manifest import Release, read_manifest
from model_bundles.orders import ORDERS_PATH, Orders, check_target, read_orders
from model_bundles.rollout import ChannelOffer, read_offer
from model_bundles.verify import (
    METADATA_FOLDER,
    TARGETS_FOLDER,
    Trust,
    VerifiedBundle,
    open_verified,
)

_MANIFEST: Final = "/manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One release the signatures vouch for. size_bytes: of everything stored under its version."""

    release: Release
    created_at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedState:
    """All that is signed now: releases from old to new, the channel's offer, orders in force."""

    releases: tuple[Published, ...]
    offer: ChannelOffer
    orders: Orders | None


@dataclass(frozen=True, slots=True)
class Repository:
    """A TUF repository folder, the root it must verify against, and the channel served."""

    folder: Path
    root: Path | None
    channel: str

    @classmethod
    def of(cls, settings: CloudSettings) -> "Repository":
        """Return the repository the settings name; the embedded one by default."""
        return cls(settings.repository or default_repository(), settings.root, settings.channel)

    def open(self) -> VerifiedBundle:
        """Return the bundle the channel offers now.

        Raises:
            RepositoryMissingError: the folder is not there, or does not verify.
        """
        try:
            return open_verified(self.folder, self._trust(), channel=self.channel)
        except (DdxError, OSError) as error:
            raise RepositoryMissingError(f"{self.channel}: {error}") from error

    def state(self) -> SignedState:
        """Return everything the repository's signatures vouch for now.

        Raises:
            RepositoryMissingError: the folder is not there, or does not verify.
        """
        try:
            metadata = self.folder / METADATA_FOLDER
            signed = chain.repository_targets(metadata, self._trust().root_of(metadata))
            return self._state(signed, RepositoryFiles(self.folder / TARGETS_FOLDER))
        except (DdxError, OSError) as error:
            raise RepositoryMissingError(f"{self.channel}: {error}") from error

    def _state(self, signed: chain.SignedTargets, stored: RepositoryFiles) -> SignedState:
        target = signed.find(layout.channel_path(self.channel))
        if target is None:
            raise RepositoryMissingError(f"no channel {self.channel} is signed")
        return SignedState(
            releases=tuple(_published(signed, stored, version) for version in _versions(signed)),
            offer=read_offer(read_target(stored, target), self.channel),
            orders=_orders(signed, stored),
        )

    def _trust(self) -> Trust:
        return embedded_trust() if self.root is None else Trust(self.root.read_bytes())


def _versions(signed: chain.SignedTargets) -> list[str]:
    roles = (signed.targets, *signed.delegated.values())
    paths = {path for role in roles for path in role.targets if path.endswith(_MANIFEST)}
    versions = [path.removesuffix(_MANIFEST) for path in paths]
    return sorted(versions, key=layout.version_key)


def _published(signed: chain.SignedTargets, stored: RepositoryFiles, version: str) -> Published:
    target = signed.find(layout.manifest_path(version))
    if target is None:
        raise RepositoryMissingError(f"{version} is signed by a role not trusted for it")
    manifest = read_manifest(read_target(stored, target))
    return Published(
        release=manifest.release,
        created_at=manifest.created_at,
        size_bytes=sum(
            t.length for t in signed.under(version) if not layout.is_patch(version, t.path)
        ),
    )


def _orders(signed: chain.SignedTargets, stored: RepositoryFiles) -> Orders | None:
    target = signed.find(ORDERS_PATH)
    if target is None:
        return None
    check_target(target)
    return read_orders(read_target(stored, target))
