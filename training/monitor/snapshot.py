"""A stretch of cases as counts by column: what drift is measured on. No case can be read back."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from ddx.domain.case import DAYS_PER_YEAR
from training.lake.gold import GoldCases
from training.lake.tables import VITALS
from training.monitor.drift import Counts
from training.pipelines.provenance import AGE_EDGES_YEARS

UNKNOWN: Final = "unknown"
LEAST_STATED: Final = 0.01
"""Share of the cases, of either stretch, that must state a finding for it to be a column."""

PROBABILITY_TENTHS: Final = 10
EDGES: Final[Mapping[str, tuple[float, ...]]] = {
    "temperature_c": (35.0, 36.0, 36.5, 37.0, 37.5, 38.0, 38.5, 39.0, 40.0),
    "heart_rate_bpm": (50, 60, 70, 80, 90, 100, 110, 120, 140),
    "respiratory_rate_bpm": (10, 12, 14, 16, 18, 20, 24, 30, 40),
    "systolic_mmhg": (80, 90, 100, 110, 120, 130, 140, 160, 180),
    "diastolic_mmhg": (50, 60, 70, 80, 90, 100, 110),
    "spo2_percent": (85, 88, 90, 92, 94, 95, 96, 97, 98, 99),
    "weight_kg": (5, 10, 20, 30, 40, 50, 60, 70, 80, 100),
    "glucose_mg_dl": (60, 70, 80, 90, 100, 110, 126, 150, 200, 300),
}
"""Where vital signs are cut: our choice, clinical limits (NEWS2, WHO) and even steps between."""


def counts_of(gold: GoldCases) -> dict[str, Counts]:
    """Return column -> category -> cases: age, sex, clinic, vital signs, findings, proposals.

    A finding has three categories, for a question that is no longer asked is drift too.
    """
    table = gold.table
    columns: dict[str, Counts] = {
        "age": _ages(table.column("age_days").to_pylist()),
        "sex": Counter(table.column("sex").to_pylist()),
        "clinic": Counter(table.column("clinic").to_pylist()),
        "predicted": Counter(map(_told, table.column("predicted").to_pylist())),
        "probability": _tenths(table.column("predicted_probability").to_pylist()),
    }
    for vital in VITALS:
        columns[vital.name] = _vital(vital.name, table.column(vital.name).to_pylist())
    return columns | findings_of(table.column("findings").to_pylist())


def findings_of(cases: Iterable[list[Mapping[str, Any]]]) -> dict[str, Counts]:
    """Return finding -> present, excluded, unknown -> cases."""
    stated: dict[str, Counter[str]] = {}
    n = 0
    for case in cases:
        n += 1
        for finding in case:
            stated.setdefault(finding["id"], Counter())[finding["presence"]] += 1
    for counted in stated.values():
        counted[UNKNOWN] = n - sum(counted.values())
    return dict(stated)


def aligned(
    reference: Mapping[str, Counts], day: Mapping[str, Counts]
) -> tuple[dict[str, Counts], dict[str, Counts]]:
    """Return both with the same columns: a finding one of them never states is unknown there."""
    sizes = [sum(counts["sex"].values()) for counts in (reference, day)]
    names = {n for n in (*reference, *day) if _stated_often(n, reference, day, sizes)}
    filled = [
        {name: counts.get(name, {UNKNOWN: size}) for name in sorted(names)}
        for counts, size in zip((reference, day), sizes, strict=True)
    ]
    return filled[0], filled[1]


def _stated_often(
    name: str, reference: Mapping[str, Counts], day: Mapping[str, Counts], sizes: list[float]
) -> bool:
    if name not in reference or name not in day:
        found, size = (day, sizes[1]) if name in day else (reference, sizes[0])
        stated = size - found[name].get(UNKNOWN, 0.0)
        return stated >= LEAST_STATED * size
    shares = (
        1.0 - counts[name].get(UNKNOWN, 0.0) / size
        for counts, size in zip((reference, day), sizes, strict=True)
    )
    return max(shares) >= LEAST_STATED


def _ages(days: Iterable[int | None]) -> Counts:
    counted: Counter[str] = Counter()
    for age in days:
        if age is None:
            counted[UNKNOWN] += 1
        else:
            at = int(np.searchsorted(AGE_EDGES_YEARS, age / DAYS_PER_YEAR, side="right")) - 1
            counted[f"from {AGE_EDGES_YEARS[at]}"] += 1
    return counted


def _vital(name: str, values: Iterable[float | bool | None]) -> Counts:
    edges = EDGES.get(name)
    counted: Counter[str] = Counter()
    for value in values:
        if value is None:
            counted[UNKNOWN] += 1
        elif edges is None:
            counted[str(value)] += 1
        else:
            at = int(np.searchsorted(edges, value, side="right"))
            counted[f"from {edges[at - 1]}" if at else f"below {edges[0]}"] += 1
    return counted


def _tenths(values: Iterable[float | None]) -> Counts:
    counted: Counter[str] = Counter()
    for value in values:
        tenth = None if value is None else min(int(value * PROBABILITY_TENTHS), 9)
        counted[UNKNOWN if tenth is None else f"from 0.{tenth}"] += 1
    return counted


def _told(disease: str | None) -> str:
    return UNKNOWN if disease is None else disease
