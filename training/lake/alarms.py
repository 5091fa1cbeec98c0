"""What a run of the lake tells people: a port, and the one that writes to the terminal."""

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Severity(StrEnum):
    """How soon somebody should look."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something a person should look at. code: stable. facts: counts and codes, nobody's data."""

    code: str
    severity: Severity
    title: str
    facts: tuple[str, ...] = ()


class Notifier(Protocol):
    """Carries an alarm to people."""

    def notify(self, alarm: Alarm) -> None:
        """Hand `alarm` on. A channel that fails must not hide the failure it tells of."""


class TerminalNotifier:
    """Writes alarms to standard error: for a run somebody watches."""

    def notify(self, alarm: Alarm) -> None:
        """Write title and facts."""
        lines = (f"{alarm.severity}: {alarm.title}", *(f"  {fact}" for fact in alarm.facts))
        print("\n".join(lines), file=sys.stderr, flush=True)
