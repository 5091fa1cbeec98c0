"""The vital signs of a draft as they are being typed: what is expected at this age, and NEWS2.

No case is needed: a sign that cannot be read yet is left out, as one nobody measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ddx.domain.case import DAYS_PER_YEAR, Case, VitalSigns
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.intake import vitals
from ddx.intake.draft import Draft
from ddx.intake.issues import Level
from ddx.intake.reading import age_in_days, number
from ddx.safety.flags import PREGNANT, news2_applies
from ddx.safety.news2 import BANDS, SOURCE, News2, news2
from ddx.safety.paediatric import (
    CHILD_BELOW_YEARS,
    DANGER_HEART_RATE,
    DANGER_RESPIRATORY_RATE,
    DANGER_SPO2,
    ESI,
    FAST_BREATHING,
    FEVER_NICE,
    IMCI,
    PALS,
    AgeLimit,
    lowest_systolic,
)

CHILD_FEVER_C: Final = 38.0
"""Degrees Celsius from which a child has fever. Source: FEVER_NICE."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Inclusive bounds of one vital sign at one age; None where a side has none."""

    low: float | None
    high: float | None
    source: str

    def holds(self, value: float) -> bool:
        """Whether `value` is within the bounds."""
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class Bedside:
    """What the vital signs of a draft say.

    signs: those that can be read. news2: None where the score does not speak (under 16 years, age
    unknown, pregnancy) or nothing of it was measured. expected: by VitalSigns field.
    """

    signs: VitalSigns
    news2: News2 | None
    expected: Mapping[str, Expected]


def bedside(draft: Draft) -> Bedside:
    """Return what the vital signs typed so far say."""
    days = _age_days(draft)
    case = Case(
        age_days=days, sex=draft.sex, findings=_pregnancy(draft), vitals=_readable(draft, days)
    )
    score = news2(case.vitals) if news2_applies(case) else None
    return Bedside(
        signs=case.vitals,
        news2=score if score is not None and score.points else None,
        expected=expected(days),
    )


def expected(age_days: int | None) -> dict[str, Expected]:
    """Return the bounds by vital sign at that age; nothing while the age is not known.

    Adults: the band that scores nothing in NEWS2. Children: the limits of `paediatric`.
    """
    if age_days is None:
        return {}
    if age_days >= CHILD_BELOW_YEARS * DAYS_PER_YEAR:
        return {sign: _scoring_nothing(sign) for sign in BANDS}
    breaths = _limit(FAST_BREATHING, age_days)
    most = breaths - 1 if breaths is not None else _limit(DANGER_RESPIRATORY_RATE, age_days)
    return {
        "respiratory_rate_bpm": Expected(None, most, ESI if breaths is None else IMCI),
        "heart_rate_bpm": Expected(None, _limit(DANGER_HEART_RATE, age_days), ESI),
        "spo2_percent": Expected(DANGER_SPO2, None, ESI),
        "systolic_mmhg": Expected(lowest_systolic(age_days), None, PALS),
        "temperature_c": Expected(None, CHILD_FEVER_C - 0.1, FEVER_NICE),
    }


def _scoring_nothing(sign: str) -> Expected:
    step = 0.1 if sign == "temperature_c" else 1.0
    below, band = next((before, after) for before, after in pairwise(BANDS[sign]) if after[1] == 0)
    high = None if band[0] == float("inf") else band[0]
    return Expected(round(below[0] + step, 1), high, SOURCE)


def _limit(rows: tuple[AgeLimit, ...], age_days: int) -> float | None:
    return next((r.limit for r in rows if r.from_days <= age_days < r.below_days), None)


def _age_days(draft: Draft) -> int | None:
    value = number(draft.age_text) if draft.age_text.strip() else None
    return None if value is None or value < 0 else age_in_days(value, draft.age_unit)


def _readable(draft: Draft, age_days: int | None) -> VitalSigns:
    wrong = {i.field for i in vitals.issues(draft.vitals, age_days) if i.level is Level.ERROR}
    return vitals.read({name: text for name, text in draft.vitals.items() if name not in wrong})


def _pregnancy(draft: Draft) -> tuple[Finding, ...]:
    return tuple(
        Finding(id=FindingId(line.id), presence=line.presence)
        for line in draft.findings
        if line.id == PREGNANT and line.presence is Presence.PRESENT
    )[:1]
