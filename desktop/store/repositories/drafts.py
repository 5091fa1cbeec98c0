"""Unfinished visits: one per patient, replaced at each save, gone once diagnosed."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ddx.domain.identifiers import RecordId
from desktop.store.errors import RecordMissingError
from desktop.store.records import StoredDraft
from desktop.store.tables import DraftTable


class DraftRepository:
    """Drafts of this clinic."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, draft: StoredDraft) -> None:
        """Add the draft of a patient who has none."""
        self._session.add(
            DraftTable(
                id=draft.id,
                patient_id=draft.patient_id,
                content=dict(draft.content),
                updated_at=draft.updated_at,
            )
        )

    def of_patient(self, patient: RecordId) -> StoredDraft | None:
        """Return the unfinished draft of `patient`, if there is one."""
        row = self._session.scalars(select(DraftTable).filter_by(patient_id=patient)).first()
        return None if row is None else _record(row)

    def get(self, id: RecordId) -> StoredDraft:
        """Return one draft. Raises RecordMissingError."""
        return _record(self._row(id))

    def replace(self, id: RecordId, content: dict[str, Any], at: datetime) -> None:
        """Replace the content of one draft. Raises RecordMissingError."""
        row = self._row(id)
        row.content, row.updated_at = content, at

    def delete(self, id: RecordId) -> None:
        """Remove one draft. Raises RecordMissingError: it was diagnosed before."""
        gone = self._session.execute(
            delete(DraftTable).where(DraftTable.id == id).returning(DraftTable.id)
        ).first()
        if gone is None:
            raise RecordMissingError("draft", id)

    def _row(self, id: RecordId) -> DraftTable:
        row = self._session.get(DraftTable, id)
        if row is None:
            raise RecordMissingError("draft", id)
        return row


def _record(row: DraftTable) -> StoredDraft:
    return StoredDraft(
        id=RecordId(row.id),
        patient_id=RecordId(row.patient_id),
        content=row.content,
        updated_at=row.updated_at,
    )
