"""The clinic before anybody is signed in: set up, sign in, recover, set aside."""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ddx.domain.audit import AuditAction
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.identifiers import RecordId, new_record_id
from ddx.domain.roles import Role
from ddx.terminology.catalogue import Catalogue
from ddx.terminology.search import FindingSearch
from desktop.services.desk import Desk
from desktop.services.engines import BundleShelf
from desktop.services.epochs import EpochReason, settle_in
from desktop.services.erasing import erase_again
from desktop.services.errors import (
    ClinicDetailsError,
    RecoveryRefusedError,
    SignInRefusedError,
)
from desktop.services.floors import StoreFloors
from desktop.services.guard import Guard
from desktop.services.identity import standing_of
from desktop.services.journal import Clock, Journal, utc_now
from desktop.services.keeping import KeepingService, cards
from desktop.services.records import BackupCard, ClinicianCard, RestoreReport
from desktop.services.session import Session
from desktop.services.staff import StaffService
from desktop.settings import Settings
from desktop.store.attempts import Attempt
from desktop.store.backups import Backup
from desktop.store.errors import RecordMissingError
from desktop.store.files import disk_errors
from desktop.store.keys import Argon2Cost, new_data_key
from desktop.store.keystore import Keystore
from desktop.store.ledger import NAME
from desktop.store.records import ClinicianRecord, ClinicRecord
from desktop.store.store import ClinicStore
from desktop.store.unit_of_work import UnitOfWork
from desktop.store.vault import Vault
from model_bundles.errors import BundleError

RESTORER: Final = RecordId("restore")
"""Whose tries a restore counts: it has no clinician yet."""
FOLDER: Final = "store"
BACKUPS: Final = "backups"
INSTALLERS: Final = "app-update"
"""Of the application: what its client remembers, and what lies ready."""


