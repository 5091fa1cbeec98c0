"""What must hold of silver before it is published, and of gold before anything is trained on it.

Each suite is a list of Great Expectations: schema, then ranges, then distributions. A range that
silver enforces is expected all the same: the suite is what catches a transformation that stopped
enforcing it. Distributions are wide on purpose; drift is watched elsewhere, a broken feed here.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from ddx.domain.case import Sex
from ddx.domain.engine_time import SLOWEST_S
from ddx.domain.finding import Presence, Severity
from ddx.intake.limits import MAX_GRADE, POSSIBLE
from sync_service.protocol.ages import coarse_age_days
from training.lake.tables import (
    GOLD_CASES,
    SILVER_CASES,
    SILVER_FINDINGS,
    SILVER_LABELS,
    LabelSource,
    LakeTable,
)

Expectation = tuple[str, dict[str, Any]]
"""Name of a Great Expectations class, and its arguments."""

ENOUGH_ROWS: Final = 50
"""Below so many values a mean says little: only schema and ranges are checked."""

_OLDEST_DAYS: Final = coarse_age_days(200 * 366)
"""The pooled age: no record can say more."""

_FINDING: Final = r"^(?:HP:\d{7}|VF:[a-z0-9]+(?:[-.][a-z0-9]+)*)$"
_DISEASE: Final = r"^(?:(?:OMIM|ORPHA|DECIPHER):\d+|VD:[a-z0-9]+(?:-[a-z0-9]+)*)$"

_USUAL_MEANS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "temperature_c": (35.5, 39.5),
        "heart_rate_bpm": (55.0, 140.0),
        "respiratory_rate_bpm": (10.0, 45.0),
        "spo2_percent": (85.0, 100.0),
        "systolic_mmhg": (80.0, 160.0),
    }
)
"""Where the mean of many visits lies whatever the season: engineering bands. A thermometer that
reads Fahrenheit or sticks, or two columns exchanged, leaves them."""


def silver_cases(rows: pd.DataFrame) -> list[Expectation]:
    """Return what must hold of cases."""
    return [
        *_schema(SILVER_CASES),
        ("ExpectColumnValuesToBeUnique", {"column": "case_id"}),
        ("ExpectColumnValuesToBeInSet", {"column": "sex", "value_set": list(map(str, Sex))}),
        _between("age_days", 0, _OLDEST_DAYS),
        _between("predicted_probability", 0, 1),
        _between("engine_s", 0, SLOWEST_S),
        *(_between(name, limit.low, limit.high) for name, limit in POSSIBLE.items()),
        *_means(rows),
    ]


def silver_findings(rows: pd.DataFrame) -> list[Expectation]:
    """Return what must hold of stated findings."""
    expected = [
        *_schema(SILVER_FINDINGS),
        ("ExpectCompoundColumnsToBeUnique", {"column_list": ["case_id", "id"]}),
        ("ExpectColumnValuesToMatchRegex", {"column": "id", "regex": _FINDING}),
        (
            "ExpectColumnValuesToBeInSet",
            {"column": "presence", "value_set": [Presence.PRESENT, Presence.EXCLUDED]},
        ),
        ("ExpectColumnValuesToBeInSet", {"column": "severity", "value_set": list(Severity)}),
        _between("grade", 0, MAX_GRADE),
        _between("onset_days", 0, _OLDEST_DAYS),
    ]
    if len(rows) >= ENOUGH_ROWS:
        # one finding in every row is a form that fills itself in
        expected.append(
            ("ExpectColumnUniqueValueCountToBeBetween", {"column": "id", "min_value": 2})
        )
    return expected


def silver_labels(_rows: pd.DataFrame) -> list[Expectation]:
    """Return what must hold of labels."""
    return [
        *_schema(SILVER_LABELS),
        ("ExpectColumnValuesToBeUnique", {"column": "case_id"}),
        ("ExpectColumnValuesToMatchRegex", {"column": "disease", "regex": _DISEASE}),
        (
            "ExpectColumnValuesToBeInSet",
            {"column": "label_source", "value_set": list(map(str, LabelSource))},
        ),
    ]


def gold_cases(rows: pd.DataFrame) -> list[Expectation]:
    """Return what must hold of gold whoever reads it."""
    return [
        *_schema(GOLD_CASES),
        ("ExpectColumnValuesToBeUnique", {"column": "case_id"}),
        ("ExpectColumnValuesToMatchRegex", {"column": "disease", "regex": _DISEASE}),
        (
            "ExpectColumnPairValuesAToBeGreaterThanB",
            {"column_A": "known_at", "column_B": "ingested_at", "or_equal": True},
        ),
        *(_between(name, limit.low, limit.high) for name, limit in POSSIBLE.items()),
        *_means(rows),
    ]


def training_cases(rows: pd.DataFrame) -> list[Expectation]:
    """Return what must hold of the cases one training reads, beside `gold_cases`."""
    return [
        *gold_cases(rows),
        ("ExpectTableRowCountToBeBetween", {"min_value": ENOUGH_ROWS}),
        _never_null("disease"),
        _never_null("label_source"),
        _never_null("confirmed"),
        ("ExpectColumnUniqueValueCountToBeBetween", {"column": "disease", "min_value": 2}),
        # nine in ten of one disease teach the others away
        _share("largest_disease_share", 0.0, 0.9),
        # a visit without one finding teaches a prevalence and nothing else
        _share("stated_share", 0.5, 1.0),
        _share("age_known_share", 0.5, 1.0),
    ]


Suite = Callable[[pd.DataFrame], list[Expectation]]

SUITES: Final[Mapping[str, Suite]] = MappingProxyType(
    {
        SILVER_CASES.name: silver_cases,
        SILVER_FINDINGS.name: silver_findings,
        SILVER_LABELS.name: silver_labels,
        GOLD_CASES.name: gold_cases,
        "training_cases": training_cases,
    }
)

DERIVED: Final = ("largest_disease_share", "stated_share", "age_known_share")
"""Columns `training.lake.expectations` adds for the training suite, the same in every row."""


def _schema(table: LakeTable) -> list[Expectation]:
    columns = list(table.schema.names)
    exact = ("ExpectTableColumnsToMatchSet", {"column_set": columns, "exact_match": False})
    return [exact, *(_never_null(f.name) for f in table.schema if not f.nullable)]


def _never_null(column: str) -> Expectation:
    return ("ExpectColumnValuesToNotBeNull", {"column": column})


def _between(column: str, low: float, high: float) -> Expectation:
    bounds = {"column": column, "min_value": low, "max_value": high}
    return ("ExpectColumnValuesToBeBetween", bounds)


def _share(column: str, low: float, high: float) -> Expectation:
    return ("ExpectColumnMeanToBeBetween", {"column": column, "min_value": low, "max_value": high})


def _means(rows: pd.DataFrame) -> list[Expectation]:
    return [
        _share(name, low, high)
        for name, (low, high) in _USUAL_MEANS.items()
        if name in rows and rows[name].notna().sum() >= ENOUGH_ROWS
    ]
