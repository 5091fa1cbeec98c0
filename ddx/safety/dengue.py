"""Dengue as WHO classified it in 2009: suspected, with warning signs, severe.

Source: WHO/TDR. Dengue: guidelines for diagnosis, treatment, prevention and control. New edition.
Geneva: WHO, 2009, chapter 1 (case classification) and chapter 2 (shock, pulse pressure).
Suspected dengue: fever and two of nausea or vomiting, rash, aches and pains, positive tourniquet
test, leukopenia, any warning sign, in someone who lives in or came from an area with dengue. No
case carries that place, so every rule speaks under the condition "where dengue circulates"; a
positive NS1 test stands for the whole definition.

Left out, for no finding of ours carries the figure: liver enlargement over 2 cm (any palpable
liver counts), AST or ALT of 1000 and more, falls and rises of platelets and hematocrit between two
counts (both abnormal at once counts as the laboratory sign).
"""

from typing import Final

from ddx.safety.facts import (
    Evidence,
    Facts,
    Rule,
    age_years,
    all_of,
    any_of,
    at_least,
    at_least_of,
    below,
    marked_severe,
    not_alert,
    seen,
)
from ddx.safety.paediatric import low_pressure_for_age

WHO_DENGUE: Final = (
    "WHO/TDR. Dengue: guidelines for diagnosis, treatment, prevention and control. 2009"
)
NARROW_PULSE_MMHG: Final = 20.0
"""Pulse pressure at or below which a patient is in shock (WHO 2009, section 2.3)."""

ADULT_SYSTOLIC_MMHG: Final = 90.0
"""Systolic pressure below which an adult is hypotensive (WHO 2009, section 2.3)."""

_fever: Final = any_of(seen("HP:0001945"), at_least("temperature_c", 38.0))
_bleeding: Final = ("HP:0000225", "HP:0000421", "HP:0002239", "HP:0034263", "VF:vaginal-bleeding")
_vomited_or_passed: Final = ("HP:0002248", "HP:0002249", "VF:black-stools")
_fluid: Final = seen("VF:fluid-accumulation", "HP:0001541", "HP:0002202")

WARNING_SIGNS: Final = (
    seen("HP:0002027", "VF:abdominal-pain.severe", "VF:abdominal-tenderness"),
    seen("VF:vomiting.persistent"),
    _fluid,
    seen(*_bleeding, *_vomited_or_passed),
    seen("VF:lethargy-or-restlessness", "HP:0001254", "HP:0000711"),
    seen("HP:0002240"),
    all_of(seen("HP:0001899"), seen("HP:0001873")),
)
"""One condition per line of the guideline's list of warning signs."""

_any_warning: Final = any_of(*WARNING_SIGNS)

PROBABLE_SIGNS: Final = (
    seen("HP:0002017", "HP:0002018", "HP:0002013", "VF:vomiting.persistent"),
    seen("HP:0000988", "HP:0000967"),
    seen("HP:0002315", "VF:retro-orbital-pain", "HP:0200026", "HP:0003326", "HP:0002829"),
    seen("VF:tourniquet-positive"),
    seen("HP:0001882"),
    _any_warning,
)
"""One condition per line of the guideline's list for probable dengue; two are needed."""

suspected: Final = any_of(
    seen("VF:test.dengue-ns1"), all_of(_fever, at_least_of(2, *PROBABLE_SIGNS))
)


def narrow_pulse(facts: Facts) -> Evidence | None:
    """Hold when both pressures were measured and lie 20 mmHg apart or less."""
    high, low = facts.case.vitals.systolic_mmhg, facts.case.vitals.diastolic_mmhg
    if high is None or low is None or high - low > NARROW_PULSE_MMHG:
        return None
    return ("systolic_mmhg", "diastolic_mmhg")


_shock: Final = any_of(
    narrow_pulse,
    seen("VF:cold-or-slow-refill", "HP:0031273"),
    seen("HP:0002615"),
    low_pressure_for_age,
    all_of(age_years(16), below("systolic_mmhg", ADULT_SYSTOLIC_MMHG)),
)

DENGUE_RULES: Final = (
    Rule("dengue.shock", True, WHO_DENGUE, all_of(suspected, _shock)),
    Rule(
        "dengue.fluid_with_distress",
        True,
        WHO_DENGUE,
        all_of(suspected, _fluid, seen("HP:0002098")),
    ),
    Rule(
        "dengue.severe_bleeding",
        True,
        WHO_DENGUE,
        all_of(suspected, marked_severe("HP:0001892", *_bleeding, *_vomited_or_passed)),
    ),
    Rule(
        "dengue.impaired_consciousness",
        True,
        WHO_DENGUE,
        all_of(suspected, any_of(not_alert, seen("HP:0004372", "HP:0007185", "HP:0001259"))),
    ),
    Rule("dengue.warning_sign", True, WHO_DENGUE, all_of(suspected, _any_warning)),
)
"""The first four are severe dengue; bleeding is severe when the clinician marks it so."""
