"""The audit chain of the current device epoch: append and sign, read, verify; checkpoints."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Select, String, delete, func, literal, select, text, tuple_
from sqlalchemy.orm import Session

from ddx.domain.audit import AuditAction, AuditEntry, link, verify_chain
from ddx.domain.audit_log import SignedEntry
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.identifiers import RecordId, new_record_id
from ddx.domain.statements import Checkpoint, entry_statement
from desktop.store.repositories.device import DeviceRepository
from desktop.store.tables import AuditCheckpointTable, AuditEntryTable, OutboxEventTable
from sync_service.client.outbox import EventKind

_TRIGGER: Final = text("SELECT sql FROM sqlite_master WHERE name = 'audit_entry_no_delete'")
_READ: Final = 500  # rows made into entries at a time


class AuditRepository:
    """The chain of one device epoch."""

    def __init__(self, session: Session, device: DeviceRepository) -> None:
        self._session, self._device = session, device
        this = device.get()
        self._device_id, self._epoch = this.id, this.epoch

    @property
    def epoch(self) -> int:
        """The epoch whose chain this is."""
        return self._epoch

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
        """Add the entry that follows the head, signed by the device, and return it.

        Needs a writing unit of work.
        """
        entry = link(
            self.head(),
            id=id or new_record_id(),
            at=at.astimezone(UTC),
            actor=actor,
            action=action,
            subject=subject,
            detail=detail,
        )
        statement = entry_statement(self._device_id, self._epoch, entry.sequence, entry.hash)
        signature = self._device.signing_key().sign(statement).hex()
        self._session.add(_row(entry, self._epoch, signature))
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

    def after(self, sequence: int, course: Course = UNWATCHED) -> tuple[AuditEntry, ...]:
        """Return the entries that follow `sequence`, in order."""
        query = (
            select(AuditEntryTable)
            .where(AuditEntryTable.epoch == self._epoch, AuditEntryTable.sequence > sequence)
            .order_by(AuditEntryTable.sequence)
        )
        return tuple(_entry(row) for row in self._each(query, course))

    def holds(self, id: RecordId) -> bool:
        """Whether an entry with that id is in the chain."""
        return (
            self._session.scalars(select(AuditEntryTable.id).filter_by(id=id)).first() is not None
        )

    def at(self, sequence: int) -> AuditEntry | None:
        """Return the entry with that sequence, or None beyond the head."""
        row = self._session.get(AuditEntryTable, (self._epoch, sequence))
        return None if row is None else _entry(row)

    def signature_of(self, sequence: int) -> str:
        """Return the device's signature over one entry of this epoch, hex."""
        row = self._session.get(AuditEntryTable, (self._epoch, sequence))
        return "" if row is None else row.signature

    def signed(self, course: Course = UNWATCHED) -> tuple[SignedEntry, ...]:
        """Return every entry of every epoch, in order, with its signature."""
        query = select(AuditEntryTable).order_by(AuditEntryTable.epoch, AuditEntryTable.sequence)
        return tuple(
            SignedEntry(epoch=row.epoch, entry=_entry(row), signature=row.signature)
            for row in self._each(query, course)
        )

    def _each(self, query: Select[AuditEntryTable], course: Course) -> Iterator[AuditEntryTable]:
        """Yield the rows of `query`, told of one by one; how many there are is asked first."""
        total = 0
        if course is not UNWATCHED:
            rows = select(func.count()).select_from(query.order_by(None).subquery())
            total = self._session.scalars(rows).one()
        for done, row in enumerate(self._session.scalars(query.execution_options(yield_per=_READ))):
            course.at(done, total)
            yield row

    def last_of_older_epochs(self) -> SignedEntry | None:
        """Return the last entry of the newest epoch before this one, None in the first."""
        query = (
            select(AuditEntryTable)
            .where(AuditEntryTable.epoch < self._epoch)
            .order_by(AuditEntryTable.epoch.desc(), AuditEntryTable.sequence.desc())
            .limit(1)
        )
        row = self._session.scalars(query).first()
        if row is None:
            return None
        return SignedEntry(epoch=row.epoch, entry=_entry(row), signature=row.signature)

    def latest_moment(self, epoch: int, sequence: int) -> datetime | None:
        """Return the latest time any entry after that place was written at, None without one."""
        place = tuple_(AuditEntryTable.epoch, AuditEntryTable.sequence)
        after = place > tuple_(literal(epoch), literal(sequence))  # this way by the key's index
        latest = func.max(AuditEntryTable.at, type_=AuditEntryTable.at.type)
        return self._session.scalars(select(latest).where(after)).one_or_none()

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep one countersigned head; the same one again changes nothing."""
        self._session.merge(
            AuditCheckpointTable(
                epoch=checkpoint.epoch,
                sequence=checkpoint.sequence,
                head=checkpoint.head,
                server_time=checkpoint.server_time,
                server_key=checkpoint.server_key,
                signature=checkpoint.signature,
            )
        )

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Return every countersigned head, by epoch and sequence."""
        query = select(AuditCheckpointTable).order_by(
            AuditCheckpointTable.epoch, AuditCheckpointTable.sequence
        )
        key = self._device.public_key()
        return tuple(
            Checkpoint(
                device_id=self._device_id,
                device_key=key,
                epoch=row.epoch,
                sequence=row.sequence,
                head=row.head,
                server_time=row.server_time,
                server_key=row.server_key,
                signature=row.signature,
            )
            for row in self._session.scalars(query)
        )

    def verify(self) -> int:
        """Return the length of the chain. Raises AuditChainError naming the first bad entry."""
        entries = self.after(0)
        return verify_chain(entries, retired=bool(entries) and entries[0].sequence > 1)

    def retire(self, beginning: Checkpoint) -> int:
        """Let go of every entry before a countersigned one, and return how many went.

        The segments that carried them to the server and the heads countersigned before go too.
        The trigger that refuses to delete is away for this transaction only: it stands against
        statements gone astray. Needs a writing unit of work.
        """
        place = tuple_(literal(beginning.epoch), literal(beginning.sequence))
        old = tuple_(AuditEntryTable.epoch, AuditEntryTable.sequence) < place
        hashes = select(AuditEntryTable.hash).where(old)
        head = func.json_extract(OutboxEventTable.payload, "$.head", type_=String)
        self._session.execute(
            delete(OutboxEventTable).where(
                OutboxEventTable.kind == EventKind.AUDIT.value, head.in_(hashes)
            ),
            execution_options={"synchronize_session": False},
        )
        heads = tuple_(AuditCheckpointTable.epoch, AuditCheckpointTable.sequence) < place
        self._session.execute(
            delete(AuditCheckpointTable).where(heads),
            execution_options={"synchronize_session": False},
        )
        trigger = self._session.execute(_TRIGGER).scalar_one()
        self._session.execute(text("DROP TRIGGER audit_entry_no_delete"))
        gone = self._session.execute(
            delete(AuditEntryTable).where(old).returning(AuditEntryTable.sequence),
            execution_options={"synchronize_session": False},
        ).all()
        self._session.execute(text(trigger))
        return len(gone)


def _row(entry: AuditEntry, epoch: int, signature: str) -> AuditEntryTable:
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
        signature=signature,
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
