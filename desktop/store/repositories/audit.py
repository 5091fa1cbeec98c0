"""The audit chain of the current device epoch: append, read, verify."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ddx.domain.audit import AuditAction, AuditEntry, link, verify_chain
from ddx.domain.identifiers import RecordId, new_record_id
from desktop.store.tables import AuditEntryTable


class AuditRepository:
    """The chain of one device epoch."""

    def __init__(self, session: Session, epoch: int) -> None:
        self._session, self._epoch = session, epoch

    def append(
        self,
        *,
        at: datetime,
        actor: RecordId,
        action: AuditAction,
        subject: str,
        detail: dict[str, object] | None = None,
        id: RecordId | None = None,
    ) -> AuditEntry:
        """Add the entry that follows the head and return it. Needs a writing unit of work."""
        entry = link(
            self.head(),
            id=id or new_record_id(),
            at=at.astimezone(UTC),
            actor=actor,
            action=action,
            subject=subject,
            detail=detail,
        )
        self._session.add(_row(entry, self._epoch))
        self._session.flush()
        return entry

    def head(self) -> AuditEntry | None:
        """Return the last entry, or None while the chain is empty."""
        query = (
            select(AuditEntryTable)
            .where(AuditEntryTable.epoch == self._epoch)
            .order_by(AuditEntryTable.sequence.desc())
            .limit(1)
        )
        row = self._session.scalars(query).first()
        return None if row is None else _entry(row)

    def after(self, sequence: int) -> tuple[AuditEntry, ...]:
        """Return the entries that follow `sequence`, in order."""
        query = (
            select(AuditEntryTable)
            .where(AuditEntryTable.epoch == self._epoch, AuditEntryTable.sequence > sequence)
            .order_by(AuditEntryTable.sequence)
        )
        return tuple(_entry(row) for row in self._session.scalars(query))

    def holds(self, id: RecordId) -> bool:
        """Whether an entry with that id is in the chain."""
        return (
            self._session.scalars(select(AuditEntryTable.id).filter_by(id=id)).first() is not None
        )

    def verify(self) -> int:
        """Return the length of the chain. Raises AuditChainError naming the first bad entry."""
        return verify_chain(self.after(0))


def _row(entry: AuditEntry, epoch: int) -> AuditEntryTable:
    return AuditEntryTable(
        epoch=epoch,
        sequence=entry.sequence,
        id=entry.id,
        at=entry.at,
        actor=entry.actor,
        action=entry.action.value,
        subject=entry.subject,
        detail=dict(entry.detail),
        previous=entry.previous,
        hash=entry.hash,
    )


def _entry(row: AuditEntryTable) -> AuditEntry:
    return AuditEntry(
        sequence=row.sequence,
        id=RecordId(row.id),
        at=row.at,
        actor=row.actor,
        action=AuditAction(row.action),
        subject=row.subject,
        detail=row.detail,
        previous=row.previous,
        hash=row.hash,
    )
