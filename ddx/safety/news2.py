"""NEWS2: how ill an adult is, from six measurements and oxygen, as a table.

Source: Royal College of Physicians. National Early Warning Score (NEWS) 2. London: RCP, 2017,
chart 1 (scoring) and chart 2 (thresholds). For people of 16 and older, not in pregnancy.
Saturation is read on scale 1; scale 2 needs a prescriber's decision that no case carries.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ddx.domain.case import VitalSigns

SOURCE: Final = "Royal College of Physicians. National Early Warning Score (NEWS) 2. London, 2017"
MIN_AGE_YEARS: Final = 16
URGENT_FROM: Final = 5
EMERGENCY_FROM: Final = 7
RED: Final = 3
"""A single sign with this many points calls for a review whatever the total."""

_ABOVE: Final = float("inf")

BANDS: Final[Mapping[str, tuple[tuple[float, int], ...]]] = MappingProxyType(
    {
        "respiratory_rate_bpm": ((8, 3), (11, 1), (20, 0), (24, 2), (_ABOVE, 3)),
        "spo2_percent": ((91, 3), (93, 2), (95, 1), (_ABOVE, 0)),
        "systolic_mmhg": ((90, 3), (100, 2), (110, 1), (219, 0), (_ABOVE, 3)),
        "heart_rate_bpm": ((40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (_ABOVE, 3)),
        "temperature_c": ((35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1), (_ABOVE, 2)),
    }
)
"""Highest value of each band, inclusive, and its points; the chart's whole numbers (tenths for
temperature), to which a measurement is rounded first."""

OXYGEN_POINTS: Final = 2
NOT_ALERT_POINTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a score calls for. evidence: the vital signs it rests on."""

    code: str
    urgent: bool
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class News2:
    """Points by vital sign. missing: signs not measured; `total` is a lower bound then."""

    points: Mapping[str, int]
    missing: tuple[str, ...]

    @property
    def total(self) -> int:
        """Sum of the points, 0..20."""
        return sum(self.points.values())

    @property
    def scoring(self) -> tuple[str, ...]:
        """Vital signs that score at all, in chart order."""
        return tuple(sign for sign, points in self.points.items() if points > 0)

    @property
    def response(self) -> Response | None:
        """What the total, else a single red sign, calls for; None below both."""
        total = self.total
        if total >= EMERGENCY_FROM:
            return Response(code="news2.emergency", urgent=True, evidence=self.scoring)
        if total >= URGENT_FROM:
            return Response(code="news2.urgent", urgent=True, evidence=self.scoring)
        red = tuple(sign for sign, points in self.points.items() if points == RED)
        return Response(code="news2.single_red", urgent=False, evidence=red) if red else None


def news2(vitals: VitalSigns) -> News2:
    """Return the score of an adult. Oxygen that nobody recorded counts as missing, not as air."""
    measured = {sign: getattr(vitals, sign) for sign in BANDS}
    points = {s: _points(s, value) for s, value in measured.items() if value is not None}
    if vitals.on_oxygen is not None:
        points["on_oxygen"] = OXYGEN_POINTS if vitals.on_oxygen else 0
    if vitals.alert is not None:
        points["alert"] = 0 if vitals.alert else NOT_ALERT_POINTS
    missing = tuple(s for s in (*BANDS, "on_oxygen", "alert") if s not in points)
    return News2(points=MappingProxyType(points), missing=missing)


def _points(sign: str, value: float) -> int:
    rounded = round(value, 1 if sign == "temperature_c" else 0)
    return next(points for highest, points in BANDS[sign] if rounded <= highest)
