"""Recorded differentials and the decisions made on them. Append-only."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.identifiers import DiseaseId, RecordId
from ddx.domain.wire import (
    case_from_json,
    case_to_json,
    differential_from_json,
    differential_to_json,
    explanation_from_json,
    explanation_to_json,
)
from desktop.store.errors import RecordMissingError
from desktop.store.records import StoredDiagnosis
from desktop.store.tables import DiagnosisTable, FeedbackTable


class DiagnosisRepository:
    """Diagnoses of this clinic."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, diagnosis: StoredDiagnosis) -> None:
        """Add one recorded differential."""
        self._session.add(
            DiagnosisTable(
                id=diagnosis.id,
                patient_id=diagnosis.patient_id,
                clinician_id=diagnosis.clinician_id,
                made_at=diagnosis.made_at,
                case_json=case_to_json(diagnosis.case),
                differential_json=differential_to_json(diagnosis.differential),
                feature_digest=diagnosis.feature_digest,
                receipt_digest=diagnosis.receipt_digest,
                bundle_version=diagnosis.differential.bundle_version,
                bundle_digest=diagnosis.differential.bundle_digest,
                short_code=diagnosis.short_code,
                features=diagnosis.features,
                contributions=[explanation_to_json(e) for e in diagnosis.contributions],
                opinion=diagnosis.opinion,
            )
        )

    def get(self, id: RecordId) -> StoredDiagnosis:
        """Return one diagnosis. Raises RecordMissingError."""
        row = self._session.get(DiagnosisTable, id)
        if row is None:
            raise RecordMissingError("diagnosis", id)
        return _diagnosis(row)

    def by_short_code(self, code: str) -> tuple[StoredDiagnosis, ...]:
        """Return the diagnoses with that short code: one, unless two digests begin alike."""
        query = select(DiagnosisTable).where(DiagnosisTable.short_code == code)
        return tuple(_diagnosis(row) for row in self._session.scalars(query))

    def of_patient(self, patient: RecordId) -> tuple[StoredDiagnosis, ...]:
        """Return the diagnoses of one patient, newest first."""
        query = (
            select(DiagnosisTable)
            .where(DiagnosisTable.patient_id == patient)
            .order_by(DiagnosisTable.made_at.desc(), DiagnosisTable.id.desc())
        )
        return tuple(_diagnosis(row) for row in self._session.scalars(query))


class FeedbackRepository:
    """Decisions of this clinic."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, feedback: Feedback, clinician: RecordId) -> None:
        """Add one decision."""
        self._session.add(
            FeedbackTable(
                id=feedback.id,
                diagnosis_id=feedback.diagnosis_id,
                clinician_id=clinician,
                verb=feedback.verb.value,
                disease=feedback.disease,
                reason=None if feedback.reason is None else feedback.reason.value,
                outcome_at=feedback.outcome_at,
                note=feedback.note,
                plan=feedback.plan,
            )
        )

    def of_diagnoses(self, diagnoses: tuple[RecordId, ...]) -> tuple[Feedback, ...]:
        """Return the decisions on some diagnoses, oldest first."""
        query = (
            select(FeedbackTable)
            .where(FeedbackTable.diagnosis_id.in_(diagnoses))
            .order_by(FeedbackTable.outcome_at, FeedbackTable.id)
        )
        return tuple(_feedback(row) for row in self._session.scalars(query))


def _diagnosis(row: DiagnosisTable) -> StoredDiagnosis:
    return StoredDiagnosis(
        id=RecordId(row.id),
        patient_id=RecordId(row.patient_id),
        clinician_id=RecordId(row.clinician_id),
        made_at=row.made_at,
        case=case_from_json(row.case_json),
        differential=differential_from_json(row.differential_json),
        feature_digest=row.feature_digest,
        receipt_digest=row.receipt_digest,
        short_code=row.short_code,
        features=row.features,
        contributions=tuple(explanation_from_json(raw) for raw in row.contributions),
        opinion=row.opinion,
    )


def _feedback(row: FeedbackTable) -> Feedback:
    return Feedback(
        id=RecordId(row.id),
        diagnosis_id=RecordId(row.diagnosis_id),
        verb=Verb(row.verb),
        disease=None if row.disease is None else DiseaseId(row.disease),
        reason=None if row.reason is None else OverrideReason(row.reason),
        outcome_at=row.outcome_at,
        note=row.note,
        plan=row.plan,
    )
