"""Counts of the whole clinic for who is responsible for it: no patient, no small cell."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from ddx.domain.course import UNWATCHED, Course
from ddx.domain.roles import Permission
from desktop.services.desk import Desk
from desktop.services.records import Aggregates, Count

SMALLEST_CELL: Final = 5
"""A count below it is not told: fewer people than that could be recognised in a village.

Source: the "fewer than five" rule of statistical disclosure control (Hundepool A et al.,
Statistical Disclosure Control, Wiley 2012, chapter 5: threshold rule).
"""
DAYS: Final = 90


class AggregateService:
    """Aggregates of this clinic."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def read(self, days: int = DAYS, course: Course = UNWATCHED) -> Aggregates:
        """Return the counts of the last `days` days; looking at them is an entry."""
        self._desk.require(Permission.VIEW_AGGREGATES)
        since = self._desk.now() - timedelta(days=days)
        with self._desk.store.write(course) as unit:
            counted = unit.aggregates.since(since)
            self._desk.journal.listed(unit, "aggregates")
        return Aggregates(
            since=since.astimezone().date(),
            smallest=SMALLEST_CELL,
            weeks=tuple(_cell(name, n) for name, n in sorted(counted.weeks.items())),
            verbs=suppressed(counted.verbs),
            reasons=suppressed(counted.reasons),
            diseases=suppressed(counted.diseases),
            alerts=suppressed(counted.alerts),
        )


def suppressed(counts: Mapping[str, int], least: int = SMALLEST_CELL) -> tuple[Count, ...]:
    """Return the counts, largest first, without those below `least`.

    Where a single one is below, the next larger one is left out too: a total known from elsewhere
    would give it away.
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    hidden = [name for name, count in ranked if count < least]
    told = [name for name, count in ranked if count >= least]
    if len(hidden) == 1 and told:
        hidden.append(told[-1])
    return tuple(Count(name, None if name in hidden else count) for name, count in ranked)


def _cell(name: str, count: int) -> Count:
    return Count(name, None if count < SMALLEST_CELL else count)
