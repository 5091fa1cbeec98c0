"""What is printed of one recorded visit: the letter for whoever takes over, and the summary."""

from ddx.domain.audit import AuditAction
from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Permission
from desktop.services.desk import Desk
from desktop.services.recorded import patient_row, visit_record
from desktop.services.records import Paper, Referral, ReferralMedium
from desktop.store.records import PatientRecord, StoredDiagnosis
from desktop.store.unit_of_work import UnitOfWork


class ReferralService:
    """Referral letters of this clinic."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def read(self, diagnosis: RecordId) -> Referral:
        """Return what the letter of one visit says; looking at it is a view of the patient.

        Raises RecordMissingError.
        """
        self._desk.require(Permission.VIEW_PATIENT)
        with self._desk.store.write() as unit:
            stored = unit.diagnoses.get(diagnosis)
            person = unit.patients.get(stored.patient_id)
            letter = self._letter(unit, stored, person)
            self._desk.journal.record(
                unit, AuditAction.PATIENT_VIEWED, person.pseudonym, view="referral"
            )
        return letter

    def hand_over(
        self, diagnosis: RecordId, medium: ReferralMedium, paper: Paper = Paper.LETTER
    ) -> None:
        """Write down that a paper leaves on paper or as a file; called before it does.

        Raises:
            RecordMissingError, StoreFullError: nothing was written down; it must not leave.
        """
        self._desk.require(Permission.VIEW_PATIENT)
        with self._desk.store.write() as unit:
            stored = unit.diagnoses.get(diagnosis)
            self._desk.journal.record(
                unit,
                AuditAction.EXPORTED,
                diagnosis,
                what=paper.value,
                medium=medium.value,
                receipt=stored.receipt_digest,
            )

    def _letter(self, unit: UnitOfWork, stored: StoredDiagnosis, person: PatientRecord) -> Referral:
        return Referral(
            clinic=unit.clinic.get().name,
            signed_by=self._desk.clinician.display_name,
            attended_by=unit.clinic.name_of(stored.clinician_id),
            patient=patient_row(person),
            national_id=person.national_id,
            visit=visit_record(stored, unit.feedback.of_diagnoses((stored.id,))),
            written_on=self._desk.now().astimezone().date(),
        )
