"""The folder of one store: database, key slots, attempts. Created whole, never recreated.

`<folder>/clinic.db`, `keys.json`, `attempts.json`, `ballast`. Creation, restoring a backup and
changing the data key happen in a folder beside it and end with one rename, so a power cut leaves
a whole clinic or none, and never an empty one.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ddx import file_lock
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.identifiers import RecordId, new_record_id
from ddx.domain.roles import Role
from desktop.store import backups, ballast, ledger, recovery, swap
from desktop.store.attempts import Attempts
from desktop.store.backups import Backup
from desktop.store.engine import change_key
from desktop.store.errors import (
    BackupUnusableError,
    StoreCorruptError,
    StoreExistsError,
    WrongKeyError,
)
from desktop.store.files import disk_errors, sync_directory, write_atomically
from desktop.store.keys import (
    Argon2Cost,
    KeySlot,
    KeySlots,
    new_data_key,
    passphrase_slot,
    recovery_slot,
    unwrap,
)
from desktop.store.keystore import DeviceSecret, Keystore, OsKeystore
from desktop.store.layout import ATTEMPTS, BACKING_UP, DATABASE, EPOCH, SLOTS
from desktop.store.ledger import ErasureLedger
from desktop.store.records import ClinicianRecord
from desktop.store.store import ClinicStore
from desktop.store.unit_of_work import UnitOfWork

ASKED_EVERY_S: Final = 0.1
"""While one backup waits for another: whether anybody still wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did. epoch: of the device from now on. aside: where the old store is."""

    epoch: int
    made_at: datetime
    aside: Path | None


class Vault:
    """One store's folder."""

    def __init__(
        self,
        folder: Path,
        *,
        cost: Argon2Cost | None = None,
        keystore: Keystore | None = None,
    ) -> None:
        """Bind a folder; a replacement that a crash interrupted is put in place first."""
        self._folder, self._cost = folder, cost or Argon2Cost()
        self._keystore: Keystore = keystore or OsKeystore()
        swap.finish(folder, datetime.now(UTC))

    @property
    def exists(self) -> bool:
        """Whether a store was created here, whatever became of its files."""
        return self._folder.is_dir()

    @property
    def attempts(self) -> Attempts:
        """Failed sign-ins."""
        return Attempts(self._folder / ATTEMPTS)

    @property
    def restore_attempts(self) -> Attempts:
        """Failed restores; beside the folder, which may not be there then."""
        return Attempts(self._folder.with_name(f"{self._folder.name}.{ATTEMPTS}"))

    def ledger(self, place: Path) -> ErasureLedger:
        """Return the ledger of erasures: beside the folder, and in `place` with the backups."""
        beside = self._folder.with_name(f"{self._folder.name}.{ledger.NAME}")
        return ErasureLedger(beside, place / ledger.NAME)

    def slots(self) -> KeySlots:
        """Return the key slots. Raises StoreCorruptError when they are missing or damaged."""
        return KeySlots.read(self._folder / SLOTS)

    def create(
        self,
        first: ClinicianRecord,
        passphrase: str,
        fill: Callable[[ClinicStore], None],
        course: Course = UNWATCHED,
    ) -> str:
        """Create the store, let `fill` write its first rows, and return the recovery key.

        Raises:
            StoreExistsError: there is one already.
            WeakPassphraseError: nothing was created.
        """
        if self.exists:
            raise StoreExistsError(f"{self._folder.name} already holds a store")
        data_key = new_data_key()
        slot = self._slot(data_key, passphrase, first, self._new_secret())
        course.at()
        recovery_, printed = recovery_slot(data_key)
        with disk_errors(), self._workshop() as workshop:
            store = ClinicStore.create(workshop / DATABASE, data_key)
            try:
                course.at()
                fill(store)
            finally:
                store.close()
            KeySlots(slots=(slot, recovery_)).write(workshop / SLOTS)
            course.last_step()
            workshop.rename(self._folder)
            sync_directory(self._folder.parent)
        return printed

    def open(self, clinician: RecordId, passphrase: str) -> ClinicStore:
        """Return the store that `passphrase` unlocks.

        Raises:
            WrongKeyError: not this clinician's passphrase, or not on this device.
            StoreCorruptError: the right key, but the files are damaged.
        """
        data_key = self._unlocked(self.slots().clinician(clinician), passphrase)
        store = ClinicStore.open(self._folder / DATABASE, data_key)
        ballast.lay(self._folder)
        return store

    # Who may open it: slots are rewritten, the database is not.

    def put_slot(self, holder: RecordId, secret: str, person: ClinicianRecord, new: str) -> None:
        """Give `person` a slot that the passphrase `new` opens, in place of an earlier one.

        holder, secret: a clinician and the passphrase that proves it.

        Raises:
            WrongKeyError: nothing was changed.
            WeakPassphraseError: nothing was changed.
        """
        slots = self.slots()
        data_key = self._unlocked(slots.clinician(holder), secret)
        self._put(slots, data_key, person, new)

    def remove_slot(self, clinician: RecordId) -> None:
        """Take the slot of `clinician` away; there may be none."""
        self.slots().without(clinician).write(self._folder / SLOTS)

    def proves(self, holder: RecordId, secret: str) -> None:
        """Return if `secret` is the passphrase of `holder`; raise WrongKeyError otherwise."""
        self._unlocked(self.slots().clinician(holder), secret)

    def reset_passphrase(
        self,
        recovery_key: str,
        clinician: RecordId,
        passphrase: str,
        write_down: Callable[[ClinicStore], None],
    ) -> None:
        """Give `clinician` a new passphrase with the printed recovery key.

        write_down: adds to the store, before the new passphrase opens it, that this was done.

        Raises:
            WrongKeyError: not this store's recovery key (RecoveryTypingError: mistyped).
            WeakPassphraseError, StoreCorruptError, StoreFullError: the old passphrase stands.
        """
        slots = self.slots()
        data_key = _recovered(slots, recovery_key)
        old = slots.clinician(clinician)
        person = ClinicianRecord(
            id=old.id, display_name=old.display_name, role=old.role or Role.MEDICO_GENERAL
        )
        slot = self._slot(data_key, passphrase, person, self._secret_of(slots))
        _written_down(self._folder / DATABASE, data_key, write_down)
        slots.with_slot(slot).write(self._folder / SLOTS)

    def change_data_key(
        self,
        holder: RecordId,
        passphrase: str,
        write_down: Callable[[ClinicStore], None],
        course: Course = UNWATCHED,
    ) -> str:
        """Encrypt the store under a new data key and return the new recovery key.

        For when someone who knew a passphrase may have kept a copy of the key slots. The other
        clinicians' slots wrap the old key and go: they need a new passphrase from `holder`. The
        store must be closed. Killed at any moment, the old store or the new one opens.

        write_down: adds to the store under the new key that this was done.

        Raises:
            WrongKeyError: nothing was changed.
            StoreFullError: nothing was changed; it needs as much room again as the database.
        """
        slots = self.slots()
        mine = slots.clinician(holder)
        old, new = self._unlocked(mine, passphrase), new_data_key()
        person = ClinicianRecord(
            id=mine.id, display_name=mine.display_name, role=mine.role or Role.MEDICO_GENERAL
        )
        recovery_, printed = recovery_slot(new)
        workshop = swap.build(self._folder)
        try:
            self._copy_under(old, workshop / DATABASE, course)
            course.at()
            change_key(workshop / DATABASE, old, new)
            _checked(workshop / DATABASE, new, course)
            _written_down(workshop / DATABASE, new, write_down)
            renewed = self._slot(new, passphrase, person, self._secret_of(slots))
            KeySlots(slots=(renewed, recovery_)).write(workshop / SLOTS)
            self._carry_attempts(workshop)
            course.last_step()
        except BaseException:
            shutil.rmtree(workshop, ignore_errors=True)
            raise
        swap.make_ready(self._folder)
        aside = swap.finish(self._folder, datetime.now(UTC))
        if aside is not None:
            _checked(self._folder / DATABASE, new)
            shutil.rmtree(aside, ignore_errors=True)  # every row of it is in the new store
        return printed

    # Copies.

    def back_up(
        self,
        store: ClinicStore,
        place: Path,
        at: datetime,
        keep: int,
        course: Course = UNWATCHED,
    ) -> Backup:
        """Write and verify a backup of the open `store`, then drop all but its `keep` newest.

        One after another: each begins by sweeping away what an earlier one left unfinished.
        What other clinics keep in `place` is left alone.

        Raises:
            StoreFullError, StoreCorruptError: no backup was made; earlier ones stand.
        """

        def fill(folder: Path) -> None:
            store.copy_to(folder / DATABASE, course)
            self.slots().write(folder / SLOTS)

        def verify(copy: Path) -> None:
            store.same_key(copy, course).close()

        with store.read() as unit:
            clinic = unit.clinic.get()
        with self._alone(course):
            owner = backups.Owner(clinic.id, clinic.name)
            made = backups.write_backup(place, owner, at, fill, verify, course=course)
            backups.rotate(made, owner.clinic, keep)
        return made

    @contextmanager
    def _alone(self, course: Course) -> Iterator[None]:
        """Wait for the backup another thread or process makes, or until nobody wants this one."""
        lock = self._folder.with_name(f"{self._folder.name}.{BACKING_UP}")
        with disk_errors(), file_lock.tried(lock) as taken:
            while not taken():
                course.at()
                time.sleep(ASKED_EVERY_S)
            yield

    def restore(
        self,
        folder: Path,
        secret: str,
        at: datetime,
        write_down: Callable[[ClinicStore, Backup], None],
        before: Callable[[UnitOfWork], None] = lambda _unit: None,
        *,
        course: Course = UNWATCHED,
    ) -> Restored:
        """Put the backup in `folder` in the place of the store, which is moved aside whole.

        secret: a passphrase or the recovery key of the day of the backup. write_down: adds to
        the restored store, in its new epoch, that it was restored. before: does what is left to
        do in the epoch of the backup. Nothing is replaced before the backup was hashed, opened,
        read to the last page and given its new epoch.

        Raises:
            BackupUnusableError: altered, incomplete or damaged; the store was not touched.
            WrongKeyError: opens no slot of the backup; the store was not touched.
        """
        backup = backups.verified(folder, course)
        data_key = self._opens_backup(backup, secret)
        workshop = swap.build(self._folder)
        try:
            backups.copied(backup, workshop, course)
            _checked(workshop / DATABASE, data_key, course)
            course.last_step()
            epoch = self._renewed(workshop / DATABASE, data_key, backup, write_down, before)
            self._carry_attempts(workshop)
        except StoreCorruptError as error:
            shutil.rmtree(workshop, ignore_errors=True)
            raise BackupUnusableError("the backup is damaged") from error
        except BaseException:
            shutil.rmtree(workshop, ignore_errors=True)
            raise
        swap.make_ready(self._folder)
        aside = swap.finish(self._folder, at)
        return Restored(epoch=epoch, made_at=backup.made_at, aside=aside)

    def quarantine(self, at: datetime) -> Path:
        """Move the whole store beside itself and return where it is now. Deletes nothing.

        Afterwards `exists` is False, so that a backup can be restored or a clinic created.
        """
        if not self.exists:
            raise StoreCorruptError(self._folder, "there is no store to set aside")
        return swap.set_aside(self._folder, at, swap.QUARANTINED)

    def quarantined(self) -> tuple[datetime, ...]:
        """Return when damaged stores were set aside here, oldest first."""
        return swap.quarantined(self._folder)

    def _renewed(
        self,
        database: Path,
        data_key: bytes,
        backup: Backup,
        write_down: Callable[[ClinicStore, Backup], None],
        before: Callable[[UnitOfWork], None],
    ) -> int:
        """Begin an epoch that neither the backup nor this device ever used, and return it."""
        store = ClinicStore.open(database, data_key)
        try:
            with store.write() as unit:
                before(unit)
                epoch = max(unit.device.get().epoch, self._highest_epoch()) + 1
                unit.device.begin_epoch(epoch)
            # Before the swap: a number given twice would look like a fork of the chain.
            write_atomically(self._epoch_file, str(epoch).encode())
            write_down(store, backup)
        finally:
            store.close()
        return epoch

    @property
    def _epoch_file(self) -> Path:
        return self._folder.with_name(f"{self._folder.name}.{EPOCH}")

    def _highest_epoch(self) -> int:
        try:
            return int(self._epoch_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0

    def _opens_backup(self, backup: Backup, secret: str) -> bytes:
        slots = KeySlots.read(backup.folder / SLOTS)
        if recovery.looks_like_one(secret):
            return _recovered(slots, secret)
        for slot in slots.clinicians:
            try:
                return self._unlocked(slot, secret)
            except WrongKeyError:
                continue
        raise WrongKeyError("opens no slot of the backup")

    def _copy_under(self, data_key: bytes, target: Path, course: Course) -> None:
        store = ClinicStore.open(self._folder / DATABASE, data_key)
        try:
            store.copy_to(target, course)
        finally:
            store.close()

    def _carry_attempts(self, workshop: Path) -> None:
        counted = self._folder / ATTEMPTS
        if counted.is_file():  # a lockout outlives a restore
            with disk_errors():
                shutil.copyfile(counted, workshop / ATTEMPTS)

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        """Give an empty folder beside this one; what is left in it when the block fails goes."""
        workshop = self._folder.with_name(f"{self._folder.name}.creating")
        if workshop.exists():
            shutil.rmtree(workshop)  # a creation that never finished: no patient was ever in it
        workshop.mkdir(parents=True, mode=0o700)
        try:
            yield workshop
        except BaseException:
            shutil.rmtree(workshop, ignore_errors=True)
            raise

    def _put(
        self, slots: KeySlots, data_key: bytes, person: ClinicianRecord, passphrase: str
    ) -> None:
        slot = self._slot(data_key, passphrase, person, self._secret_of(slots))
        slots.with_slot(slot).write(self._folder / SLOTS)

    def _slot(
        self,
        data_key: bytes,
        passphrase: str,
        person: ClinicianRecord,
        device: DeviceSecret | None,
    ) -> KeySlot:
        return passphrase_slot(
            data_key,
            passphrase,
            clinician=person.id,
            display_name=person.display_name,
            role=person.role,
            cost=self._cost,
            device=device,
        )

    def _unlocked(self, slot: KeySlot, passphrase: str) -> bytes:
        device = self._keystore.read(slot.device) if slot.device else None
        return unwrap(slot, passphrase, device)

    def _secret_of(self, slots: KeySlots) -> DeviceSecret | None:
        """Return the device secret these slots share, or a new one; None without a keystore."""
        known = self._keystore.read(slots.device) if slots.device else None
        return known or self._new_secret()

    def _new_secret(self) -> DeviceSecret | None:
        return self._keystore.make(new_record_id())


def _recovered(slots: KeySlots, recovery_key: str) -> bytes:
    for slot in slots.recovery:
        return unwrap(slot, recovery_key)
    raise WrongKeyError("this store has no recovery slot")


def _written_down(
    database: Path, data_key: bytes, write_down: Callable[[ClinicStore], None]
) -> None:
    store = ClinicStore.open(database, data_key)
    try:
        write_down(store)
    finally:
        store.close()


def _checked(database: Path, data_key: bytes, course: Course = UNWATCHED) -> None:
    store = ClinicStore.open(database, data_key)
    try:
        store.check(course)
    finally:
        store.close()
