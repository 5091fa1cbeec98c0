"""The audit entry and the outbox events of one act, in the transaction of the act."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ddx.domain.audit import AuditAction
from ddx.domain.identifiers import RecordId
from desktop.store.unit_of_work import UnitOfWork
from sync_service.client.outbox import EventKind
from sync_service.client.outgoing import audit_payload

SEGMENT_ENTRIES: Final = 100
"""Entries per outgoing segment: about 45 KB, under the protocol's limit for one payload."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present moment, UTC."""
    return datetime.now(UTC)


def within(long: timedelta, then: datetime, now: datetime) -> bool:
    """Whether `then` is less than `long` ago; what a wrong clock put into the future is not."""
    return timedelta(0) <= now - then < long


class Journal:
    """Writes down who did what; one per session."""

    def __init__(self, actor: RecordId, now: Clock) -> None:
        self._actor, self._now = actor, now

    def record(self, unit: UnitOfWork, action: AuditAction, subject: str, **detail: object) -> None:
        """Append one entry. subject: an id or a pseudonym; detail: codes and counts only."""
        unit.audit.append(
            at=self._now(), actor=self._actor, action=action, subject=subject, detail=detail
        )

    def listed(self, unit: UnitOfWork, what: str) -> None:
        """Append that a list of records about several patients was looked at."""
        device = unit.device.get().id
        self.record(unit, AuditAction.RECORDS_LISTED, device, list=what)

    def send(self, unit: UnitOfWork, kind: EventKind, payload: Mapping[str, Any]) -> None:
        """Put one record in the outbox, and the audit entries that no event carries yet."""
        unit.outbox.add(kind, payload, self._now())
        self.send_audit(unit)

    def send_audit(self, unit: UnitOfWork) -> None:
        """Put the audit entries that no event carries yet in the outbox, in segments."""
        waiting = unit.audit.after(unit.device.get().audit_shipped)
        for start in range(0, len(waiting), SEGMENT_ENTRIES):
            entries = waiting[start : start + SEGMENT_ENTRIES]
            unit.outbox.add(EventKind.AUDIT, audit_payload(entries), self._now())
            unit.device.audit_shipped_through(entries[-1].sequence)
