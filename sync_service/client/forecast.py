"""What a push would send, without sending it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sync_service.client.identity import DeviceIdentity
from sync_service.client.machine import MAX_LIMIT
from sync_service.client.outbox import Outbox
from sync_service.client.runner import Versions, wire_event
from sync_service.protocol.allowlist import Objection
from sync_service.protocol.compression import compress
from sync_service.protocol.messages import SyncBatch, SyncEvent

_ALL: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """records: how many would leave, by kind; kept: how many would not, by objection.

    size_bytes: of the compressed batches, without headers.
    """

    records: Mapping[str, int]
    kept: Mapping[str, int]
    size_bytes: int


def forecast(outbox: Outbox, identity: DeviceIdentity, software: Versions) -> Forecast:
    """Return what a push would do now. The outbox is read and not changed."""
    records, kept = Counter[str](), Counter[str]()
    going: list[SyncEvent] = []
    for event in outbox.pending(_ALL):
        ready = wire_event(event)
        if isinstance(ready, Objection):
            kept[ready.reason] += 1
        else:
            records[event.kind] += 1
            going.append(ready)
    pages = [going[start : start + MAX_LIMIT] for start in range(0, len(going), MAX_LIMIT)]
    size_bytes = sum(len(compress(_page(page, identity, software).wire_bytes())) for page in pages)
    return Forecast(records=records, kept=kept, size_bytes=size_bytes)


def _page(events: list[SyncEvent], identity: DeviceIdentity, software: Versions) -> SyncBatch:
    return SyncBatch(
        device_id=identity.device_id,
        epoch=identity.epoch,
        batch_id="forecast",
        app_version=software.app,
        bundle_version=software.bundle,
        sent_at=datetime.now(UTC),
        events=tuple(events),
    )
