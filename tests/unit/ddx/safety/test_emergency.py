"""Signs that come first, against the Interagency Integrated Triage Tool and ESI."""

import pytest

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.finding import Finding, Presence, Severity
from ddx.safety.emergency import EMERGENCY_RULES
from ddx.safety.facts import Facts

YEAR = 365.25
FEVER, HEADACHE, STIFF_NECK = "HP:0001945", "HP:0002315", "HP:0031179"
PREGNANT, TEEN = "VF:context.pregnant", 14 * YEAR
RULES = {rule.code: rule for rule in EMERGENCY_RULES}


def case(*present, age_days=30 * YEAR, severe=(), pain=None, **vitals):
    findings = [Finding(id=f, presence=Presence.PRESENT) for f in present]
    findings += [Finding(id=f, presence=Presence.PRESENT, severity=Severity.SEVERE) for f in severe]
    if pain is not None:
        findings.append(Finding(id="VF:pain.intensity", presence=Presence.PRESENT, grade=pain))
    return Case(
        age_days=int(age_days),
        sex=Sex.FEMALE,
        findings=tuple(findings),
        vitals=VitalSigns(**vitals),
    )


FIRES = [
    ("emergency.breathing", case("HP:0034032")),
    ("emergency.breathing", case("HP:0030864", age_days=YEAR)),  # intercostal retractions
    ("emergency.shock", case("HP:0031274")),  # hypovolemic shock
    ("emergency.coma", case("HP:0001259")),
    ("emergency.heart_rate", case(heart_rate_bpm=49)),
    ("emergency.heart_rate", case(heart_rate_bpm=151)),
    ("emergency.brain_signs", case(FEVER, STIFF_NECK)),
    ("emergency.brain_signs", case(HEADACHE, "HP:0001289")),
    ("emergency.brain_signs", case(alert=False, temperature_c=34.9)),
    ("emergency.brain_signs", case(STIFF_NECK, alert=False)),
    ("emergency.snake_bite", case("VF:exposure.snake-bite")),
    ("emergency.snake_bite", case("VF:bite.bleeding")),
    ("emergency.purpura_and_altered", case("HP:0000967", alert=False)),
    ("emergency.low_glucose_and_altered", case("HP:0001289", glucose_mg_dl=53)),
    ("pregnancy.danger_sign", case(PREGNANT, "HP:0000622")),
    ("pregnancy.danger_sign", case(PREGNANT, severe=[HEADACHE])),
    ("pregnancy.danger_sign", case(PREGNANT, alert=False)),
    ("pregnancy.danger_sign", case(PREGNANT, "VF:blood-pressure-160-110")),
    ("pregnancy.hypertension", case(PREGNANT, systolic_mmhg=140)),
    ("pregnancy.hypertension", case("VF:context.pregnant-over-20-weeks", diastolic_mmhg=90)),
    ("glucose.above_250_with_ketones", case("VF:test.urine-ketones", glucose_mg_dl=251)),
    ("glucose.above_250_with_ketones", case("HP:0002919", "VF:test.glucose-250")),
    ("pain.severe", case(pain=7)),
    ("adult.priority_sign", case("HP:0030828")),
    ("adult.priority_sign", case("VF:vomiting.persistent")),
    ("adult.priority_sign", case(severe=["HP:0000980"])),
    *(
        ("adult.high_risk_vital_sign", case(age_days=TEEN, **{sign: value}))
        for sign, value in (
            ("heart_rate_bpm", 59),
            ("heart_rate_bpm", 131),
            ("respiratory_rate_bpm", 9),
            ("respiratory_rate_bpm", 31),
            ("temperature_c", 35.9),
            ("temperature_c", 39.1),
            ("spo2_percent", 91),
            ("alert", False),
        )
    ),
    ("adult.high_risk_vital_sign", case(PREGNANT, respiratory_rate_bpm=31)),
]
SILENT = [
    ("emergency.breathing", case("HP:0000961")),  # cyanosis, not said to be central
    ("emergency.breathing", case("HP:0002094")),
    ("emergency.shock", case("HP:0002615")),
    ("emergency.coma", case("HP:0007185")),
    ("emergency.heart_rate", case(heart_rate_bpm=50)),
    ("emergency.heart_rate", case(heart_rate_bpm=150)),
    ("emergency.heart_rate", case(heart_rate_bpm=170, age_days=YEAR)),
    ("emergency.brain_signs", case(FEVER, HEADACHE)),
    ("emergency.brain_signs", case(STIFF_NECK)),
    ("emergency.snake_bite", case("HP:0000969")),
    ("emergency.purpura_and_altered", case("HP:0000967")),
    ("emergency.low_glucose_and_altered", case(glucose_mg_dl=40, alert=True)),
    ("emergency.low_glucose_and_altered", case("HP:0001289", glucose_mg_dl=54)),
    ("pregnancy.danger_sign", case("HP:0000622")),
    ("pregnancy.danger_sign", case(PREGNANT, HEADACHE)),
    ("pregnancy.hypertension", case(PREGNANT, systolic_mmhg=139, diastolic_mmhg=89)),
    ("pregnancy.hypertension", case(systolic_mmhg=140)),
    ("glucose.above_250_with_ketones", case("VF:test.urine-ketones", glucose_mg_dl=250)),
    ("glucose.above_250_with_ketones", case(glucose_mg_dl=400)),
    ("pain.severe", case(pain=6.9)),
    ("adult.priority_sign", case("HP:0002013")),
    ("adult.priority_sign", case("HP:0030828", age_days=11 * YEAR)),
    *(
        ("adult.high_risk_vital_sign", case(age_days=TEEN, **{sign: value}))
        for sign, value in (
            ("heart_rate_bpm", 60),
            ("heart_rate_bpm", 130),
            ("respiratory_rate_bpm", 10),
            ("respiratory_rate_bpm", 30),
            ("temperature_c", 36.0),
            ("temperature_c", 39.0),
            ("spo2_percent", 92),
            ("alert", True),
        )
    ),
    ("adult.high_risk_vital_sign", case(respiratory_rate_bpm=31)),  # NEWS2 speaks
    ("adult.high_risk_vital_sign", case(respiratory_rate_bpm=31, age_days=11 * YEAR)),
]


def holds(code, sick, catalogue):
    return RULES[code].condition(Facts.of(sick, catalogue)) is not None


@pytest.mark.parametrize(("code", "sick"), FIRES)
def test_a_sign_that_comes_first_is_raised(catalogue, code, sick):
    assert holds(code, sick, catalogue)


@pytest.mark.parametrize(("code", "other"), SILENT)
def test_a_case_just_short_of_it_is_not(catalogue, code, other):
    assert not holds(code, other, catalogue)


def test_every_rule_is_shown_to_fire_and_to_stay_silent():
    assert {code for code, _ in FIRES} == {code for code, _ in SILENT} == RULES.keys()
