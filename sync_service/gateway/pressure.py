"""How much the gateway takes on at once: beyond that it asks for patience, before any work.

Two limits: batches in hand over all devices (503), and how fast one device may come (429). The
client waits at least as long as it is told, with jitter (`sync_service.client.machine`).
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sync_service.protocol.errors import DeviceTooFastError, GatewayBusyError

MAX_IN_HAND: Final = 32
"""Batches at once. One takes tens of milliseconds and they are stored one after the other, so the
last of 32 waits a second or two; more would wait longer than a client's patience with a link."""

BUSY_RETRY_S: Final = 10

BURST: Final = 60
PER_SECOND: Final = 2.0
"""A device with a full outbox sends a batch a second or less; 60 at once carry 12,000 records."""

_DEVICES: Final = 20_000
"""Devices remembered; the one not seen for longest is forgotten first, and starts full again."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class Pressure:
    """Counts batches in hand and the pace of each device."""

    def __init__(
        self,
        *,
        max_in_hand: int = MAX_IN_HAND,
        burst: int = BURST,
        per_second: float = PER_SECOND,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max, self._burst, self._rate = max_in_hand, burst, per_second
        self._monotonic_s, self._in_hand = monotonic_s, 0
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    @property
    def in_hand(self) -> int:
        """Return how many batches are being worked on."""
        return self._in_hand

    @contextmanager
    def one_batch(self, device_id: str) -> Iterator[None]:
        """Count one batch while the block runs.

        Raises:
            DeviceTooFastError: this device comes too fast. GatewayBusyError: too many at once.
        """
        self._pace(device_id)
        if self._in_hand >= self._max:
            raise GatewayBusyError(BUSY_RETRY_S)
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1

    def _pace(self, device_id: str) -> None:
        now_s = self._monotonic_s()
        bucket = self._buckets.pop(device_id, None) or _Bucket(self._burst, now_s)
        bucket.left = min(self._burst, bucket.left + (now_s - bucket.at_s) * self._rate)
        bucket.at_s = now_s
        self._buckets[device_id] = bucket
        if len(self._buckets) > _DEVICES:
            self._buckets.popitem(last=False)
        if bucket.left < 1:
            raise DeviceTooFastError(max(1, round((1 - bucket.left) / self._rate + 0.5)))
        bucket.left -= 1
