"""Newer versions of the application on this computer: offered, brought, and handed to the system.

The application replaces nothing of itself: it names the installer that was verified and the command
of the system that installs it, which asks for an administrator.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddx.domain.audit import AuditAction
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.roles import Permission
from desktop.services.desk import Desk
from desktop.services.errors import NoInstallerError
from desktop.services.sync import SyncService
from model_bundles import embedded
from model_bundles.errors import BundleMeteredError
from model_bundles.installers import Installers, this_platform
from model_bundles.verify import Trust

if TYPE_CHECKING:  # TUF and httpx load when somebody asks for an installer
    from model_bundles.app_updates import AppUpdates


_KEEP_POLICY: Final = ("-o", "Dpkg::Options::=--force-confold")
"""A policy file that IT changed stays as it is; without this dpkg would ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationStatus:
    """running: this version. ready, before: newer and older ones whose installers lie here.

    Empty where there is none. Nothing is verified and nobody is asked.
    """

    running: str
    ready: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A verified installer, and the command of the system that puts it in place.

    unattended: whether this process may start the command: Windows asks for an administrator
    itself, elsewhere root has to start it.
    """

    version: str
    file: Path
    command: tuple[str, ...]
    unattended: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides the command. platform: `windows-x64` or `linux-amd64`, empty for others."""

    platform: str
    root: bool

    @classmethod
    def here(cls) -> "Machine":
        """Return this machine."""
        return cls(this_platform(), root=sys.platform != "win32" and os.geteuid() == 0)

    def installation(self, of: str, file: Path, *, back: bool) -> Installation:
        """Return how `file` is installed here. back: over a newer version.

        The system keeps what was told to the installation before (docs/guide/it.md).
        """
        if self.platform == "windows-x64":
            older = ("ALLOWDOWNGRADE=1",) if back else ()
            command = ("msiexec", "/i", str(file), "/passive", "/norestart", *older)
            return Installation(version=of, file=file, command=command, unattended=True)
        older = ("--allow-downgrades",) if back else ()
        command = ("apt-get", "install", "--yes", *_KEEP_POLICY, *older, str(file))
        if not self.root:
            command = ("sudo", *command)
        return Installation(version=of, file=file, command=command, unattended=self.root)


class ApplicationService:
    """The versions of the application for the device of one open store."""

    def __init__(
        self,
        desk: Desk,
        sync: SyncService,
        folder: Path | None,
        *,
        trust: Callable[[], Trust] = embedded.embedded_trust,
        machine: Machine | None = None,
        running: str | None = None,
    ) -> None:
        """Bind the parts. folder: of its own in the data directory; None in a session without one.

        trust: what installers must be signed by. running: this version, unless told otherwise.
        """
        self._desk, self._sync, self._folder = desk, sync, folder
        self._trust, self._machine = trust, machine or Machine.here()
        self._running = running or version("vereda")

    def status(self) -> ApplicationStatus:
        """Return which versions lie here; any signed-in person may ask."""
        if self._folder is None:
            return ApplicationStatus(running=self._running)
        here = self._installers
        return ApplicationStatus(running=self._running, ready=here.newer(), before=here.older())

    def fetch(self, course: Course = UNWATCHED) -> ApplicationStatus:
        """Bring the installer this device is offered, verified; without an offer nothing changes.

        course: told of bytes; stopped, what came is kept and the next call goes on from it.

        Raises:
            NotLinkedError, NoInstallerError: no server; no installers for this kind of machine.
            BundleError: it cannot be had or trusted; what lay ready before still does.
        """
        self._desk.require(Permission.MANAGE_CLINICIANS)
        updates = self._updates(course)
        offer = updates.offered()
        if offer is not None:
            if not self._sync.line().meter.lets_bundles_pass():
                raise BundleMeteredError("a new version waits for a link that is not metered")
            updates.fetch(offer, course.at)
            self._write_down("fetched", offer.version)
        return self.status()

    def installation(self) -> Installation:
        """Return how the newer version that lies ready is installed, verified once more.

        Raises:
            NoInstallerError: none lies ready. BundleTamperedError: it was changed on the disk.
        """
        self._desk.require(Permission.MANAGE_CLINICIANS)
        ready = self._installers.newer()
        file = self._installers.ready(ready) if ready else None
        if file is None:
            raise NoInstallerError("no newer version lies ready")
        self._write_down("install", ready)
        return self._machine.installation(ready, file, back=False)

    def way_back(self) -> Installation:
        """Return how the version before this one is put back, verified once more.

        Raises:
            NoInstallerError: its installer is not kept. BundleTamperedError: it was changed.
        """
        self._desk.require(Permission.MANAGE_CLINICIANS)
        found = self._installers.previous()
        if found is None:
            raise NoInstallerError("the installer of the version before is not here")
        self._write_down("rollback", found[0])
        return self._machine.installation(*found, back=True)

    def standing_on(
        self, trust: Callable[[], Trust], machine: Machine, running: str
    ) -> "ApplicationService":
        """Return this service with another root of trust, for another machine and version."""
        return ApplicationService(
            self._desk, self._sync, self._folder, trust=trust, machine=machine, running=running
        )

    @property
    def _installers(self) -> Installers:
        if self._folder is None:
            raise NoInstallerError("this session has no folder")
        return Installers(self._folder / "installers", self._running)

    def _updates(self, course: Course) -> "AppUpdates":
        from model_bundles.app_updates import AppUpdates  # noqa: PLC0415 -- TUF and httpx
        from model_bundles.client import Device  # noqa: PLC0415
        from sync_service.client.updates import bundle_client  # noqa: PLC0415

        installers, line, settings = self._installers, self._sync.line(), self._sync.settings()
        if not self._machine.platform:
            raise NoInstallerError("there is no installer for this kind of machine")
        with self._desk.store.read() as unit:
            device = unit.device.get().id
        client = bundle_client(
            line.http,
            line.server,
            self._trust(),
            installers.folder.with_name("client"),
            settings.update_channel,
            budget=line.bundle_budget(),
            may_go_on=course.may_go_on,
        )
        return AppUpdates(
            client,
            installers,
            platform=self._machine.platform,
            channel=settings.update_channel,
            device=Device(device, settings.site_id or None),
        )

    def _write_down(self, step: str, version: str) -> None:
        with self._desk.store.write() as unit:
            self._desk.journal.record(
                unit, AuditAction.APPLICATION_UPDATE, version, step=step, version=version
            )
