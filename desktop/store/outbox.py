"""The outbox port over the encrypted store: every call is one committed transaction."""

from collections.abc import Mapping, Sequence

from ddx.domain.identifiers import RecordId
from desktop.store.store import ClinicStore
from sync_service.client.outbox import OutboxCounts, OutgoingEvent


class StoreOutbox:
    """Implements `sync_service.client.outbox.Outbox`."""

    def __init__(self, store: ClinicStore) -> None:
        self._store = store

    def pending(self, limit: int) -> Sequence[OutgoingEvent]:
        """Return up to `limit` events that wait, by epoch and sequence."""
        with self._store.read() as unit:
            return unit.outbox.pending(limit)

    def acknowledge(self, receipts: Mapping[RecordId, int]) -> None:
        """Mark exactly these events as stored; newer ones stay pending."""
        with self._store.write() as unit:
            for event, server_sequence in receipts.items():
                unit.outbox.acknowledge(event, server_sequence)

    def quarantine(self, event: RecordId, reason: str) -> None:
        """Set aside one refused event."""
        with self._store.write() as unit:
            unit.outbox.quarantine(event, reason)

    def retry(self, event: RecordId) -> bool:
        """Let an event set aside wait again; False when it is not set aside."""
        with self._store.write() as unit:
            return unit.outbox.retry(event)

    def set_aside(self) -> Mapping[str, int]:
        """Return how many events are in quarantine, by reason."""
        with self._store.read() as unit:
            return unit.outbox.set_aside()

    def counts(self) -> OutboxCounts:
        """Return the numbers the clinician sees."""
        with self._store.read() as unit:
            return unit.outbox.counts()
