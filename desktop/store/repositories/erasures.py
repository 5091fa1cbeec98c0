"""Erasing a patient: every row about them goes, a tombstone stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from ddx.domain.identifiers import RecordId
from desktop.store.records import ErasureRecord
from desktop.store.tables import (
    SEARCH_INDEXES,
    DiagnosisTable,
    DraftTable,
    ErasureTable,
    FeedbackTable,
    OutboxEventTable,
    PatientTable,
)

ERASED_PAYLOAD: Final = {"erased": True}
"""Stands where the payload of an erased record stood; its SHA-256 column keeps the proof."""


class ErasureRepository:
    """Patients who were erased."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def overwrite_freed_pages(self) -> None:
        """Have SQLite write zeros over what this connection deletes, inside the encryption.

        Source: sqlite.org, PRAGMA secure_delete.
        """
        self._session.execute(text("PRAGMA secure_delete = ON"))

    def last_seen_before(self, moment: datetime) -> tuple[RecordId, ...]:
        """Return the patients not seen since `moment`, longest ago first."""
        query = (
            select(PatientTable.id)
            .where(PatientTable.last_seen_at < moment)
            .order_by(PatientTable.last_seen_at)
        )
        return tuple(RecordId(found) for found in self._session.scalars(query))

    def bury(self, tombstone: ErasureRecord) -> None:
        """Keep one tombstone."""
        self._session.add(
            ErasureTable(
                pseudonym=tombstone.pseudonym,
                clinician_id=tombstone.clinician_id,
                erased_at=tombstone.erased_at,
                proof=tombstone.proof,
                diagnoses=tombstone.diagnoses,
            )
        )

    def erase(self, patient: RecordId, diagnoses: Sequence[RecordId], pseudonym: str) -> None:
        """Delete every row about `patient`; what was sent keeps its hash and loses its payload."""
        about = self._events_about(pseudonym, diagnoses)
        self._session.execute(
            update(OutboxEventTable)
            .where(OutboxEventTable.id.in_(about), OutboxEventTable.state != "pending")
            .values(payload=ERASED_PAYLOAD)
        )
        self._session.execute(
            delete(OutboxEventTable).where(
                OutboxEventTable.id.in_(about), OutboxEventTable.state == "pending"
            )
        )
        self._session.execute(
            delete(FeedbackTable).where(FeedbackTable.diagnosis_id.in_(diagnoses))
        )
        self._session.execute(delete(DiagnosisTable).where(DiagnosisTable.patient_id == patient))
        self._session.execute(delete(DraftTable).where(DraftTable.patient_id == patient))
        self._session.execute(delete(PatientTable).where(PatientTable.id == patient))
        self._forget_words()

    def _forget_words(self) -> None:
        """Write the search indexes anew without what was deleted.

        A deleted row leaves its words in the older segments of an FTS5 index, with a mark beside
        them, until the segments are merged. Source: sqlite.org/fts5.html, 'optimize' and
        'secure-delete'.
        """
        for index in SEARCH_INDEXES:
            merge = f"INSERT INTO {index}({index}) VALUES ('optimize')"  # noqa: S608 -- our names
            self._session.execute(text(merge))

    def all(self) -> tuple[ErasureRecord, ...]:
        """Return the tombstones, oldest first."""
        query = select(ErasureTable).order_by(ErasureTable.erased_at, ErasureTable.pseudonym)
        return tuple(
            ErasureRecord(
                pseudonym=row.pseudonym,
                clinician_id=RecordId(row.clinician_id),
                erased_at=row.erased_at,
                proof=row.proof,
                diagnoses=row.diagnoses,
            )
            for row in self._session.scalars(query)
        )

    def _events_about(self, pseudonym: str, diagnoses: Sequence[RecordId]) -> list[str]:
        """Return the ids of outgoing diagnoses and decisions about one patient."""
        payload = OutboxEventTable.payload
        query = select(OutboxEventTable.id).where(
            OutboxEventTable.kind.in_(("diagnosis", "feedback")),
            or_(
                func.json_extract(payload, "$.patient_pseudonym") == pseudonym,
                func.json_extract(payload, "$.diagnosis_id").in_(diagnoses),
            ),
        )
        return list(self._session.scalars(query))
