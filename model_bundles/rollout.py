"""Who takes a release first: integer cohorts, computed on the device, nobody is asked.

A channel document may carry a rollout beside its release:

    {"format": 1, "channel": "stable", "release": {...},
     "rollout": {"basis_points": 1000, "salt": "2026.11.6", "sites": ["..."], "before": {...}}}

A device is in when `sha256(device || salt) mod 10000 < basis_points`. The salt stays the same
while the stages go up, so whoever was in at 10 % is in at 25 % (sticky, nested); another salt per
release, so that it is not always the same clinics that go first.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ddx.domain.canonical import canonical_json
from model_bundles import layout
from model_bundles.errors import BundleMalformedError
from model_bundles.manifest import Release, read_canonical, read_channel

BASIS_POINTS: Final = 10_000
"""A whole, in basis points: 1 basis point is 0.01 %."""
STAGES: Final = (1_000, 2_500, 5_000, 7_500, BASIS_POINTS)
"""The house's stages, in basis points: 10, 25, 50, 75, 100 %."""
MAX_SITES: Final = 200
_SALT: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SITE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A stage of a release.

    basis_points: 0..10000, of the devices at `sites`. sites: None means every site.
    before: what devices outside the cohort are offered meanwhile; None: nothing.

    Raises:
        BundleMalformedError: a share, salt or site out of its limits.
    """

    basis_points: int
    salt: str
    sites: frozenset[str] | None = None
    before: Release | None = None

    def __post_init__(self) -> None:
        share = self.basis_points
        if isinstance(share, bool) or not isinstance(share, int) or not 0 <= share <= BASIS_POINTS:
            raise BundleMalformedError(f"not a share in basis points: {str(share)[:20]}")
        if not isinstance(self.salt, str) or not _SALT.fullmatch(self.salt):
            raise BundleMalformedError(f"not a salt: {str(self.salt)[:80]!r}")
        for site in self.sites or ():
            if not isinstance(site, str) or not _SITE.fullmatch(site):
                raise BundleMalformedError(f"not a site: {str(site)[:80]!r}")
        if self.sites is not None and not 1 <= len(self.sites) <= MAX_SITES:
            raise BundleMalformedError(f"a rollout names 1 to {MAX_SITES} sites, or none at all")

    def admits(self, device: str, site: str | None) -> bool:
        """Return whether `device` takes the release now. A device without a site is at no site."""
        if self.sites is not None and site not in self.sites:
            return False
        return cohort(device, self.salt) < self.basis_points

    def to_json(self) -> dict[str, Any]:
        """Return the rollout as a JSON object."""
        sites = {} if self.sites is None else {"sites": sorted(self.sites)}
        before = {} if self.before is None else {"before": self.before.to_json()}
        return {"basis_points": self.basis_points, "salt": self.salt, **sites, **before}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOffer:
    """What a channel offers: a release, and to whom (None: to everybody)."""

    release: Release
    rollout: Rollout | None = None

    def for_device(self, device: str, site: str | None = None) -> Release | None:
        """Return what this device is offered, or None."""
        if self.rollout is None or self.rollout.admits(device, site):
            return self.release
        return self.rollout.before


def cohort(device: str, salt: str) -> int:
    """Return the cohort of a device, 0..9999: sha256(device || salt) mod 10000.

    device: a device's identifier; its UTF-8 bytes, then those of the salt. The digest is read as
    one big-endian number; 2**256 mod 10000 moves no cohort by more than 1 in 10**73.
    """
    digest = hashlib.sha256(device.encode() + salt.encode()).digest()
    return int.from_bytes(digest, "big") % BASIS_POINTS


def write_offer(channel: str, offer: ChannelOffer) -> bytes:
    """Return the document of a channel; without a rollout, as `manifest.write_channel` does."""
    layout.channel_path(channel)
    rollout = {} if offer.rollout is None else {"rollout": offer.rollout.to_json()}
    named = {"format": 1, "channel": channel, "release": offer.release.to_json()}
    return canonical_json({**named, **rollout})


def read_offer(content: bytes, channel: str) -> ChannelOffer:
    """Return what `channel` offers; fields it does not know are ignored.

    Raises:
        BundleMalformedError: unreadable, or the document of another channel.
        BundleIncompatibleError: another format of the document.
    """
    release = read_channel(content, channel)
    raw = read_canonical(content).get("rollout")
    return ChannelOffer(release=release, rollout=None if raw is None else rollout_from(raw))


def rollout_from(raw: Mapping[str, Any]) -> Rollout:
    """Return the rollout a JSON object describes. Raises BundleMalformedError."""
    try:
        sites, before = raw.get("sites"), raw.get("before")
        return Rollout(
            basis_points=raw["basis_points"],
            salt=raw["salt"],
            sites=None if sites is None else frozenset(sites),
            before=None if before is None else Release.from_json(before),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BundleMalformedError(f"rollout cannot be read: {error!r}") from error
