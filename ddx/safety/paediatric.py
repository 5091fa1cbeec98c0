"""Children: vital signs by age and danger signs, one table per publication.

Each row is a figure its publication prints. What is left out, because no figure of it was certain:
the paediatric page of the Interagency Integrated Triage Tool, the APLS and PALS ranges of heart
and respiratory rate, centiles, malnutrition and swollen feet (no finding of ours says just that).
"""

from dataclasses import dataclass
from typing import Final

from ddx.domain.case import DAYS_PER_YEAR
from ddx.safety.facts import (
    Condition,
    Evidence,
    Facts,
    Rule,
    age_days,
    age_years,
    all_of,
    any_of,
    at_least,
    at_least_of,
    marked_severe,
    not_alert,
    seen,
)

MONTH: Final = DAYS_PER_YEAR / 12
CHILD_BELOW_YEARS: Final = 16
"""From here on NEWS2 and the adult pressure limits speak."""

IMCI: Final = "WHO. Integrated Management of Childhood Illness, chart booklet. 2014"
ETAT: Final = "WHO. Emergency triage assessment and treatment (ETAT), manual for participants. 2005"
PALS: Final = (
    "American Heart Association. Pediatric Advanced Life Support, hypotension by age. 2020"
)
FEVER_NICE: Final = "NICE. Fever in under 5s, NG143. 2019"
ESI: Final = (
    "Gilboy N et al. Emergency Severity Index (ESI) implementation handbook, version 4. AHRQ, 2012"
)
WHO_DIARRHOEA: Final = "WHO. The treatment of diarrhoea, 4th revision. 2005"


@dataclass(frozen=True, slots=True)
class AgeLimit:
    """A limit of one vital sign from `from_days` of age and below `below_days`."""

    from_days: float
    below_days: float
    limit: float


FAST_BREATHING: Final = (
    AgeLimit(0, 2 * MONTH, 60),
    AgeLimit(2 * MONTH, 12 * MONTH, 50),
    AgeLimit(12 * MONTH, 5 * DAYS_PER_YEAR, 40),
)
"""Breaths a minute from which breathing is fast, inclusive. Source: IMCI."""

DANGER_HEART_RATE: Final = (
    AgeLimit(0, 3 * MONTH, 180),
    AgeLimit(3 * MONTH, 3 * DAYS_PER_YEAR, 160),
    AgeLimit(3 * DAYS_PER_YEAR, 8 * DAYS_PER_YEAR, 140),
    AgeLimit(8 * DAYS_PER_YEAR, CHILD_BELOW_YEARS * DAYS_PER_YEAR, 100),
)
"""Beats a minute above which ESI's danger zone begins. Source: ESI, decision point D."""

DANGER_RESPIRATORY_RATE: Final = (
    AgeLimit(0, 3 * MONTH, 50),
    AgeLimit(3 * MONTH, 3 * DAYS_PER_YEAR, 40),
    AgeLimit(3 * DAYS_PER_YEAR, 8 * DAYS_PER_YEAR, 30),
    AgeLimit(8 * DAYS_PER_YEAR, CHILD_BELOW_YEARS * DAYS_PER_YEAR, 20),
)
"""Breaths a minute above which ESI's danger zone begins. Source: ESI, decision point D."""

DANGER_SPO2: Final = 92
"""Saturation below which ESI's danger zone begins. Source: ESI, decision point D."""

FEVER_HEART_RATE: Final = (
    AgeLimit(0, 12 * MONTH, 160),
    AgeLimit(12 * MONTH, 24 * MONTH, 150),
    AgeLimit(24 * MONTH, 5 * DAYS_PER_YEAR, 140),
)
"""Beats a minute above which a child with fever has tachycardia (amber). Source: FEVER_NICE."""

LOW_SYSTOLIC_NEWBORN: Final = 60.0
LOW_SYSTOLIC_INFANT: Final = 70.0
LOW_SYSTOLIC_FROM_TEN: Final = 90.0
NEWBORN_DAYS: Final = 28


def lowest_systolic(age: float) -> float:
    """Return the systolic pressure (mmHg) below which a child of `age` days is hypotensive.

    60 to 28 days, 70 to one year, 70 + 2 x age in whole years to ten, 90 from then on.
    Source: PALS.
    """
    years = age / DAYS_PER_YEAR
    if years >= 10:
        return LOW_SYSTOLIC_FROM_TEN
    if years >= 1:
        return LOW_SYSTOLIC_INFANT + 2 * int(years)
    return LOW_SYSTOLIC_NEWBORN if age <= NEWBORN_DAYS else LOW_SYSTOLIC_INFANT


