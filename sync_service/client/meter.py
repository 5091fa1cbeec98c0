"""The device's own rule about bytes: what may travel over a link that is paid for.

A pure decision; who knows whether the link is paid, and who remembers the day's bytes, are ports.
Records and bundles spend one daily budget, from one ledger.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from ddx.domain.metering import ByteRule, MeteredPolicy

METERED: Final = "sync.metered"
BUDGET: Final = "sync.budget"

ESTIMATED_RECORD_BYTES: Final = 300
"""An estimate, to ask before sending: a third of a visit (642 bytes, docs/sync.md) and its share
of headers. What is written down afterwards is what was counted."""

RECORDS_SHARE: Final = 0.25
"""Of the day's bytes, never spent on bundles: a model of 7 MB must not keep today's records at
home. An estimate: of 1 MB it keeps 250 KB, some 300 visits."""

LOOK_AGAIN_S: Final = 900.0
"""How soon a paid link may have become a free one."""


class LinkCost(StrEnum):
    """What the link of the moment costs. UNKNOWN: nobody could tell."""

    FREE = "free"
    PAID = "paid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DayBytes:
    """Bytes of the newest day anybody counted (`YYYY-MM-DD`, UTC): a clock set back begins none."""

    day: str = ""
    size_bytes: int = 0

    def on(self, day: str) -> int:
        """Return the bytes of that day; of the newest one where that is later."""
        return self.size_bytes if day <= self.day else 0

    def plus(self, day: str, size_bytes: int) -> "DayBytes":
        """Return what is remembered after so many more."""
        return DayBytes(max(day, self.day), self.on(day) + size_bytes)


class ByteLedger(Protocol):
    """Remembers the bytes of a day, beyond the process. Counts as `DayBytes` does."""

    def spent(self, day: str) -> int:
        """Return the bytes of that day."""

    def add(self, day: str, size_bytes: int) -> None:
        """Add to the bytes of that day."""


class MemoryLedger:
    """Bytes of one process; yesterday's are forgotten."""

    def __init__(self) -> None:
        self._kept = DayBytes()

    def spent(self, day: str) -> int:
        """Return the bytes of that day."""
        return self._kept.on(day)

    def add(self, day: str, size_bytes: int) -> None:
        """Add to the bytes of that day."""
        self._kept = self._kept.plus(day, size_bytes)


class Meter:
    """Implements `sync_service.client.runner.Allowance`; free links have no rule."""

    def __init__(
        self,
        ledger: ByteLedger,
        *,
        rule: Callable[[], ByteRule],
        cost: Callable[[], LinkCost],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Bind the ports. rule: asked each time, for the organisation may change it meanwhile."""
        self._ledger, self._rule = ledger, rule
        self._cost, self._now = cost, now

    @property
    def budget_bytes(self) -> int:
        """Bytes of a day on paid links, 0 for no limit."""
        return self._rule().budget_bytes

    def wait_s(self, records: int) -> tuple[float, str]:
        """Return how long a batch of so many records must wait (0: not at all), and the rule."""
        if not self.is_paid():
            return 0.0, ""
        rule = self._rule()
        if rule.policy is MeteredPolicy.NOTHING:
            return LOOK_AGAIN_S, METERED
        if rule.budget_bytes and self._left(rule) < records * ESTIMATED_RECORD_BYTES:
            return min(LOOK_AGAIN_S, self._until_tomorrow_s()), BUDGET
        return 0.0, ""

    def is_paid(self) -> bool:
        """Return whether the link of the moment counts as paid by the byte.

        One that nobody can judge does where the clinic has named a budget or lets nothing pass:
        whoever did so has a link that costs. Elsewhere it is free, so that a clinic on a cable
        goes on receiving models.
        """
        cost = self._cost()
        if cost is LinkCost.UNKNOWN:
            return self._rule().counts_bytes
        return cost is LinkCost.PAID

    def lets_bundles_pass(self) -> bool:
        """Whether a bundle may be downloaded over the link of the moment."""
        return self._rule().policy is MeteredPolicy.ALLOW or not self.is_paid()

    def left_for_bundles(self) -> int | None:
        """Return the bytes bundles may still spend today, None where there is no limit."""
        rule = self._rule()
        if not rule.budget_bytes or not self.is_paid():
            return None
        return max(0, self._left(rule) - int(rule.budget_bytes * RECORDS_SHARE))

    def count(self, size_bytes: int) -> None:
        """Write down what one exchange cost, where the link is paid for."""
        if self.is_paid():
            self._ledger.add(self._day(), size_bytes)

    def _left(self, rule: ByteRule) -> int:
        return rule.budget_bytes - self._ledger.spent(self._day())

    def _day(self) -> str:
        return self._now().astimezone(UTC).date().isoformat()

    def _until_tomorrow_s(self) -> float:
        now = self._now().astimezone(UTC)
        tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return max(1.0, (tomorrow - now).total_seconds())
