"""How far a measurement can go before it is a slip of the pen, each bound with its reason.

Two widths: what no living patient shows (refused), and what is rare enough at an age to be
worth a second look (asked). Neither says whether a value is healthy; that is `ddx.safety`'s.
"""

from dataclasses import dataclass
from typing import Final

MAX_AGE_YEARS: Final = 125
"""Engineering limit, above the longest documented life: 122 years (Robine & Allard, Science 1998;
279:1834)."""

MAX_GRADE: Final = 10.0
"""Numeric rating scale 0-10, as the graded findings are asked."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Inclusive bounds of one vital sign, in the unit of its VitalSigns field."""

    low: float
    high: float
    source: str


@dataclass(frozen=True, slots=True)
class Usual:
    """Bounds expected from `from_years` of age until the next row of the same sign."""

    from_years: float
    low: float
    high: float


POSSIBLE: Final = {
    "temperature_c": Limit(
        13.0,
        47.0,
        "Survived extremes: 13.7 C (Gilbert, Lancet 2000;355:375) and 46.5 C (Slovis, "
        "Ann Emerg Med 1982;11:269), rounded outward",
    ),
    "heart_rate_bpm": Limit(10.0, 400.0, "Engineering limit: outside it the figure is a slip"),
    "respiratory_rate_bpm": Limit(1.0, 200.0, "Engineering limit: outside it the figure is a slip"),
    "systolic_mmhg": Limit(20.0, 400.0, "Engineering limit: outside it the figure is a slip"),
    "diastolic_mmhg": Limit(5.0, 300.0, "Engineering limit: outside it the figure is a slip"),
    "spo2_percent": Limit(1.0, 100.0, "A percentage; a reading of 0 is a probe that is off"),
    "weight_kg": Limit(0.2, 700.0, "Engineering limit, below a viable birth weight and above any"),
    "glucose_mg_dl": Limit(1.0, 3000.0, "Engineering limit: outside it the figure is a slip"),
}

USUAL_SOURCE: Final = (
    "Engineering bands for doubtful entries, set well outside the 1st and 99th centiles of heart "
    "and respiratory rate by age (Fleming, Lancet 2011;377:1011) so that sick children pass; "
    "SpO2 below 70 % is outside the range pulse oximeters are specified for (ISO 80601-2-61)"
)

USUAL: Final = {
    "temperature_c": (Usual(0, 30.0, 42.5),),
    "heart_rate_bpm": (
        Usual(0, 60, 260),
        Usual(1, 50, 240),
        Usual(5, 40, 220),
        Usual(12, 30, 220),
    ),
    "respiratory_rate_bpm": (
        Usual(0, 15, 120),
        Usual(1, 12, 90),
        Usual(5, 8, 70),
        Usual(12, 6, 60),
    ),
    "systolic_mmhg": (Usual(0, 40, 140), Usual(1, 50, 180), Usual(12, 60, 260)),
    "diastolic_mmhg": (Usual(0, 15, 100), Usual(1, 20, 130), Usual(12, 25, 160)),
    "spo2_percent": (Usual(0, 70, 100),),
    "weight_kg": (
        Usual(0, 0.4, 20),
        Usual(1, 4, 45),
        Usual(5, 8, 120),
        Usual(12, 18, 300),
    ),
    "glucose_mg_dl": (Usual(0, 20, 600),),
}


def usual_range(vital: str, age_years: float | None) -> Usual:
    """Return the bounds expected of `vital` at that age; the widest of all ages when unknown."""
    rows = USUAL[vital]
    if age_years is None:
        return Usual(0, min(row.low for row in rows), max(row.high for row in rows))
    return [row for row in rows if row.from_years <= age_years][-1]
