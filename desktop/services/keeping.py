"""Keeping the records: backups on request and every day, the check of every page every week."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from ddx.domain.audit import AuditAction
from ddx.domain.course import UNWATCHED, Course, StoppedError
from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Permission
from desktop.services.desk import Desk
from desktop.services.journal import within
from desktop.services.records import BackupCard
from desktop.services.retention import retire_audit
from desktop.settings import Settings
from desktop.store import backups
from desktop.store.backups import Backup
from desktop.store.unit_of_work import UnitOfWork
from desktop.store.vault import Vault

BACKUP_EVERY: Final = timedelta(days=1)
CHECK_EVERY: Final = timedelta(days=7)
CHECKED_AT: Final = "store.checked_at"


class KeepingService:
    """Backups and checks of the open store."""

    def __init__(
        self,
        desk: Desk,
        vault: Vault,
        place: Path,
        keep: int,
        *,
        audit_days: int = Settings().audit_retention_days,
    ) -> None:
        """Bind the store.

        place: folder of the backups; keep: how many stay there. audit_days: how long the audit is
        kept here once the server has it.
        """
        self._desk, self._vault, self._place, self._keep = desk, vault, place, keep
        self._audit_days = audit_days

    @property
    def place(self) -> Path:
        """Folder of the backups."""
        return self._place

    def backups(self) -> tuple[BackupCard, ...]:
        """Return those of this clinic, newest first; any signed-in person may ask."""
        with self._desk.store.read() as unit:
            clinic = unit.clinic.get().id
        return cards(self._place, clinic)

    def back_up(self, course: Course = UNWATCHED) -> BackupCard:
        """Write an encrypted backup, read it back whole, and return it. Stopped, there is none.

        Raises:
            StoreFullError, StoreCorruptError: no backup was made; earlier ones stand.
        """
        self._desk.require(Permission.MANAGE_CLINICIANS)
        return self._back_up(course)

    def check(self, course: Course = UNWATCHED) -> datetime:
        """Read every page and index, and return when. Raises StoreCorruptError.

        Stopped, it stays due, and the chain tells that it was begun and not finished.
        """
        self._desk.require(Permission.MANAGE_CLINICIANS)
        return self._check(course)

    def upkeep(self, course: Course = UNWATCHED) -> None:
        """Do what is due; for any session, in background.

        A check each week, a backup each day, and after it the audit that has grown too old goes.

        Stopped, what was not finished stays due.

        Raises:
            StoreCorruptError: the check found damage; end the session and restore a backup.
            StoreFullError: the backup did not fit; earlier ones stand.
        """
        self._keep_ledger()  # what a full disk or a crash kept an erasure from writing
        now = self._desk.now()
        with self._desk.store.read() as unit:
            checked = unit.settings.get(CHECKED_AT)
        if checked is None or not within(CHECK_EVERY, datetime.fromisoformat(checked), now):
            self._check(course)
        if not any(within(BACKUP_EVERY, backup.made_at, now) for backup in self.backups()):
            self._back_up(course)
        retire_audit(self._desk, self._audit_days, course)

    def _back_up(self, course: Course) -> BackupCard:
        made = self._vault.back_up(
            self._desk.store, self._place, self._desk.now(), self._keep, course
        )
        self._keep_ledger()
        with self._desk.store.write() as unit:
            self._desk.journal.record(unit, AuditAction.EXPORTED, "store.backup", bytes=made.size)
        return _card(made)

    def _keep_ledger(self) -> None:
        with self._desk.store.read() as unit:
            key, erased = unit.clinic.get().pseudonym_key, unit.erasures.all()
        self._vault.ledger(self._place).keep(key, erased)

    def _check(self, course: Course) -> datetime:
        try:
            self._desk.store.check(course)
        except StoppedError:
            with self._desk.store.write() as unit:
                self._write_down_check(unit, finished=False)
            raise
        now = self._desk.now()
        with self._desk.store.write() as unit:
            unit.settings.put(CHECKED_AT, now.isoformat())
            self._write_down_check(unit, sound=True)
        return now

    def _write_down_check(self, unit: UnitOfWork, **told: bool) -> None:
        device = unit.device.get().id
        self._desk.journal.record(unit, AuditAction.STORE_CHECKED, device, **told)


def cards(place: Path, clinic: RecordId | None = None) -> tuple[BackupCard, ...]:
    """Return the finished backups in `place`, newest first. clinic: only those of this one."""
    return tuple(_card(backup) for backup in backups.backups_in(place, clinic))


def _card(backup: Backup) -> BackupCard:
    return BackupCard(
        folder=backup.folder,
        clinic="" if backup.owner is None else backup.owner.name,
        made_at=backup.made_at,
        size=backup.size,
    )
