"""The model as the clinician sees it: which one answers, and is there a newer one."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ddx.domain.audit import AuditAction
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.roles import Permission
from desktop.services.desk import Desk
from desktop.services.engines import BundleMemory, BundleShelf
from desktop.services.errors import NotLinkedError
from desktop.services.floors import StoreFloors
from desktop.services.records import ModelStatus, UpdateOutcome
from desktop.services.sync import SyncService

if TYPE_CHECKING:
    import httpx

    from sync_service.client.budget import ByteBudget
    from sync_service.client.updates import UpdateReport


class ModelService:
    """The bundles of this device."""

    def __init__(self, desk: Desk, sync: SyncService) -> None:
        self._desk, self._sync = desk, sync

    def status(self) -> ModelStatus:
        """Return which bundle answers; any signed-in person may ask."""
        old_after = self._sync.settings().max_model_age_days
        return replace(self._desk.shelf.status, old_after_days=old_after)

    def update(self, course: Course = UNWATCHED) -> UpdateOutcome:
        """Install what the server offers, if it proves itself; the active one serves until then.

        A newer bundle may be asked for by anybody who diagnoses: it is trusted for its
        signatures, not for who fetched it. course: told of bytes; stopped, what came is kept and
        the outcome is `postponed`, by the code of `StoppedError`.
        """
        self._desk.require(Permission.DIAGNOSE)
        try:
            line = self._sync.line()
        except NotLinkedError as error:
            return UpdateOutcome(
                result="not_linked", version=self.status().version, code=error.code
            )
        paid = not line.meter.lets_bundles_pass()
        return self.update_over(
            line.http, line.server, course, metered=paid, budget=line.bundle_budget()
        )

    def update_over(
        self,
        http: "httpx.Client",
        server: str,
        course: Course = UNWATCHED,
        *,
        metered: bool,
        budget: "ByteBudget | None" = None,
    ) -> UpdateOutcome:
        """Do as `update` does over a client of the caller's own.

        metered: orders are read, no release is downloaded. budget: the day's bytes.
        """
        self._desk.require(Permission.DIAGNOSE)
        memory = self._memory()
        return self._ended(
            self._desk.shelf.update(http, server, memory, course, metered=metered, budget=budget)
        )

    def standing_on(self, shelf: BundleShelf) -> "ModelService":
        """Return this service over another shelf: that of a caller who opens one when needed."""
        return ModelService(replace(self._desk, shelf=shelf), self._sync)

    def update_from(self, folder: Path, course: Course = UNWATCHED) -> UpdateOutcome:
        """Install what a USB stick offers, verified exactly as from the server."""
        self._desk.require(Permission.DIAGNOSE)
        return self._ended(self._desk.shelf.update_from(folder, self._memory(), course))

    def _ended(self, report: "UpdateReport") -> UpdateOutcome:
        if report.result in {"activated", "sent_back"}:
            self._write_down(AuditAction.BUNDLE_ACTIVATED, self.status().digest, report.version)
        elif report.result == "refused":
            self._write_down(AuditAction.BUNDLE_REFUSED, report.code, report.version)
        return UpdateOutcome(
            result=report.result.value,
            version=report.version,
            code=report.code or None,
            clock_behind_s=report.clock_behind_s,
        )

    def _memory(self) -> BundleMemory:
        with self._desk.store.read() as unit:
            device = unit.device.get().id
        return BundleMemory(device, StoreFloors(self._desk.store))

    def _write_down(self, action: AuditAction, subject: str, version: str) -> None:
        with self._desk.store.write() as unit:
            self._desk.journal.record(unit, action, subject, version=version)
