"""Errors and times of each model at the devices, from the lake.

Each diagnosis of a device says how long its engine took, in the steps of `ddx.domain.engine_time`;
a case its model failed on is a record of its own. Both come with the records themselves, so what a
clinic without a link did is told when it is heard, and never before.

Devices differ by more than models do. Each is compared with itself: slow is what took longer than
the median of that device before the rollout, and for the new model than that and the plan's allowed
share. One that has too little of its own is compared with the median of all.
"""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from ddx.domain.engine_time import step_of
from training.lake.gold import GoldCases
from training.lake.place import Lake
from training.lake.tables import BRONZE_EVENTS, TIMESTAMP, Kind
from training.rollout.telemetry import ROUNDING, Told

ENOUGH: Final = 20
"""Diagnoses of a device whose median stands for it; an estimate: two days of a small clinic."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Medians of the current model before the rollout, s. of_all: None before any was told."""

    of_all: float | None = None
    of_device: Mapping[str, float] = field(default_factory=dict)

    def limit(self, device: str) -> float | None:
        """Return how long is not slow there, s; None where nothing is known."""
        return self.of_device.get(device, self.of_all)


def usual_times(timed: pa.Table) -> Usual:
    """Return what was usual. timed: clinic and engine_s of cases of the current model."""
    took = defaultdict[str, list[float]](list)
    for device, seconds in _pairs(timed):
        took[device].append(seconds)
    every = [seconds for one in took.values() for seconds in one]
    return Usual(
        statistics.median_high(every) if every else None,
        {d: statistics.median_high(one) for d, one in took.items() if len(one) >= ENOUGH},
    )


def failures(lake: Lake, since: datetime | None, until: datetime) -> Counter[str]:
    """Return bundle version -> cases its model failed on, of records the lake got in that time."""
    if not lake.exists(BRONZE_EVENTS):
        return Counter()
    wanted = (pc.field("kind") == Kind.MODEL_FAILURE.value) & _within(since, until)
    rows = lake.open(BRONZE_EVENTS).to_pyarrow_dataset().to_table(["payload"], wanted)
    return Counter(json.loads(text)["bundle_version"] for text in rows.column(0).to_pylist())


def told_by_devices(
    gold: GoldCases,
    failed: Mapping[str, int],
    usual: Usual,
    since: datetime | None,
    *,
    current: str,
    new: str,
    share: float,
) -> Told:
    """Return cases, errors and slow cases by version. share: by which the new may take longer.

    gold: cases known in the time; those the lake got before `since` were counted then. A version
    of which no device told a time or a failure is left out.
    """
    fresh = gold.table if since is None else gold.table.filter(_within(since, None))
    found: Told = {}
    for version, allowed in ((current, 1.0), (new, 1.0 + share)):
        limits = ((usual.limit(d), seconds) for d, seconds in _timed(fresh, version))
        slow = [
            seconds > step_of(limit * allowed - ROUNDING) + ROUNDING
            for limit, seconds in limits
            if limit is not None
        ]
        errors = failed.get(version, 0)
        if slow or errors:
            found[version] = {"cases": len(slow) + errors, "errors": errors, "slow": sum(slow)}
    return found


def together(parts: Iterable[Told]) -> Told:
    """Return the sum of what several told; none of them tells of another's cases."""
    found: Told = {}
    for part in parts:
        for version, counts in part.items():
            sum_ = Counter(found.get(version, {}))
            sum_.update(counts)
            found[version] = {name: sum_[name] for name in ("cases", "errors", "slow")}
    return found


def _timed(table: pa.Table, version: str) -> Iterable[tuple[str, float]]:
    mine = (pc.field("bundle_version") == version) & pc.field("engine_s").is_valid()
    return _pairs(table.filter(mine))


def _pairs(timed: pa.Table) -> Iterable[tuple[str, float]]:
    columns = (timed.column(name).to_pylist() for name in ("clinic", "engine_s"))
    return zip(*columns, strict=True)


def _within(since: datetime | None, until: datetime | None) -> pc.Expression:
    when, always = pc.field("ingested_at"), pc.scalar(True)
    from_ = always if since is None else when >= pa.scalar(since, TIMESTAMP)
    return from_ & (always if until is None else when < pa.scalar(until, TIMESTAMP))
