"""The outbox port in memory: what a test reads, and the reference for the contract."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import RecordId, new_record_id
from sync_service.client.outbox import EventKind, OutboxCounts, OutgoingEvent

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class MemoryOutbox:
    """Everything ever added, and what became of it. Survives the runner that uses it."""

    epoch: int = 1
    events: list[OutgoingEvent] = field(default_factory=list)
    receipts: dict[RecordId, int] = field(default_factory=dict)
    quarantined: dict[RecordId, str] = field(default_factory=dict)

    def add(
        self,
        payload: Mapping[str, Any],
        kind: EventKind = EventKind.DIAGNOSIS,
        *,
        at: datetime = NOON,
        id: RecordId | None = None,
    ) -> RecordId:
        """Add one event; return its id."""
        event = OutgoingEvent(
            id=id or new_record_id(),
            sequence=1 + sum(1 for known in self.events if known.epoch == self.epoch),
            kind=kind,
            created_at=at,
            payload=payload,
            payload_sha256=digest_of(payload),
            epoch=self.epoch,
        )
        self.events.append(event)
        return event.id

    def pending(self, limit: int) -> Sequence[OutgoingEvent]:
        """Return up to `limit` events neither acknowledged nor quarantined."""
        settled = self.receipts.keys() | self.quarantined.keys()
        return [event for event in self.events if event.id not in settled][:limit]

    def acknowledge(self, receipts: Mapping[RecordId, int]) -> None:
        """Mark events as stored by the server."""
        waiting = {event.id for event in self.pending(len(self.events))}
        self.receipts |= {event: receipts[event] for event in receipts if event in waiting}

    def quarantine(self, event: RecordId, reason: str) -> None:
        """Set aside an event the server refused for good."""
        if event in {waiting.id for waiting in self.pending(len(self.events))}:
            self.quarantined[event] = reason

    def retry(self, event: RecordId) -> bool:
        """Let an event set aside wait again."""
        return self.quarantined.pop(event, None) is not None

    def set_aside(self) -> Mapping[str, int]:
        """Return how many events are in quarantine, by reason."""
        return Counter(self.quarantined.values())

    def counts(self) -> OutboxCounts:
        """Return the numbers the clinician sees."""
        return OutboxCounts(
            pending=len(self.pending(len(self.events))),
            quarantined=len(self.quarantined),
            acknowledged=len(self.receipts),
        )
