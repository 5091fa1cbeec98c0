"""When to retrain and whom to alarm: pure rules over a day's figures, limits from the plan."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from training.change_plan import Watch
from training.monitor.drift import Drift
from training.monitor.performance import Performance

Severity = Literal["critical", "high", "information"]


class Trigger(StrEnum):
    """Why a retraining starts; also the tag of the registry."""

    SCHEDULE = "schedule"
    DRIFT = "drift"
    PERFORMANCE = "performance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that fired. retrain: the trigger it is, None for an alarm alone."""

    code: str
    severity: Severity
    figure: float
    limit: float
    retrain: Trigger | None = None
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What the rules read. baseline_f1: of the current model when it was promoted, nan unknown.

    of_day: cases of the day alone; `drift` counts those of the days joined to it too. reference:
    cases it was compared with.
    """

    at: datetime
    last_training: datetime | None
    of_day: int
    reference: int
    drift: Drift
    performance: Performance
    baseline_f1: float


def judge_day(day: Day, watch: Watch) -> tuple[Finding, ...]:
    """Return what fired, the gravest first."""
    order = {"critical": 0, "high": 1, "information": 2}
    return tuple(
        sorted(
            (
                *_sight(day, watch),
                *_drift(day, watch),
                *_performance(day, watch),
                *_schedule(day, watch),
            ),
            key=lambda f: order[f.severity],
        )
    )


def _sight(day: Day, watch: Watch) -> Iterator[Finding]:
    """What kept the watch from seeing drift: silence is no good news."""
    least = watch.drift_least_cases.value
    if not day.of_day:
        yield Finding(code="no_cases", severity="critical", figure=0.0, limit=1.0)
    elif not day.reference:
        yield Finding(code="no_reference", severity="high", figure=0.0, limit=1.0)
    elif day.drift.cases < least:
        yield Finding(
            code="few_cases", severity="information", figure=float(day.drift.cases), limit=least
        )


def _drift(day: Day, watch: Watch) -> Iterator[Finding]:
    if day.drift.cases < watch.drift_least_cases.value:
        return
    score, alert, retrain = day.drift.score, watch.drift_alert.value, watch.drift_retrain.value
    where = ", ".join(c.column for c in day.drift.over(alert)[:5])
    if score > retrain:
        yield Finding(
            code="drift_retrain",
            severity="high",
            figure=score,
            limit=retrain,
            retrain=Trigger.DRIFT,
            where=where,
        )
    elif score > alert:
        yield Finding(code="drift_alert", severity="high", figure=score, limit=alert, where=where)


def _performance(day: Day, watch: Watch) -> Iterator[Finding]:
    found = day.performance
    if found.labelled < watch.least_labels.value:
        return
    confirmed, base = found.confirmed, day.baseline_f1
    least = base * (1.0 - watch.f1_drop_retrain.value)
    # the interval must not reach the baseline: a drop that chance explains retrains nothing
    if not math.isnan(base) and confirmed.value < least and confirmed.high < base:
        yield Finding(
            code="f1_drop",
            severity="high",
            figure=confirmed.value,
            limit=least,
            retrain=Trigger.PERFORMANCE,
        )
    elif confirmed.high < watch.f1_least.value:
        yield Finding(
            code="f1_low",
            severity="high",
            figure=confirmed.value,
            limit=watch.f1_least.value,
            retrain=Trigger.PERFORMANCE,
        )
    recall = found.critical_recall
    for code, limit in (
        ("critical_recall_rollback", watch.critical_recall_rollback.value),
        ("critical_recall_low", watch.critical_recall_alert.value),
    ):
        if not math.isnan(recall.value) and recall.high < limit:
            yield Finding(code=code, severity="critical", figure=recall.value, limit=limit)
            return


def _schedule(day: Day, watch: Watch) -> Iterator[Finding]:
    every = watch.retrain_every_days.value
    if day.last_training is None or day.at - day.last_training >= timedelta(days=every):
        since = (day.at - day.last_training).days if day.last_training else math.inf
        yield Finding(
            code="schedule",
            severity="information",
            figure=float(since),
            limit=float(every),
            retrain=Trigger.SCHEDULE,
        )
