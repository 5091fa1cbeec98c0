"""Patients: added once, found by any part of the name, without accents."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select, text, update
from sqlalchemy.orm import Session

from ddx.domain.case import Sex
from ddx.domain.identifiers import RecordId
from desktop.store.errors import RecordMissingError
from desktop.store.names import folded
from desktop.store.records import PatientRecord
from desktop.store.tables import DiagnosisTable, PatientTable

INDEXED_LETTERS = 3
"""The name index holds groups of three letters; shorter words are looked for in the names."""


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

    def by_pseudonym(self, pseudonym: str) -> PatientRecord | None:
        """Return the patient a pseudonym stands for, or None."""
        row = self._session.execute(_with_visits().where(PatientTable.pseudonym == pseudonym))
        found = row.first()
        return None if found is None else _record(found)

    def search(self, words: str, limit: int) -> tuple[PatientRecord, ...]:
        """Return patients whose name or document holds every word, newest visit first.

        Any part of a word, without accents. A patient not seen yet counts as seen when added:
        they are about to be.
        """
        named = _named(folded(words).split())
        page = (
            select(PatientTable.id)
            .where(*named)
            .order_by(PatientTable.last_seen_at.desc(), PatientTable.id.desc())
            .limit(limit)
        )
        query = (
            _with_visits()
            .where(PatientTable.id.in_(page.scalar_subquery()))
            .order_by(PatientTable.last_seen_at.desc(), PatientTable.id.desc())
        )
        return tuple(_record(row) for row in self._session.execute(query))

    def seen_with(
        self, codes: Sequence[str], words: str, limit: int
    ) -> tuple[tuple[PatientRecord, RecordId], ...]:
        """Return patients with their newest visit that matches, newest visit first.

        codes: of findings or diseases, any of which matches. words: each one begins a word of a
        decision's note, or of the short code. Looks at the newest 2 x `limit` matching visits.
        """
        asked = _match(codes, folded(words).split())
        if not asked:
            return ()
        visits = self._session.execute(_VISITS, {"asked": asked, "limit": 2 * limit}).all()
        newest: dict[str, str] = {}
        for patient, diagnosis in visits:
            newest.setdefault(patient, diagnosis)
        wanted = list(newest)[:limit]
        rows = self._session.execute(_with_visits().where(PatientTable.id.in_(wanted)))
        found = {row[0].id: _record(row) for row in rows}
        return tuple((found[patient], RecordId(newest[patient])) for patient in wanted)


_BY_NAME = text(
    "patient.id IN (SELECT s.patient_id FROM patient_index AS i "
    "JOIN patient_search AS s ON s.number = i.rowid WHERE patient_index MATCH :asked)"
)
_VISITS = text(
    "SELECT d.patient_id, d.id FROM ("
    "SELECT rowid FROM visit_index WHERE visit_index MATCH :asked ORDER BY rowid DESC LIMIT :limit"
    ") AS i JOIN visit_search AS s ON s.number = i.rowid JOIN diagnosis AS d ON d.id = "
    "s.diagnosis_id ORDER BY s.number DESC"
)


def _named(words: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that hold every word."""
    long = [word for word in words if len(word) >= INDEXED_LETTERS]
    if long:
        asked = " AND ".join(_quoted(word) for word in long)
        yield _BY_NAME.bindparams(bindparam("asked", asked))  # type: ignore[misc]
    for word in words:
        if len(word) < INDEXED_LETTERS:
            yield PatientTable.search_name.contains(word, autoescape=True)


def _match(codes: Sequence[str], words: Sequence[str]) -> str:
    """Return an FTS5 expression: any of the codes, or every word at the beginning of one."""
    noted = " AND ".join(f"{_quoted(word)} *" for word in words if len(word) >= 2)
    return " OR ".join([*(_quoted(code) for code in codes), *([f"({noted})"] if noted else [])])


def _quoted(word: str) -> str:
    # A quoted FTS5 string is text and nothing else; quotes inside are doubled.
    return '"' + word.replace('"', '""') + '"'


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
