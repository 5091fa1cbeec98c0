"""Newer versions of the application, by the same repository and under a role of their own.

    app/channels/<channel>.json     which version a channel offers, and to whom
    app/<version>/<file>            its installers, one per platform, the shipped bundle inside

Nothing here installs: a verified installer is laid ready, and the system's own installer checks its
signature again and replaces the application. The installer of the version before stays, to go back.
"""

import hashlib
import json
import platform as system
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ddx.domain.canonical import canonical_json
from model_bundles import files, layout
from model_bundles.client import BundleClient, Device, OnProgress
from model_bundles.errors import (
    BundleIncompatibleError,
    BundleMalformedError,
    BundleTamperedError,
)
from model_bundles.manifest import read_canonical
from model_bundles.rollout import BASIS_POINTS, Rollout, rollout_from

FORMAT: Final = 1
MAX_INSTALLER_BYTES: Final = 300 * 2**20
"""Three times the bar of an installer (100 MB)."""
_ABOUT: Final = "signed.json"

PLATFORMS: Final = MappingProxyType({"windows-x64": "-x64.msi", "linux-amd64": "_amd64.deb"})
"""Platform -> how the names of its installers end."""


def platform_of(name: str) -> str:
    """Return the platform an installer is for, by its name. Raises BundleMalformedError."""
    for platform, ending in PLATFORMS.items():
        if name.endswith(ending):
            return platform
    raise BundleMalformedError(f"{name[:80]!r} ends like no installer: {', '.join(PLATFORMS.values())}")


def this_platform() -> str:
    """Return the platform of this machine, empty where there is no installer for it."""
    machine = system.machine().lower()
    if machine not in {"amd64", "x86_64"}:
        return ""
    return {"win32": "windows-x64", "linux": "linux-amd64"}.get(sys.platform, "")


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
    """Installers of one device: what is offered, what lies ready, what it can go back to.

    client: with a state folder of its own. folder: where installers are kept; on Windows one that
    only administrators write. running: the version that runs now.
    """

    def __init__(
        self,
        client: BundleClient,
        folder: Path,
        *,
        platform: str,
        running: str,
        channel: str = "stable",
        device: Device | None = None,
    ) -> None:
        self._client, self._folder, self._platform = client, folder, platform
        self._running, self._channel, self._device = running, channel, device

    def offered(self) -> AppOffer | None:
        """Return the newer version this device is offered, or None. Raises BundleError."""
        path = layout.app_channel_path(self._channel)
        content = self._client.document(path, layout.MAX_CHANNEL_BYTES)
        if content is None:
            return None
        release = read_app_release(content, self._channel)
        installer = release.installers.get(self._platform)
        newer = layout.version_key(release.version) > layout.version_key(self._running)
        if installer is None or not newer or not self._admitted(release.rollout):
            return None
        return AppOffer(release.version, installer)

    def fetch(self, offer: AppOffer, on_progress: OnProgress | None = None) -> Path:
        """Bring the installer of `offer`, verified, and return where it lies ready.

        The installer of the running version stays, and no other.

        Raises:
            BundleError: it cannot be had or trusted; what lay ready before still does.
        """
        file = self._place(offer.version) / Path(offer.path).name
        if self.ready(offer.version) != file:
            incoming = self._folder / "incoming"
            signed = self._client.bring(offer.path, incoming, MAX_INSTALLER_BYTES, on_progress)
            with files.storage_errors():
                file.parent.mkdir(parents=True, exist_ok=True)
                incoming.replace(file)
                about = {"name": file.name, "sha256": signed.hashes["sha256"]}
                files.write_durably(file.with_name(_ABOUT), json.dumps(about).encode())
        self._keep(offer.version, self._running)
        return file

    def ready(self, version: str) -> Path | None:
        """Return the installer of a version that lies here, unchanged since it was verified.

        Raises:
            BundleTamperedError: it was changed on the disk.
        """
        about = files.read_bounded(self._place(version) / _ABOUT, layout.MAX_CHANNEL_BYTES)
        if about is None:
            return None
        try:
            named = json.loads(about)
            file = self._place(version) / Path(named["name"]).name
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise BundleTamperedError(f"the installer of {version} is damaged") from error
        if digest != named["sha256"]:
            raise BundleTamperedError(f"the installer of {version} was changed")
        return file

    def previous(self) -> tuple[str, Path] | None:
        """Return the newest version before the running one whose installer lies here.

        Raises:
            BundleTamperedError: it was changed on the disk.
        """
        now = layout.version_key(self._running)
        older = [v for v in self._held() if layout.version_key(v) < now]
        for version in sorted(older, key=layout.version_key, reverse=True):
            file = self.ready(version)
            if file is not None:
                return version, file
        return None

    def _admitted(self, rollout: Rollout | None) -> bool:
        if rollout is None:
            return True
        if self._device is None:
            return rollout.sites is None and rollout.basis_points == BASIS_POINTS
        return rollout.admits(self._device.id, self._device.site)

    def _place(self, version: str) -> Path:
        layout.version_key(version)
        return self._folder / version

    def _held(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return [p.name for p in self._folder.iterdir() if (p / _ABOUT).is_file()]

    def _keep(self, *versions: str) -> None:
        for version in self._held():
            if version not in versions:
                shutil.rmtree(self._folder / version, ignore_errors=True)
