"""Which days are compared: a day with few cases is joined to the days before it.

A small fleet must not be blind: what sixty cases of one day cannot show, they show together with
those of the day before. Whole days are joined, for the morning's clinics are not the evening's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from training.change_plan import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """since <= visits < until. days: that were joined, 1 for the day alone.

    of_day: cases of the last day alone, 0 when nothing came. cases: of the whole stretch.
    """

    since: datetime
    until: datetime
    days: int
    of_day: int
    cases: int


def longest(watch: Watch) -> timedelta:
    """Return how far back a stretch may reach."""
    return watch.drift_most_days.value * _day(watch)


def stretch_of(times: Iterable[datetime], until: datetime, watch: Watch) -> Stretch:
    """Return the fewest whole days up to `until` with the plan's least cases, else the most.

    times: of the visits since `until - longest(watch)`. A day without any case is joined to
    nothing: the days before it were compared on their own.
    """
    day, most = _day(watch), watch.drift_most_days.value
    counts = [0] * most
    for time in times:
        back = (until - time - timedelta(microseconds=1)) // day
        if 0 <= back < most:
            counts[back] += 1
    days = 1
    while counts[0] and days < most and sum(counts[:days]) < watch.drift_least_cases.value:
        days += 1
    return Stretch(
        since=until - days * day,
        until=until,
        days=days,
        of_day=counts[0],
        cases=sum(counts[:days]),
    )


def _day(watch: Watch) -> timedelta:
    return timedelta(hours=watch.every_hours.value)
