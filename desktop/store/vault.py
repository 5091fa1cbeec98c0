"""The folder of one store: database, key slots, attempts. Created whole, never recreated.

`<folder>/clinic.db`, `keys.json`, `attempts.json`. Creation happens in a folder beside it and
ends with one rename, so a power cut leaves a whole clinic or none.
"""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Role
from desktop.store.attempts import Attempts
from desktop.store.errors import StoreCorruptError, StoreExistsError, WrongKeyError
from desktop.store.files import disk_errors, sync_directory
from desktop.store.keys import (
    Argon2Cost,
    KeySlot,
    KeySlots,
    new_data_key,
    passphrase_slot,
    recovery_slot,
    unwrap,
)
from desktop.store.records import ClinicianRecord
from desktop.store.store import ClinicStore

DATABASE: Final = "clinic.db"
SLOTS: Final = "keys.json"
ATTEMPTS: Final = "attempts.json"


class Vault:
    """One store's folder."""

    def __init__(self, folder: Path, *, cost: Argon2Cost | None = None) -> None:
        self._folder, self._cost = folder, cost or Argon2Cost()

    @property
    def exists(self) -> bool:
        """Whether a store was created here, whatever became of its files."""
        return self._folder.is_dir()

    @property
    def attempts(self) -> Attempts:
        """Failed sign-ins."""
        return Attempts(self._folder / ATTEMPTS)

    def slots(self) -> KeySlots:
        """Return the key slots. Raises StoreCorruptError when they are missing or damaged."""
        return KeySlots.read(self._folder / SLOTS)

    def create(
        self, first: ClinicianRecord, passphrase: str, fill: Callable[[ClinicStore], None]
    ) -> str:
        """Create the store, let `fill` write its first rows, and return the recovery key.

        Raises:
            StoreExistsError: there is one already.
            WeakPassphraseError: nothing was created.
        """
        if self.exists:
            raise StoreExistsError(f"{self._folder.name} already holds a store")
        data_key = new_data_key()
        slot = self._slot(data_key, passphrase, first)
        recovery, printed = recovery_slot(data_key)
        with disk_errors():
            workshop = self._empty_workshop()
            store = ClinicStore.create(workshop / DATABASE, data_key)
            try:
                fill(store)
            finally:
                store.close()
            KeySlots(slots=(slot, recovery)).write(workshop / SLOTS)
            workshop.rename(self._folder)
            sync_directory(self._folder.parent)
        return printed

    def open(self, clinician: RecordId, passphrase: str) -> ClinicStore:
        """Return the store that `passphrase` unlocks.

        Raises:
            WrongKeyError: not this clinician's passphrase.
            StoreCorruptError: the right key, but the files are damaged.
        """
        data_key = unwrap(self.slots().clinician(clinician), passphrase)
        return ClinicStore.open(self._folder / DATABASE, data_key)

    def reset_passphrase(self, recovery_key: str, clinician: RecordId, passphrase: str) -> None:
        """Give `clinician` a new passphrase with the printed recovery key.

        Raises:
            WrongKeyError: not this store's recovery key.
            WeakPassphraseError: the old passphrase stands.
        """
        slots = self.slots()
        data_key = self._recovered(slots, recovery_key)
        old = slots.clinician(clinician)
        person = ClinicianRecord(
            id=old.id, display_name=old.display_name, role=old.role or Role.MEDICO_GENERAL
        )
        renewed = self._slot(data_key, passphrase, person)
        slots.with_slot(renewed).write(self._folder / SLOTS)

    def quarantine(self, at: datetime) -> Path:
        """Move the whole store beside itself and return where it is now. Deletes nothing.

        Afterwards `exists` is False, so that a backup can be restored or a clinic created.
        """
        if not self.exists:
            raise StoreCorruptError(self._folder, "there is no store to set aside")
        aside = self._folder.with_name(f"{self._folder.name}.quarantined-{at:%Y%m%dT%H%M%S%fZ}")
        with disk_errors():
            self._folder.rename(aside)
            sync_directory(self._folder.parent)
        return aside

    def _empty_workshop(self) -> Path:
        workshop = self._folder.with_name(f"{self._folder.name}.creating")
        if workshop.exists():
            shutil.rmtree(workshop)  # a creation that never finished: no patient was ever in it
        workshop.mkdir(parents=True, mode=0o700)
        return workshop

    def _slot(self, data_key: bytes, passphrase: str, person: ClinicianRecord) -> KeySlot:
        return passphrase_slot(
            data_key,
            passphrase,
            clinician=person.id,
            display_name=person.display_name,
            role=person.role,
            cost=self._cost,
        )

    def _recovered(self, slots: KeySlots, recovery_key: str) -> bytes:
        for slot in slots.recovery:
            return unwrap(slot, recovery_key)
        raise WrongKeyError("this store has no recovery slot")
