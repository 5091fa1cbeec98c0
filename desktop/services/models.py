"""The model as the clinician sees it: which one answers, and is there a newer one."""

from pathlib import Path
from typing import TYPE_CHECKING

from ddx.domain.audit import AuditAction
from ddx.domain.roles import Permission
from desktop.services.desk import Desk
from desktop.services.errors import NotLinkedError
from desktop.services.records import ModelStatus, UpdateOutcome
from desktop.services.sync import SyncService

if TYPE_CHECKING:
    from sync_service.client.updates import UpdateReport


class ModelService:
    """The bundles of this device."""

    def __init__(self, desk: Desk, sync: SyncService) -> None:
        self._desk, self._sync = desk, sync

    def status(self) -> ModelStatus:
        """Return which bundle answers; any signed-in person may ask."""
        return self._desk.shelf.status

    def update(self) -> UpdateOutcome:
        """Install what the server offers, if it proves itself; the active one serves until then.

        A newer bundle may be asked for by anybody who diagnoses: it is trusted for its
        signatures, not for who fetched it.
        """
        self._desk.require(Permission.DIAGNOSE)
        try:
            line = self._sync.line()
        except NotLinkedError as error:
            return UpdateOutcome(
                result="not_linked", version=self.status().version, code=error.code
            )
        if not line.meter.lets_bundles_pass():  # paid by the byte, and records go first
            return UpdateOutcome(
                result="offline", version=self.status().version, code="sync.metered"
            )
        return self._ended(self._desk.shelf.update(line.http, line.server))

    def update_from(self, folder: Path) -> UpdateOutcome:
        """Install what a USB stick offers, verified exactly as from the server."""
        self._desk.require(Permission.DIAGNOSE)
        return self._ended(self._desk.shelf.update_from(folder))

    def _ended(self, report: "UpdateReport") -> UpdateOutcome:
        if report.result == "activated":
            self._write_down(AuditAction.BUNDLE_ACTIVATED, self.status().digest, report.version)
        elif report.result == "refused":
            self._write_down(AuditAction.BUNDLE_REFUSED, report.code, report.version)
        return UpdateOutcome(
            result=report.result.value, version=report.version, code=report.code or None
        )

    def _write_down(self, action: AuditAction, subject: str, version: str) -> None:
        with self._desk.store.write() as unit:
            self._desk.journal.record(unit, action, subject, version=version)
