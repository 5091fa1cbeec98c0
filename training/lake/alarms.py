"""What a run of the lake tells people, and the port; `training.monitor.notify` carries it."""

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