def low_pressure_for_age(facts: Facts) -> Evidence | None:
    """Hold when a child's systolic pressure is what PALS calls hypotension at that age."""
    age, systolic = facts.case.age_days, facts.case.vitals.systolic_mmhg
    if age is None or systolic is None or age >= CHILD_BELOW_YEARS * DAYS_PER_YEAR:
        return None
    return ("systolic_mmhg",) if systolic < lowest_systolic(age) else None


def over(sign: str, rows: tuple[AgeLimit, ...], *, inclusive: bool = False) -> Condition:
    """Hold when the sign is above the limit of the row the age falls in (or at it: inclusive)."""

    def holds(facts: Facts) -> Evidence | None:
        age, value = facts.case.age_days, getattr(facts.case.vitals, sign)
        if age is None or value is None:
            return None
        row = next((r for r in rows if r.from_days <= age < r.below_days), None)
        if row is None or value < row.limit or (value == row.limit and not inclusive):
            return None
        return (sign,)

    return holds


fast_breathing: Final = over("respiratory_rate_bpm", FAST_BREATHING, inclusive=True)


def _low_saturation(facts: Facts) -> Evidence | None:
    value = facts.case.vitals.spo2_percent
    return ("spo2_percent",) if value is not None and value < DANGER_SPO2 else None


_under_five: Final = age_days(0, 5 * DAYS_PER_YEAR)
_imci_age: Final = age_days(2 * MONTH, 5 * DAYS_PER_YEAR)
_young_infant: Final = age_days(0, 2 * MONTH)
_child: Final = age_years(0, CHILD_BELOW_YEARS)
_fever: Final = any_of(seen("HP:0001945"), at_least("temperature_c", 38.0))
_diarrhoea: Final = seen("HP:0002014", "VF:diarrhea.watery-profuse", "VF:diarrhea.bloody")
_lethargic: Final = any_of(not_alert, seen("HP:0001254", "HP:0004372"))
_restless: Final = seen("HP:0000711", "HP:0000737", "VF:lethargy-or-restlessness")

PAEDIATRIC_RULES: Final = (
    Rule(
        "child.unable_to_drink",
        True,
        IMCI,
        all_of(_imci_age, seen("VF:unable-to-drink")),
    ),
    Rule(
        "child.vomits_everything",
        True,
        IMCI,
        all_of(_imci_age, seen("VF:vomiting.persistent")),
    ),
    Rule("infant.feeds_badly", True, IMCI, all_of(_young_infant, seen("VF:unable-to-drink"))),
    Rule(
        "infant.fever_37_5",
        True,
        IMCI,
        all_of(_young_infant, at_least("temperature_c", 37.5)),
    ),
    Rule(
        "child.bulging_fontanelle",
        True,
        FEVER_NICE,
        all_of(_under_five, _fever, seen("VF:bulging-fontanelle")),
    ),
    Rule(
        "child.fever_39_under_6_months",
        False,
        FEVER_NICE,
        all_of(age_days(3 * MONTH, 6 * MONTH), at_least("temperature_c", 39.0)),
    ),
    Rule(
        "child.fever_with_tachycardia",
        False,
        FEVER_NICE,
        all_of(_under_five, _fever, over("heart_rate_bpm", FEVER_HEART_RATE)),
    ),
    Rule(
        "dehydration.severe",
        True,
        WHO_DIARRHOEA,
        all_of(
            _diarrhoea,
            at_least_of(2, _lethargic, seen("VF:sunken-eyes"), seen("VF:unable-to-drink")),
        ),
    ),
    Rule(
        "dehydration.some",
        False,
        WHO_DIARRHOEA,
        all_of(
            _diarrhoea,
            at_least_of(
                2,
                _restless,
                seen("VF:sunken-eyes"),
                seen("VF:drinks-eagerly"),
                seen("VF:skin-pinch-slow", "HP:6000303"),
            ),
        ),
    ),
    Rule(
        "child.danger_zone",
        False,
        ESI,
        all_of(
            _child,
            any_of(
                over("heart_rate_bpm", DANGER_HEART_RATE),
                over("respiratory_rate_bpm", DANGER_RESPIRATORY_RATE),
                _low_saturation,
            ),
        ),
    ),
    Rule(
        "child.priority_sign",
        False,
        ETAT,
        all_of(
            _under_five,
            any_of(
                _restless,
                seen("HP:0001254"),
                seen("HP:0030863", "HP:0030864"),
                marked_severe("HP:0000980"),
            ),
        ),
    ),
    Rule("infant.under_2_months", False, ETAT, _young_infant),
)
"""Rules that `ddx.safety.rules` does not hold. Two findings of ours are wider than the sign they
stand for, on the safe side: VF:vomiting.persistent (vomits everything) and
VF:lethargy-or-restlessness. Our "slow" skin pinch does not tell slow from very slow (2 seconds),
so it counts for some dehydration only. The table of dehydration is that of every age."""
