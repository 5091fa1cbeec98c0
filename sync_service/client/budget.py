"""What bundles may spend of the day's bytes: the same ledger as the records', behind one meter."""

from typing import Final

from model_bundles.errors import BundleBudgetError
from sync_service.client.meter import Meter

_WRITE_EVERY_BYTES: Final = 65_536
"""A crash forgets at most so much of what was spent."""


class ByteBudget:
    """The bytes of a download on their way into the clinic's ledger.

    What arrives after the limit is refused in the middle of a file: what came is kept by
    `partials`, and the rest comes on another day. Free links have no limit and count nothing.
    One download at a time.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._left = meter.left_for_bundles()
        self._unwritten = 0

    @property
    def left(self) -> int | None:
        """Bytes that may still travel today, None where there is no limit."""
        return None if self._left is None else max(0, self._left - self._unwritten)

    def check(self) -> None:
        """Return while something is left for today. Raises BundleBudgetError."""
        self.save()
        self._stop_when_spent()

    def spend(self, count: int) -> None:
        """Count bytes that have travelled. Raises BundleBudgetError once they are too many."""
        self.count(count)
        self._stop_when_spent()

    def count(self, count: int) -> None:
        """Count bytes that had to travel, whatever is left for today."""
        self._unwritten += count
        if self._unwritten >= _WRITE_EVERY_BYTES:
            self.save()

    def save(self) -> None:
        """Write down what was spent, and read what others spent meanwhile."""
        count, self._unwritten = self._unwritten, 0
        if count:
            self._meter.count(count)
        self._left = self._meter.left_for_bundles()

    def _stop_when_spent(self) -> None:
        if self.left == 0:
            self.save()
            raise BundleBudgetError(self._meter.budget_bytes)
