"""The device's own rule about bytes: what may travel over a link that is paid for.

A pure decision; who knows whether the link is paid, and who remembers the day's bytes, are ports.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

METERED: Final = "sync.metered"
BUDGET: Final = "sync.budget"

ESTIMATED_RECORD_BYTES: Final = 300
"""An estimate, to ask before sending: a third of a visit (642 bytes, docs/sync.md) and its share
of headers. What is written down afterwards is what was counted."""

LOOK_AGAIN_S: Final = 900.0
"""How soon a paid link may have become a free one."""


class MeteredPolicy(StrEnum):
    """What may travel over a link that is paid by the byte."""

    ALLOW = "allow"
    RECORDS_ONLY = "records_only"
    NOTHING = "nothing"


class ByteLedger(Protocol):
    """Remembers bytes by day (`YYYY-MM-DD`, UTC), beyond the process."""

    def spent(self, day: str) -> int:
        """Return the bytes of that day."""

    def add(self, day: str, size_bytes: int) -> None:
        """Add to the bytes of that day."""


class MemoryLedger:
    """Bytes of one process; yesterday's are forgotten."""

    def __init__(self) -> None:
        self._day, self._spent = "", 0

    def spent(self, day: str) -> int:
        """Return the bytes of that day."""
        return self._spent if day == self._day else 0

    def add(self, day: str, size_bytes: int) -> None:
        """Add to the bytes of that day."""
        self._day, self._spent = day, self.spent(day) + size_bytes


class Meter:
    """Implements `sync_service.client.runner.Allowance`; free links have no rule."""

    def __init__(
        self,
        ledger: ByteLedger,
        *,
        policy: MeteredPolicy,
        budget_bytes: int,
        is_metered: Callable[[], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Bind the ports. budget_bytes: per day on paid links, 0 for no limit."""
        self._ledger, self._policy, self._budget = ledger, policy, budget_bytes
        self._is_metered, self._now = is_metered, now

    def wait_s(self, records: int) -> tuple[float, str]:
        """Return how long a batch of so many records must wait (0: not at all), and the rule."""
        if not self._is_metered():
            return 0.0, ""
        if self._policy is MeteredPolicy.NOTHING:
            return LOOK_AGAIN_S, METERED
        asked = records * ESTIMATED_RECORD_BYTES
        if self._budget and self._ledger.spent(self._day()) + asked > self._budget:
            return min(LOOK_AGAIN_S, self._until_tomorrow_s()), BUDGET
        return 0.0, ""

    def is_paid(self) -> bool:
        """Return whether the link of the moment is paid by the byte."""
        return self._is_metered()

    def lets_bundles_pass(self) -> bool:
        """Whether a bundle may be downloaded over the link of the moment."""
        return self._policy is MeteredPolicy.ALLOW or not self._is_metered()

    def count(self, size_bytes: int) -> None:
        """Write down what one exchange cost, where the link is paid for."""
        if self._is_metered():
            self._ledger.add(self._day(), size_bytes)

    def _day(self) -> str:
        return self._now().astimezone(UTC).date().isoformat()

    def _until_tomorrow_s(self) -> float:
        now = self._now().astimezone(UTC)
        tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return max(1.0, (tomorrow - now).total_seconds())
