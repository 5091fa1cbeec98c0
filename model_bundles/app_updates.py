"""Newer versions of the application, by the same repository and under a role of their own.

    app/channels/<channel>.json     which version a channel offers, and to whom
    app/<version>/<file>            its installers, one per platform, the shipped bundle inside

Nothing here installs: a verified installer is laid ready, and the system's own installer checks its
signature again and replaces the application (`installers` keeps what lies here).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ddx.domain.canonical import canonical_json
from ddx.domain.course import OnProgress
from model_bundles import layout
from model_bundles.client import BundleClient, Device
from model_bundles.errors import (
    BundleIncompatibleError,
    BundleMalformedError,
)
from model_bundles.installers import Installers, platform_of
from model_bundles.manifest import read_canonical
from model_bundles.rollout import BASIS_POINTS, Rollout, rollout_from

FORMAT: Final = 1
MAX_INSTALLER_BYTES: Final = 300 * 2**20
"""Three times the bar of an installer (100 MB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRelease:
    """What a channel offers. installers: platform -> path of the target.

    Raises:
        BundleMalformedError: no version, or an installer that lies elsewhere.
    """

    version: str
    installers: Mapping[str, str]
    rollout: Rollout | None = None

    def __post_init__(self) -> None:
        layout.version_key(self.version)
        prefix = f"{layout.APP}/{self.version}/"
        for path in self.installers.values():
            name = path.removeprefix(prefix)
            if not path.startswith(prefix) or not name or "/" in name or name.startswith("."):
                raise BundleMalformedError(f"not an installer of {self.version}: {path[:80]!r}")


@dataclass(frozen=True, slots=True)
class AppOffer:
    """A newer version for this device. path: of its installer in the repository."""

    version: str
    path: str


def installers_of(version: str, names: Iterable[str]) -> dict[str, str]:
    """Return platform -> target path of the installers of a version, by their file names.

    Raises:
        BundleMalformedError: a name that ends like no installer, or two for one platform.
    """
    listed = tuple(names)
    paths = {platform_of(name): f"{layout.APP}/{version}/{name}" for name in listed}
    if len(paths) != len(listed):
        raise BundleMalformedError(f"two installers of {version} for one platform")
    return paths


def write_app_release(channel: str, release: AppRelease) -> bytes:
    """Return the document of a channel."""
    rollout = {} if release.rollout is None else {"rollout": release.rollout.to_json()}
    return canonical_json(
        {
            "format": FORMAT,
            "channel": channel,
            "version": release.version,
            "installers": dict(release.installers),
            **rollout,
        }
    )


def read_app_release(content: bytes, channel: str) -> AppRelease:
    """Return what a channel offers.

    Raises:
        BundleMalformedError: unreadable, or the document of another channel.
        BundleIncompatibleError: another format of the document.
    """
    raw: Mapping[str, Any] = read_canonical(content)
    if raw.get("format") != FORMAT:
        raise BundleIncompatibleError("the channel is written for a newer application")
    if raw.get("channel") != channel:
        raise BundleMalformedError(f"the document of another channel than {channel}")
    try:
        installers = {str(k): str(v) for k, v in raw["installers"].items()}
        version, rollout = str(raw["version"]), raw.get("rollout")
    except (KeyError, AttributeError) as error:
        raise BundleMalformedError(f"channel cannot be read: {error!r}") from error
    staged = None if rollout is None else rollout_from(rollout)
    return AppRelease(version=version, installers=installers, rollout=staged)


class AppUpdates:
    """What the repository offers one device, brought into its folder of installers.

    client: with a state folder of its own.
    """

    def __init__(
        self,
        client: BundleClient,
        installers: Installers,
        *,
        platform: str,
        channel: str = "stable",
        device: Device | None = None,
    ) -> None:
        self._client, self._installers, self._platform = client, installers, platform
        self._channel, self._device = channel, device

    def offered(self) -> AppOffer | None:
        """Return the newer version this device is offered, or None. Raises BundleError."""
        path = layout.app_channel_path(self._channel)
        content = self._client.document(path, layout.MAX_CHANNEL_BYTES)
        if content is None:
            return None
        release = read_app_release(content, self._channel)
        installer = release.installers.get(self._platform)
        newer = self._installers.is_newer(release.version)
        if installer is None or not newer or not self._admitted(release.rollout):
            return None
        return AppOffer(release.version, installer)

    def fetch(self, offer: AppOffer, on_progress: OnProgress | None = None) -> Path:
        """Bring the installer of `offer`, verified, and return where it lies ready.

        Raises:
            BundleError: it cannot be had or trusted; what lay ready before still does.
        """
        name = Path(offer.path).name
        lies = self._installers.sound(offer.version)
        if lies is None or lies.name != name:
            incoming = self._installers.incoming
            signed = self._client.bring(offer.path, incoming, MAX_INSTALLER_BYTES, on_progress)
            lies = self._installers.take(offer.version, name, signed.hashes["sha256"])
        self._installers.keep_only(offer.version)
        return lies

    def _admitted(self, rollout: Rollout | None) -> bool:
        if rollout is None:
            return True
        if self._device is None:
            return rollout.sites is None and rollout.basis_points == BASIS_POINTS
        return rollout.admits(self._device.id, self._device.site)
