"""Patients: find one, add one."""

from datetime import date, timedelta
from typing import Final

from ddx.domain.audit import AuditAction
from ddx.domain.identifiers import new_record_id
from ddx.domain.roles import Permission
from ddx.intake.check import CaseIssue, Level
from desktop.services.desk import Desk
from desktop.services.errors import NewPatientRefusedError
from desktop.services.outgoing import patient_pseudonym
from desktop.services.records import NewPatient, PatientRow
from desktop.store.records import PatientRecord

OLDEST_YEARS: Final = 125
"""Nobody is known to have lived longer than 122 years (J. Calment); more is a typing error."""


class PatientService:
    """Patients of this clinic, for the signed-in clinician."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def search(self, text: str = "", limit: int = 200) -> tuple[PatientRow, ...]:
        """Return patients whose name holds every word of `text`, newest visit first."""
        self._desk.require(Permission.VIEW_PATIENT)
        with self._desk.store.read() as unit:
            return tuple(_row(patient) for patient in unit.patients.search(text, limit))

    def create(self, new: NewPatient) -> PatientRow:
        """Add one patient. Raises NewPatientRefusedError with everything that is wrong."""
        self._desk.require(Permission.VIEW_PATIENT)
        issues = _issues(new, self._desk.now().astimezone().date())
        if issues:
            raise NewPatientRefusedError(issues)
        with self._desk.store.write() as unit:
            patient_id = new_record_id()
            patient = PatientRecord(
                id=patient_id,
                given_name=" ".join(new.given_name.split()),
                family_name=" ".join(new.family_name.split()),
                sex=new.sex,
                birth_date=new.birth_date,
                national_id=new.national_id.strip(),
                pseudonym=patient_pseudonym(unit.clinic.get().pseudonym_key, patient_id),
                created_at=self._desk.now(),
            )
            unit.patients.add(patient)
            self._desk.journal.record(unit, AuditAction.PATIENT_CREATED, patient.pseudonym)
        return _row(patient)


def _issues(new: NewPatient, today: date) -> tuple[CaseIssue, ...]:
    found = []
    if not new.given_name.strip():
        found.append(_error("given_name", "patient.name_missing"))
    if not new.family_name.strip():
        found.append(_error("family_name", "patient.name_missing"))
    if new.birth_date > today:
        found.append(_error("birth_date", "patient.birth_date_future"))
    if new.birth_date < today - timedelta(days=round(OLDEST_YEARS * 365.25)):
        found.append(_error("birth_date", "patient.birth_date_too_old"))
    return tuple(found)


def _error(field: str, code: str) -> CaseIssue:
    return CaseIssue(level=Level.ERROR, field=field, code=code, params={}, suggestion="")


def _row(patient: PatientRecord) -> PatientRow:
    return PatientRow(
        id=patient.id,
        given_name=patient.given_name,
        family_name=patient.family_name,
        sex=patient.sex,
        birth_date=patient.birth_date,
        visits=patient.visits,
        last_visit_at=patient.last_visit_at,
    )
