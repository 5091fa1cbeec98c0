"""Signs that put a patient first whatever the disease, at any age or from 12 years.

Source: WHO, ICRC and MSF. Interagency Integrated Triage Tool. 2020, page for 12 years and older
(airway and breathing also stand on its page for children), the level-1 examples of ESI, and where
a rule says so another publication.

Left out: "acute chest or abdominal pain over 50 years" (no finding tells how acute), trauma,
poisoning and labour (no findings), and headache with fever alone, which the tool counts as two
of four signs but which most febrile illness shows; one of the two has to be an altered mental
state or a stiff neck here.
"""

from typing import Final

from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId
from ddx.safety.facts import (
    Evidence,
    Facts,
    Rule,
    above,
    age_years,
    all_of,
    any_of,
    at_least,
    below,
    graded_at_least,
    marked_severe,
    not_alert,
    seen,
)
from ddx.safety.news2 import MIN_AGE_YEARS
from ddx.safety.paediatric import ESI
from ddx.safety.rules import MCPC

IITT: Final = "WHO, ICRC, MSF. Interagency Integrated Triage Tool. 2020"
FROM_YEARS: Final = 12
SEVERE_PAIN: Final = 7.0
"""Pain from which ESI speaks of severe pain, on 0..10 (decision point B)."""

_adult: Final = age_years(FROM_YEARS)
_pregnant: Final = seen("VF:context.pregnant", "VF:context.pregnant-over-20-weeks")
_altered: Final = any_of(not_alert, seen("HP:0001289", "HP:0004372"))
_stiff_neck: Final = seen("HP:0031179", "HP:0025258")
_fever_or_cold: Final = any_of(
    seen("HP:0001945"), at_least("temperature_c", 38.0), below("temperature_c", 35.0)
)
_headache: Final = seen("HP:0002315")

_BITE_SIGNS: Final = (
    "VF:bite.fang-marks",
    "VF:bite.pain",
    "VF:bite.swelling",
    "VF:bite.ecchymosis",
    "VF:bite.blisters",
    "VF:bite.bleeding",
)
"""Signs at the bite: each entails the bite (training/knowledge/endemic/relations.tsv)."""


def _without_news2(facts: Facts) -> Evidence | None:
    """Hold from 12 years where NEWS2 does not speak: below 16 years, and in pregnancy."""
    years = facts.case.age_years
    if years is None or years < FROM_YEARS:
        return None
    pregnant = facts.case.presence_of(FindingId("VF:context.pregnant")) is Presence.PRESENT
    return () if years < MIN_AGE_YEARS or pregnant else None


EMERGENCY_RULES: Final = (
    Rule("emergency.breathing", True, IITT, seen("HP:0034032", "HP:0002098")),
    Rule("emergency.shock", True, IITT, seen("HP:0031273")),
    Rule("emergency.coma", True, IITT, seen("HP:0001259")),
    Rule(
        "emergency.heart_rate",
        True,
        IITT,
        all_of(_adult, any_of(below("heart_rate_bpm", 50), above("heart_rate_bpm", 150))),
    ),
    Rule(
        "emergency.brain_signs",
        True,
        IITT,
        all_of(
            _adult,
            any_of(
                all_of(_altered, any_of(_stiff_neck, _fever_or_cold, _headache)),
                all_of(_stiff_neck, any_of(_fever_or_cold, _headache)),
            ),
        ),
    ),
    Rule(
        "emergency.snake_bite",
        True,
        IITT,
        seen("VF:exposure.snake-bite", *_BITE_SIGNS),
    ),
    Rule(
        "emergency.purpura_and_altered",
        True,
        ESI,
        all_of(_altered, seen("HP:0000979", "HP:0000967")),
    ),
    Rule(
        "emergency.low_glucose_and_altered",
        True,
        ESI,
        all_of(_altered, below("glucose_mg_dl", 54)),
    ),
    Rule(
        "pregnancy.danger_sign",
        True,
        IITT,
        all_of(
            _pregnant,
            any_of(
                _altered,
                seen("HP:0000622", "VF:abdominal-pain.severe", "VF:blood-pressure-160-110"),
                marked_severe("HP:0002315", "HP:0002027"),
            ),
        ),
    ),
    Rule(
        "pregnancy.hypertension",
        False,
        MCPC,
        all_of(
            _pregnant,
            any_of(
                at_least("systolic_mmhg", 140),
                at_least("diastolic_mmhg", 90),
                seen("VF:blood-pressure-140-90"),
            ),
        ),
    ),
    Rule(
        "glucose.above_250_with_ketones",
        True,
        "Kitabchi AE et al. Diabetes Care 2009;32:1335-1343 (diabetic ketoacidosis)",
        all_of(
            seen("VF:test.urine-ketones", "HP:0002919"),
            any_of(above("glucose_mg_dl", 250), seen("VF:test.glucose-250")),
        ),
    ),
    Rule("pain.severe", False, IITT, graded_at_least("VF:pain.intensity", SEVERE_PAIN)),
    Rule(
        "adult.priority_sign",
        False,
        IITT,
        all_of(
            _adult,
            any_of(
                seen("HP:0030828", "HP:0001279"),
                seen("VF:vomiting.persistent", "VF:unable-to-drink"),
                marked_severe("HP:0000980"),
            ),
        ),
    ),
    Rule(
        "adult.high_risk_vital_sign",
        False,
        IITT,
        all_of(
            _without_news2,
            any_of(
                below("heart_rate_bpm", 60),
                above("heart_rate_bpm", 130),
                below("respiratory_rate_bpm", 10),
                above("respiratory_rate_bpm", 30),
                below("temperature_c", 36.0),
                above("temperature_c", 39.0),
                below("spo2_percent", 92),
                not_alert,
            ),
        ),
    ),
)
"""Rules that `ddx.safety.rules` does not hold; words in `ddx.safety.messages`."""
