"""Who may sign in: added, given a new passphrase, removed; the records are not re-encrypted."""

from ddx.domain.audit import AuditAction
from ddx.domain.identifiers import RecordId, new_record_id
from ddx.domain.roles import Permission, Role
from desktop.services.desk import Desk
from desktop.services.errors import ClinicDetailsError, LastAdminError
from desktop.services.guard import Guard
from desktop.services.records import ClinicianCard, StaffMember
from desktop.store.errors import WeakPassphraseError
from desktop.store.keys import PASSPHRASE_MINIMUM
from desktop.store.records import ClinicianRecord
from desktop.store.unit_of_work import UnitOfWork
from desktop.store.vault import Vault


class StaffService:
    """Clinicians of this clinic, for whoever manages them.

    Each change asks for the manager's own passphrase again: a session left open is not enough
    to let a stranger in.
    """

    def __init__(self, desk: Desk, vault: Vault, guard: Guard) -> None:
        self._desk, self._vault, self._guard = desk, vault, guard

    def members(self) -> tuple[StaffMember, ...]:
        """Return who may sign in; `has_key` is False for those who need a new passphrase."""
        self._desk.require(Permission.MANAGE_CLINICIANS)
        with self._desk.store.read() as unit:
            people = unit.clinic.clinicians()
        keyed = {slot.id for slot in self._vault.slots().clinicians}
        return tuple(
            StaffMember(
                id=person.id,
                display_name=person.display_name,
                role=person.role,
                has_key=person.id in keyed,
                is_self=person.id == self._desk.clinician.id,
            )
            for person in people
        )

    def add(self, own: str, display_name: str, role: Role, passphrase: str) -> ClinicianCard:
        """Add one person. own: the manager's passphrase.

        Raises:
            SignInRefusedError, ClinicDetailsError, WeakPassphraseError: nobody was added.
        """
        self._desk.require(Permission.MANAGE_CLINICIANS)
        if not display_name.strip():
            raise ClinicDetailsError("a clinician needs a name")
        person = ClinicianRecord(id=new_record_id(), display_name=display_name.strip(), role=role)
        self._prove(own, passphrase)
        with self._desk.store.write() as unit:
            unit.clinic.add_clinician(person, self._desk.now())
            self._note(unit, "clinician.added", person.id)
        self._put(own, person, passphrase)
        return ClinicianCard(id=person.id, display_name=person.display_name, role=person.role)

    def reset(self, own: str, clinician: RecordId, passphrase: str) -> None:
        """Give one person a new passphrase; the old one ends.

        Raises:
            SignInRefusedError, WeakPassphraseError, RecordMissingError: the old one stands.
        """
        self._desk.require(Permission.MANAGE_CLINICIANS)
        with self._desk.store.read() as unit:
            person = unit.clinic.clinician(clinician)
        self._prove(own, passphrase)
        with self._desk.store.write() as unit:
            self._note(unit, "clinician.passphrase", clinician)
        self._put(own, person, passphrase)

    def remove(self, own: str, clinician: RecordId) -> None:
        """End the access of one person at once; what they recorded stays.

        Raises:
            LastAdminError: nobody removes themselves, so a manager is always left.
            SignInRefusedError, RecordMissingError: nobody was removed.
        """
        self._desk.require(Permission.MANAGE_CLINICIANS)
        if clinician == self._desk.clinician.id:
            raise LastAdminError("nobody removes themselves")
        self.prove(own)
        with self._desk.store.write() as unit:  # the role in the store ends first: it counts
            unit.clinic.remove_clinician(clinician)
            self._note(unit, "clinician.removed", clinician)
        self._vault.remove_slot(clinician)

    def prove(self, own: str) -> None:
        """Return if `own` is the passphrase of who is signed in. Raises SignInRefusedError."""
        me = self._desk.clinician.id
        self._guard.tried(me, lambda: self._vault.proves(me, own))

    def _prove(self, own: str, new: str) -> None:
        if len(new) < PASSPHRASE_MINIMUM:
            raise WeakPassphraseError(PASSPHRASE_MINIMUM)
        self.prove(own)

    def _put(self, own: str, person: ClinicianRecord, passphrase: str) -> None:
        self._vault.put_slot(self._desk.clinician.id, own, person, passphrase)

    def _note(self, unit: UnitOfWork, subject: str, clinician: RecordId) -> None:
        self._desk.journal.record(unit, AuditAction.SETTING_CHANGED, subject, clinician=clinician)
