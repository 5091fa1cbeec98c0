"""Patients: added once, found by any part of the name, without accents."""

from datetime import datetime

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.orm import Session

from ddx.domain.case import Sex
from ddx.domain.identifiers import RecordId
from desktop.store.errors import RecordMissingError
from desktop.store.names import folded
from desktop.store.records import PatientRecord
from desktop.store.tables import DiagnosisTable, PatientTable


class PatientRepository:
    """Patients of this clinic."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, patient: PatientRecord) -> None:
        """Add one patient."""
        self._session.add(
            PatientTable(
                id=patient.id,
                given_name=patient.given_name,
                family_name=patient.family_name,
                search_name=folded(f"{patient.given_name} {patient.family_name}"),
                sex=patient.sex.value,
                birth_date=patient.birth_date,
                national_id=patient.national_id,
                pseudonym=patient.pseudonym,
                created_at=patient.created_at,
                last_seen_at=patient.created_at,
            )
        )

    def seen(self, id: RecordId, at: datetime) -> None:
        """Remember that the patient was seen; an older visit changes nothing."""
        self._session.execute(
            update(PatientTable)
            .where(PatientTable.id == id, PatientTable.last_seen_at < at)
            .values(last_seen_at=at)
        )

    def get(self, id: RecordId) -> PatientRecord:
        """Return one patient. Raises RecordMissingError."""
        row = self._session.execute(_with_visits().where(PatientTable.id == id)).first()
        if row is None:
            raise RecordMissingError("patient", id)
        return _record(row)

    def search(self, text: str, limit: int) -> tuple[PatientRecord, ...]:
        """Return patients whose name holds every word of `text`, newest visit first.

        A patient not seen yet counts as seen when added: they are about to be.
        """
        query = _with_visits()
        for word in folded(text).split():
            query = query.where(PatientTable.search_name.contains(word, autoescape=True))
        query = query.order_by(PatientTable.last_seen_at.desc(), PatientTable.id.desc())
        return tuple(_record(row) for row in self._session.execute(query.limit(limit)))


def _with_visits() -> Select[PatientTable, int, datetime]:
    """Return a query of patients with their visits counted; per row, so that a page is cheap."""
    theirs = DiagnosisTable.patient_id == PatientTable.id
    last = func.max(DiagnosisTable.made_at, type_=DiagnosisTable.made_at.type)
    return select(
        PatientTable,
        select(func.count()).where(theirs).select_from(DiagnosisTable).scalar_subquery(),
        select(last).where(theirs).scalar_subquery(),
    )


def _record(found: Row[PatientTable, int, datetime]) -> PatientRecord:
    row, visits, last_visit_at = found
    return PatientRecord(
        id=RecordId(row.id),
        given_name=row.given_name,
        family_name=row.family_name,
        sex=Sex(row.sex),
        birth_date=row.birth_date,
        national_id=row.national_id,
        pseudonym=row.pseudonym,
        created_at=row.created_at,
        visits=visits,
        last_visit_at=last_visit_at,
    )