class Clinic:
    """One data directory. Everything but the list of clinicians is behind `sign_in`."""

    def __init__(
        self,
        data_dir: Path,
        shelf: BundleShelf,
        *,
        settings: Settings | None = None,
        now: Clock = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        cost: Argon2Cost | None = None,
        keystore: Keystore | None = None,
    ) -> None:
        """Bind the parts; nothing is opened. cost: of new passphrases (tests make it small).

        keystore: of the operating system unless given.
        """
        self._data_dir = data_dir
        self._vault = Vault(data_dir / FOLDER, cost=cost, keystore=keystore)
        chosen = (settings or Settings()).backup_folder
        self._place = Path(chosen) if chosen else data_dir / BACKUPS
        self._shelf, self._settings = shelf, settings or Settings()
        self._now, self._sleep = now, sleep

    @property
    def catalogue(self) -> Catalogue:
        """Findings and diseases of the active bundle."""
        return self._shelf.engine.catalogue

    @property
    def search(self) -> FindingSearch:
        """Search over the catalogue of the active bundle."""
        return self._shelf.engine.search

    def warm(self, pause: Callable[[], object]) -> None:
        """Make what the first visit would wait for. pause: called between two short steps."""
        self._shelf.engine.warm(pause)

    @property
    def suggested_server(self) -> str:
        """The server this machine was set up for, empty when none."""
        return self._settings.sync_url

    def is_set_up(self) -> bool:
        """Whether a clinic was created here, sound or damaged."""
        return self._vault.exists

    def create(
        self,
        *,
        clinic_name: str,
        display_name: str,
        passphrase: str,
        course: Course = UNWATCHED,
    ) -> str:
        """Create the encrypted clinic and its first clinician; return the recovery key.

        The recovery key is shown once and kept nowhere. Stopped, there is no clinic.

        Raises:
            ClinicDetailsError, WeakPassphraseError: nothing was created.
            StoreExistsError: there is a clinic already.
        """
        if not clinic_name.strip() or not display_name.strip():
            raise ClinicDetailsError("a clinic and its first clinician need a name")
        first = ClinicianRecord(
            id=new_record_id(), display_name=display_name.strip(), role=Role.MEDICO_ADMIN
        )
        return self._vault.create(
            first, passphrase, lambda store: self._found(store, clinic_name.strip(), first), course
        )

    def clinicians(self) -> tuple[ClinicianCard, ...]:
        """Return who may sign in, before anything is unlocked. Raises StoreCorruptError."""
        if not self.is_set_up():
            return ()
        return tuple(
            ClinicianCard(
                id=slot.id,
                display_name=slot.display_name,
                role=slot.role or Role.MEDICO_GENERAL,
            )
            for slot in self._vault.slots().clinicians
        )

    def sign_in(self, clinician: RecordId, passphrase: str) -> Session:
        """Return the session of `clinician`.

        Raises:
            SignInRefusedError: wrong, unknown or too soon; `retry_after_s` says when to try.
            StoreCorruptError: the passphrase is right and the files are damaged; untouched.
        """
        store = self._guard.tried(clinician, lambda: self._vault.open(clinician, passphrase))
        return self._session(store, clinician)

    def recover(self, recovery_key: str, clinician: RecordId, passphrase: str) -> Session:
        """Return the session of `clinician` under a new passphrase, with the recovery key.

        Raises:
            RecoveryTypingError: mistyped; `groups` says where. Nothing was tried.
            RecoveryRefusedError: not this clinic's recovery key, or too soon.
            WeakPassphraseError: the old passphrase stands.
        """
        self.reset_passphrase(recovery_key, clinician, passphrase)
        return self.sign_in(clinician, passphrase)

    def reset_passphrase(self, recovery_key: str, clinician: RecordId, passphrase: str) -> None:
        """Give `clinician` a new passphrase with the printed recovery key; the chain tells of it.

        Raises:
            RecoveryRefusedError: not this clinic's recovery key.
            WeakPassphraseError: the old passphrase stands.
            StoreCorruptError: the key is right and the files are damaged; untouched.
        """
        slots = self._vault.slots().recovery
        holder = slots[0].id if slots else clinician
        try:
            self._guard.tried(
                holder,
                lambda: self._vault.reset_passphrase(
                    recovery_key,
                    clinician,
                    passphrase,
                    lambda store: self._write_down(store, clinician, "clinician.recovered"),
                ),
            )
        except SignInRefusedError as refused:
            raise RecoveryRefusedError(refused.retry_after_s) from None

    def change_data_key(
        self, clinician: RecordId, passphrase: str, course: Course = UNWATCHED
    ) -> str:
        """Encrypt everything under a new key and return the new recovery key; sign out first.

        Every other clinician then needs a new passphrase from this one. Stopped, the old key and
        all its passphrases stand; the encrypting itself is one call, which nothing ends early.

        Raises:
            SignInRefusedError, StoreFullError: nothing was changed.
        """
        return self._guard.tried(
            clinician,
            lambda: self._vault.change_data_key(
                clinician,
                passphrase,
                lambda store: self._write_down(store, clinician, "store.data_key"),
                course,
            ),
        )

    def backups(self) -> tuple[BackupCard, ...]:
        """Return the backups there are, newest first, before anything is unlocked.

        Where clinics share a folder those of the others, too: which is whose, the card says.
        """
        return cards(self._place)

    def restore(self, backup: Path, secret: str, course: Course = UNWATCHED) -> RestoreReport:
        """Put a backup in the place of the store, which is kept aside, whole.

        secret: a passphrase or the recovery key of the day of the backup. Stopped, the store of
        now stands; nothing stops it from the moment the backup was checked to the last page.

        Raises:
            BackupUnusableError: altered or damaged; the store was not touched.
            SignInRefusedError: opens no slot of the backup, or too soon.
            StoreFullError: nothing was replaced.
        """
        with disk_errors():  # a new computer has no folder yet
            self._data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        guard = Guard(self._vault.restore_attempts, self._now, self._sleep)
        done = guard.tried(
            RESTORER,
            lambda: self._vault.restore(
                backup,
                secret,
                self._now(),
                self._write_down_restore,
                self._send_what_waits,
                course=course,
            ),
        )
        return RestoreReport(made_at=done.made_at, epoch=done.epoch, aside=done.aside)

    def quarantine(self) -> Path:
        """Set a damaged store aside, whole, and return where; a backup can be restored then."""
        return self._vault.quarantine(self._now())

    @property
    def _guard(self) -> Guard:
        return Guard(self._vault.attempts, self._now, self._sleep)

    def _send_what_waits(self, unit: UnitOfWork) -> None:
        """Have the entries that no event carried on the day of the backup leave, too."""
        Journal(unit.device.get().id, self._now).send_audit(unit)

    def _write_down_restore(self, store: ClinicStore, backup: Backup) -> None:
        with store.write() as unit:
            device = unit.device.get()
            journal = Journal(device.id, self._now)
            made_at = backup.made_at.isoformat()
            settle_in(unit, journal, EpochReason.RESTORED_BACKUP, made_at=made_at)
            ledger = self._vault.ledger(self._place).also(backup.folder.parent / NAME)
            erased = ledger.genuine(unit.clinic.get().pseudonym_key)
            erase_again(unit, journal, erased, self._now())

    def _write_down(self, store: ClinicStore, clinician: RecordId, what: str) -> None:
        """Write down what was done to the keys with no session; `clinician` did it, or had it."""
        with store.write() as unit:
            Journal(clinician, self._now).record(
                unit, AuditAction.SETTING_CHANGED, what, clinician=clinician
            )

    def _found(self, store: ClinicStore, name: str, first: ClinicianRecord) -> None:
        now = self._now()
        clinic = ClinicRecord(
            id=new_record_id(), name=name, pseudonym_key=new_data_key(), created_at=now
        )
        with store.write() as unit:
            unit.clinic.found(clinic)
            unit.clinic.add_clinician(first, now)
            unit.device.enrol(new_record_id(), Ed25519PrivateKey.generate(), now)
            Journal(first.id, self._now).record(unit, AuditAction.CLINIC_CREATED, clinic.id)

    def _session(self, store: ClinicStore, clinician: RecordId) -> Session:
        try:
            with store.read() as unit:
                person = unit.clinic.clinician(clinician)
                now = self._now()
                role = standing_of(unit, person.id, person.role, now).role
        except RecordMissingError:
            store.close()
            raise SignInRefusedError(0.0) from None
        card = ClinicianCard(id=person.id, display_name=person.display_name, role=role)
        desk = Desk(
            clinician=card,
            store=store,
            shelf=self._shelf,
            journal=Journal(card.id, self._now),
            now=self._now,
        )
        try:
            self._write_down_sign_in(desk)
        except BaseException:
            store.close()
            raise
        return Session(
            desk,
            self._settings,
            StaffService(desk, self._vault, self._guard),
            KeepingService(
                desk,
                self._vault,
                self._place,
                self._settings.backups_kept,
                audit_days=self._settings.audit_retention_days,
            ),
            self._vault.ledger(self._place),
            installers=self._data_dir / INSTALLERS,
        )

    def _write_down_quarantines(self, unit: UnitOfWork) -> None:
        """Have the chain tell of damaged stores set aside here: nothing could be written then."""
        device = unit.device.get().id
        for at in self._vault.quarantined():
            entry = _entry_of(device, at)
            if not unit.audit.holds(entry):
                unit.audit.append(
                    id=entry,
                    at=self._now(),
                    actor=device,
                    action=AuditAction.STORE_QUARANTINED,
                    subject=device,
                    detail={"set_aside_at": at.isoformat()},
                )

    def _write_down_sign_in(self, desk: Desk) -> None:
        counters = (self._vault.attempts, self._vault.restore_attempts)
        told, bundles = [(c, c.refused()) for c in counters], desk.shelf.refused
        with desk.store.write() as unit:
            device = unit.device.get().id
            for attempt in (attempt for _, refused in told for attempt in refused):
                if not unit.audit.holds(attempt.id):
                    unit.audit.append(
                        id=attempt.id,
                        at=self._now(),
                        actor=device,
                        action=AuditAction.SIGN_IN_REFUSED,
                        subject=attempt.slot,
                        detail=_told(attempt),
                    )
            self._write_down_quarantines(unit)
            desk.journal.record(unit, AuditAction.SIGN_IN, desk.clinician.id)
            for code in bundles:
                desk.journal.record(unit, AuditAction.BUNDLE_REFUSED, code)
        for counter, refused in told:
            counter.audited(refused)
        with suppress(BundleError):  # the damage is told by `refused`, or by the next update
            desk.shelf.remember(StoreFloors(desk.store))


def _entry_of(device: RecordId, at: datetime) -> RecordId:
    """Return the one entry id a store set aside at that moment has in every copy of the chain."""
    entropy = hashlib.sha256(f"{device} {at.isoformat()}".encode()).digest()[:10]
    return new_record_id(unix_ms=int(at.timestamp() * 1000), entropy=entropy)


def _told(attempt: Attempt) -> dict[str, object]:
    return {"refused_at": attempt.at.isoformat()}
