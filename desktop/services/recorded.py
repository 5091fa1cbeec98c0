"""Stored rows as the screens see them."""

from ddx.domain.feedback import Feedback
from desktop.services.records import DiagnosisRecord, PatientRow
from desktop.store.records import PatientRecord, StoredDiagnosis


def visit_record(stored: StoredDiagnosis, feedback: tuple[Feedback, ...]) -> DiagnosisRecord:
    """Return a recorded diagnosis with the decisions on it."""
    return DiagnosisRecord(
        id=stored.id,
        patient_id=stored.patient_id,
        made_at=stored.made_at,
        case=stored.case,
        differential=stored.differential,
        short_code=stored.short_code,
        feedback=feedback,
        opinion=stored.opinion,
    )


def patient_row(patient: PatientRecord) -> PatientRow:
    """Return one patient as the list has them."""
    return PatientRow(
        id=patient.id,
        given_name=patient.given_name,
        family_name=patient.family_name,
        sex=patient.sex,
        birth_date=patient.birth_date,
        visits=patient.visits,
        last_visit_at=patient.last_visit_at,
    )
