"""The outbox port: what waits on the device to be pushed, as the sync client sees it.

The store implements it over SQLCipher; the contract test class in
`tests/contract/test_outbox_contract.py` holds for every implementation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ddx.domain.identifiers import RecordId
from sync_service.protocol.codes import EventKind

__all__ = ["EventKind", "Outbox", "OutboxCounts", "OutgoingEvent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingEvent:
    """One record waiting for the cloud.

    sequence: 1, 2, 3 … per device epoch, given in the transaction that wrote the record.
    payload: JSON object, already pseudonymised; payload_sha256 covers its canonical JSON.
    epoch: the epoch `sequence` was given in; None where it is the device's present one.
    """

    id: RecordId
    sequence: int
    kind: EventKind
    created_at: datetime
    payload: Mapping[str, Any]
    payload_sha256: str
    epoch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCounts:
    """How many events wait, were refused, and arrived."""

    pending: int
    quarantined: int
    acknowledged: int


class Outbox(Protocol):
    """Durable queue of outgoing events. Every call is one committed transaction."""

    def pending(self, limit: int) -> Sequence[OutgoingEvent]:
        """Return up to `limit` events neither acknowledged nor quarantined.

        By epoch, then by sequence.
        """

    def acknowledge(self, receipts: Mapping[RecordId, int]) -> None:
        """Mark events as stored by the server; values are the server's own sequence numbers.

        Ids that are not pending are ignored: a receipt may arrive twice.
        """

    def quarantine(self, event: RecordId, reason: str) -> None:
        """Set aside an event the server refused for good; it no longer blocks the queue."""

    def retry(self, event: RecordId) -> bool:
        """Let an event set aside wait again; False when it is not set aside."""

    def set_aside(self) -> Mapping[str, int]:
        """Return how many events are in quarantine, by reason."""

    def counts(self) -> OutboxCounts:
        """Return the numbers the clinician sees."""
