"""Installers of the application on this device: verified, laid ready, and kept to go back to.

<folder>/<version>/<file>        one installer
<folder>/<version>/signed.json   its name, and the SHA-256 that was signed
"""

import hashlib
import json
import platform as system
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from model_bundles import files, layout
from model_bundles.errors import BundleMalformedError, BundleTamperedError

_ABOUT: Final = "signed.json"

PLATFORMS: Final = MappingProxyType({"windows-x64": "-x64.msi", "linux-amd64": "_amd64.deb"})
"""Platform -> how the names of its installers end."""


def platform_of(name: str) -> str:
    """Return the platform an installer is for, by its name. Raises BundleMalformedError."""
    for platform, ending in PLATFORMS.items():
        if name.endswith(ending):
            return platform
    raise BundleMalformedError(
        f"{name[:80]!r} ends like no installer: {', '.join(PLATFORMS.values())}"
    )


def this_platform() -> str:
    """Return the platform of this machine, empty where there is no installer for it."""
    machine = system.machine().lower()
    if machine not in {"amd64", "x86_64"}:
        return ""
    return {"win32": "windows-x64", "linux": "linux-amd64"}.get(sys.platform, "")


@dataclass(frozen=True, slots=True)
class Installers:
    """What lies in `folder`, seen from the version that runs."""

    folder: Path
    running: str

    @property
    def incoming(self) -> Path:
        """Where an installer is written until it is whole and verified."""
        return self.folder / "incoming"

    def is_newer(self, version: str) -> bool:
        """Return whether `version` is newer than what runs. Raises BundleMalformedError."""
        return layout.version_key(version) > layout.version_key(self.running)

    def newer(self) -> str:
        """Return the newest version here that is newer than what runs, empty for none."""
        held = self._held()
        return held[-1] if held and self.is_newer(held[-1]) else ""

    def older(self) -> str:
        """Return the newest version here that is older than what runs, empty for none."""
        now = layout.version_key(self.running)
        return next((v for v in reversed(self._held()) if layout.version_key(v) < now), "")

    def ready(self, version: str) -> Path | None:
        """Return the installer of a version, unchanged since it was verified; None for none.

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

    def sound(self, version: str) -> Path | None:
        """Return the installer of a version, None also where it was changed: bring it again."""
        try:
            return self.ready(version)
        except BundleTamperedError:
            return None

    def previous(self) -> tuple[str, Path] | None:
        """Return the newest version before the running one, and its installer, or None.

        Raises:
            BundleTamperedError: it was changed on the disk.
        """
        version = self.older()
        file = self.ready(version) if version else None
        return None if file is None else (version, file)

    def take(self, version: str, name: str, sha256: str) -> Path:
        """Lay the verified `incoming` file ready; return where. Raises BundleStorageError."""
        file = self._place(version) / name
        with files.storage_errors():
            file.parent.mkdir(parents=True, exist_ok=True)
            self.incoming.replace(file)
            about = {"name": name, "sha256": sha256}
            files.write_durably(file.with_name(_ABOUT), json.dumps(about).encode())
        return file

    def keep_only(self, version: str) -> None:
        """Delete every installer but those of `version` and of what runs."""
        for held in self._held():
            if held not in {version, self.running}:
                shutil.rmtree(self._place(held), ignore_errors=True)

    def _place(self, version: str) -> Path:
        layout.version_key(version)
        return self.folder / version

    def _held(self) -> list[str]:
        """Return the versions that lie here, oldest first."""
        if not self.folder.is_dir():
            return []
        names = [path.parent.name for path in self.folder.glob(f"*/{_ABOUT}")]
        return sorted(filter(_is_version, names), key=layout.version_key)


def _is_version(name: str) -> bool:
    try:
        layout.version_key(name)
    except BundleMalformedError:
        return False  # a folder of somebody else's
    return True
