"""Rows of the outbox: added with the record they tell of, settled one by one."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import RecordId, new_record_id
from desktop.store.records import SentEvent
from desktop.store.repositories.device import DeviceRepository
from desktop.store.tables import OutboxEventTable
from sync_service.client.outbox import EventKind, OutboxCounts, OutgoingEvent


class OutboxState(StrEnum):
    """Where one event stands."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    QUARANTINED = "quarantined"


class OutboxRepository:
    """Outgoing events of this device."""

    def __init__(self, session: Session, device: DeviceRepository) -> None:
        self._session, self._device = session, device

    def add(self, kind: EventKind, payload: Mapping[str, Any], at: datetime) -> RecordId:
        """Add one event in the current transaction and return its id."""
        event = new_record_id()
        self._session.add(
            OutboxEventTable(
                id=event,
                epoch=self._device.get().epoch,
                sequence=self._device.next_outbox_sequence(),
                kind=kind.value,
                created_at=at,
                payload=dict(payload),
                payload_sha256=digest_of(payload),
                state=OutboxState.PENDING.value,
            )
        )
        return event

    def pending(self, limit: int) -> tuple[OutgoingEvent, ...]:
        """Return up to `limit` events that wait, oldest first."""
        query = (
            select(OutboxEventTable)
            .filter_by(state=OutboxState.PENDING.value)
            .order_by(OutboxEventTable.epoch, OutboxEventTable.sequence)
            .limit(limit)
        )
        return tuple(_event(row) for row in self._session.scalars(query))

    def acknowledge(self, event: RecordId, server_sequence: int) -> None:
        """Mark one pending event as stored by the server; any other state stands."""
        self._settle(event, state=OutboxState.ACKNOWLEDGED.value, server_sequence=server_sequence)

    def quarantine(self, event: RecordId, reason: str) -> None:
        """Set aside one pending event; any other state stands."""
        self._settle(event, state=OutboxState.QUARANTINED.value, reason=reason)

    def retry(self, event: RecordId) -> bool:
        """Let an event set aside wait again, under its own name; False when it is not set aside."""
        changed = self._session.execute(
            update(OutboxEventTable)
            .where(
                OutboxEventTable.id == event,
                OutboxEventTable.state == OutboxState.QUARANTINED.value,
            )
            .values(state=OutboxState.PENDING.value, reason=None)
            .returning(OutboxEventTable.id)
        )
        return changed.first() is not None

    def move_pending(self, epoch: int) -> int:
        """Give what waits a place in the present epoch (ids and payloads stand); return how many.

        The server knows a record by its id too, so one that arrived before is not stored twice.
        """
        query = (
            select(OutboxEventTable)
            .where(
                OutboxEventTable.state == OutboxState.PENDING.value,
                OutboxEventTable.epoch != epoch,
            )
            .order_by(OutboxEventTable.epoch, OutboxEventTable.sequence)
        )
        moved = 0
        for row in self._session.scalars(query).all():
            self._session.execute(
                update(OutboxEventTable)
                .where(OutboxEventTable.id == row.id)
                .values(epoch=epoch, sequence=self._device.next_outbox_sequence())
            )
            moved += 1
        self._session.expire_all()
        return moved

    def sent(self, limit: int) -> tuple[SentEvent, ...]:
        """Return up to `limit` events that left or wait to leave, newest first."""
        query = (
            select(OutboxEventTable)
            .order_by(OutboxEventTable.created_at.desc(), OutboxEventTable.id.desc())
            .limit(limit)
        )
        return tuple(
            SentEvent(
                id=RecordId(row.id),
                epoch=row.epoch,
                sequence=row.sequence,
                kind=row.kind,
                created_at=row.created_at,
                state=row.state,
                server_sequence=row.server_sequence,
                reason=row.reason or "",
                payload=row.payload,
                payload_sha256=row.payload_sha256,
            )
            for row in self._session.scalars(query)
        )

    def unsettled(self, kind: EventKind) -> int:
        """Return how many events of a kind the server has not acknowledged."""
        query = (
            select(func.count())
            .select_from(OutboxEventTable)
            .where(
                OutboxEventTable.kind == kind.value,
                OutboxEventTable.state != OutboxState.ACKNOWLEDGED.value,
            )
        )
        return int(self._session.scalars(query).one())

    def set_aside(self) -> dict[str, int]:
        """Return how many events are in quarantine, by reason."""
        query = (
            select(OutboxEventTable.reason, func.count())
            .where(OutboxEventTable.state == OutboxState.QUARANTINED.value)
            .group_by(OutboxEventTable.reason)
        )
        return {row[0] or "": row[1] for row in self._session.execute(query)}

    def counts(self) -> OutboxCounts:
        """Return how many events are in each state."""
        query = select(OutboxEventTable.state, func.count()).group_by(OutboxEventTable.state)
        found = {row[0]: row[1] for row in self._session.execute(query)}
        return OutboxCounts(
            pending=found.get(OutboxState.PENDING.value, 0),
            quarantined=found.get(OutboxState.QUARANTINED.value, 0),
            acknowledged=found.get(OutboxState.ACKNOWLEDGED.value, 0),
        )

    def _settle(self, event: RecordId, **values: Any) -> None:
        self._session.execute(
            update(OutboxEventTable)
            .where(
                OutboxEventTable.id == event,
                OutboxEventTable.state == OutboxState.PENDING.value,
            )
            .values(**values)
        )


def _event(row: OutboxEventTable) -> OutgoingEvent:
    return OutgoingEvent(
        id=RecordId(row.id),
        sequence=row.sequence,
        kind=EventKind(row.kind),
        created_at=row.created_at,
        payload=row.payload,
        payload_sha256=row.payload_sha256,
        epoch=row.epoch,
    )
