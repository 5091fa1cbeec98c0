"""Red flags of a case: what fires, on what evidence, and what stays silent."""

import inspect
import re

import pytest

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.finding import Finding, Presence
from ddx.safety import Flags, rules
from ddx.safety.messages import MESSAGES
from ddx.safety.rules import RULES
from ddx.terminology.catalogue import Language

YEAR = 365.25
FEVER, SEIZURE, COUGH = "HP:0001945", "HP:0001250", "HP:0012735"
ADULT, CHILD, INFANT = 40 * YEAR, 3 * YEAR, 40


def case(*present, age_days=ADULT, excluded=(), **vitals):
    findings = (
        *(Finding(id=f, presence=Presence.PRESENT) for f in present),
        *(Finding(id=f, presence=Presence.EXCLUDED) for f in excluded),
    )
    age = None if age_days is None else int(age_days)
    return Case(age_days=age, sex=Sex.FEMALE, findings=findings, vitals=VitalSigns(**vitals))


def evaluate(patient, catalogue):
    return Flags.of(patient, catalogue, RULES).alerts


def codes(alerts):
    return {alert.code for alert in alerts}


FIRES = [
    ("airway.stridor", case("HP:0005348")),
    ("consciousness.not_alert", case(alert=False)),
    ("oxygen.below_90", case(spo2_percent=89)),
    ("child.low_blood_pressure", case(age_days=10, systolic_mmhg=59)),
    ("child.low_blood_pressure", case(age_days=200, systolic_mmhg=69)),
    ("child.low_blood_pressure", case(age_days=CHILD + 9, systolic_mmhg=75)),  # 70 + 2 x 3
    ("child.low_blood_pressure", case(age_days=12 * YEAR, systolic_mmhg=89)),
    ("child.convulsion", case("HP:0020219", age_days=CHILD)),  # motor seizure
    ("child.lethargic_or_unconscious", case("HP:0001254", age_days=CHILD)),
    ("child.fast_breathing", case(COUGH, age_days=200, respiratory_rate_bpm=50)),
    ("child.fast_breathing", case(COUGH, age_days=CHILD, respiratory_rate_bpm=40)),
    ("infant.fast_breathing", case(age_days=INFANT, respiratory_rate_bpm=60)),
    ("infant.cold", case(age_days=INFANT, temperature_c=35.4)),
    ("infant.fever", case(age_days=80, temperature_c=38.0)),
    ("sepsis.qsofa", case(FEVER, respiratory_rate_bpm=22, systolic_mmhg=100)),
    ("sepsis.qsofa", case("HP:0001289", temperature_c=38.4, respiratory_rate_bpm=23)),
    ("meningitis.stiff_neck_and_fever", case(FEVER, "HP:0031179")),
    ("meningitis.purpura_and_fever", case(FEVER, "HP:0000967")),  # petechiae
    ("dengue.bleeding_with_fever", case(FEVER, "HP:0000421")),
    ("heat_stroke", case("HP:0001289", temperature_c=40.5)),
    ("hypothermia", case(temperature_c=34.9)),
    ("glucose.below_54", case(glucose_mg_dl=53)),
    ("glucose.above_600", case(glucose_mg_dl=601)),
    ("chest_pain.adult", case("VF:pain-site.chest-upper")),
    ("chest_pain.with_warning_sign", case("HP:0100749", "HP:0000975")),
    ("headache.thunderclap", case("HP:0030907")),
    ("stroke.face_arm_speech", case("HP:0012799")),
    ("anaphylaxis.after_allergen", case("VF:exposure.allergen", "HP:0030828")),
    ("bleeding.upper_digestive", case("VF:black-stools", systolic_mmhg=99)),
    ("hypertension.severe", case(systolic_mmhg=181)),
    ("hypertension.severe", case(diastolic_mmhg=121)),
    ("pregnancy.severe_hypertension", case("VF:context.pregnant", diastolic_mmhg=110)),
    ("pregnancy.convulsion", case("VF:context.pregnant", SEIZURE)),
    ("pregnancy.bleeding", case("VF:context.pregnant", "HP:0034263")),
    ("self_harm", case("HP:0031589")),
]
SILENT = [
    ("airway.stridor", case(excluded=["HP:0010307"])),
    ("consciousness.not_alert", case(alert=True)),
    ("oxygen.below_90", case(spo2_percent=90)),
    ("child.low_blood_pressure", case(age_days=10, systolic_mmhg=60)),
    ("child.low_blood_pressure", case(age_days=CHILD + 9, systolic_mmhg=76)),
    ("child.low_blood_pressure", case(systolic_mmhg=80)),  # adults have NEWS2
    ("child.convulsion", case(SEIZURE)),
    ("child.lethargic_or_unconscious", case("HP:0001254")),
    ("child.fast_breathing", case(COUGH, age_days=200, respiratory_rate_bpm=49)),
    ("child.fast_breathing", case(age_days=CHILD, respiratory_rate_bpm=45)),
    ("infant.fast_breathing", case(age_days=70, respiratory_rate_bpm=60)),
    ("infant.cold", case(age_days=INFANT, temperature_c=35.5)),
    ("infant.fever", case(age_days=100, temperature_c=39.0)),
    ("sepsis.qsofa", case(respiratory_rate_bpm=22, systolic_mmhg=100)),
    ("sepsis.qsofa", case(FEVER, respiratory_rate_bpm=22, systolic_mmhg=101)),
    ("meningitis.stiff_neck_and_fever", case("HP:0031179")),
    ("meningitis.purpura_and_fever", case("HP:0000967")),
    ("dengue.bleeding_with_fever", case("HP:0000421")),
    ("heat_stroke", case("HP:0001289", temperature_c=40.0)),
    ("hypothermia", case(temperature_c=35.0)),
    ("glucose.below_54", case(glucose_mg_dl=54)),
    ("glucose.above_600", case(glucose_mg_dl=600)),
    ("chest_pain.adult", case("HP:0100749", age_days=CHILD)),
    ("chest_pain.with_warning_sign", case("HP:0100749")),
    ("headache.thunderclap", case("HP:0002315")),
    ("stroke.face_arm_speech", case("HP:0012799", age_days=CHILD)),
    ("anaphylaxis.after_allergen", case("VF:exposure.allergen")),
    ("bleeding.upper_digestive", case("VF:black-stools", systolic_mmhg=100)),
    ("hypertension.severe", case(systolic_mmhg=180, diastolic_mmhg=120)),
    ("pregnancy.severe_hypertension", case(diastolic_mmhg=110)),
    ("pregnancy.convulsion", case("VF:context.pregnant")),
    ("pregnancy.bleeding", case("HP:0034263")),
    ("self_harm", case("HP:0000716")),
]


@pytest.mark.parametrize(("code", "sick"), FIRES)
def test_a_red_flag_is_raised(catalogue, code, sick):
    assert code in codes(evaluate(sick, catalogue))


@pytest.mark.parametrize(("code", "other"), SILENT)
def test_a_case_just_short_of_a_red_flag_does_not_raise_it(catalogue, code, other):
    assert code not in codes(evaluate(other, catalogue))


def test_every_rule_is_shown_to_fire_and_to_stay_silent():
    rules = {rule.code for rule in RULES}
    assert {code for code, _ in FIRES} == {code for code, _ in SILENT} == rules


def test_an_alert_names_its_evidence_and_its_source(catalogue):
    (alert,) = evaluate(case(FEVER, "HP:0031179", age_days=None), catalogue)
    assert alert.evidence == (FEVER, "HP:0031179")
    assert "NICE" in alert.source


def test_a_history_is_no_sign_of_today(catalogue):
    told = case("VF:history.stroke", "VF:history.infarction-or-angina", "VF:history.fluid-in-lungs")
    assert evaluate(told, catalogue) == ()


def test_without_findings_or_vitals_nothing_is_raised(catalogue):
    assert evaluate(case(age_days=None), catalogue) == ()


def test_urgent_alerts_come_first(catalogue):
    alerts = evaluate(case("HP:0100749", "HP:0000975", systolic_mmhg=190), catalogue)
    urgency = [alert.urgent for alert in alerts]
    assert urgency == sorted(urgency, reverse=True)
    assert {True, False} == set(urgency)


@pytest.mark.parametrize(
    ("vitals", "code"),
    [
        # 25/min 3, 91 % 3, 38.5 C 1: 7
        (
            {"respiratory_rate_bpm": 25, "spo2_percent": 91, "temperature_c": 38.5},
            "news2.emergency",
        ),
        # 22/min 2, 95 % 1, 112/min 2: 5
        ({"respiratory_rate_bpm": 22, "spo2_percent": 95, "heart_rate_bpm": 112}, "news2.urgent"),
        # 25/min 3, 37 C 0: 3 in one sign
        ({"respiratory_rate_bpm": 25, "temperature_c": 37.0}, "news2.single_red"),
    ],
)
def test_news2_speaks_once_at_its_highest_threshold(catalogue, vitals, code):
    raised = [c for c in codes(evaluate(case(**vitals), catalogue)) if c.startswith("news2")]
    assert raised == [code]


@pytest.mark.parametrize(
    "not_for",
    [
        {"age_days": 15 * YEAR},
        {"age_days": None},
    ],
)
def test_news2_is_silent_below_sixteen_or_without_an_age(catalogue, not_for):
    alerts = evaluate(case(respiratory_rate_bpm=30, heart_rate_bpm=140, **not_for), catalogue)
    assert not any(code.startswith("news2") for code in codes(alerts))


def test_news2_is_silent_in_pregnancy(catalogue):
    sick = case("VF:context.pregnant", respiratory_rate_bpm=30, heart_rate_bpm=140)
    assert not any(code.startswith("news2") for code in codes(evaluate(sick, catalogue)))


def test_every_alert_has_words_in_both_languages_and_every_message_an_alert():
    news2 = {"news2.emergency", "news2.urgent", "news2.single_red"}
    assert MESSAGES.keys() == {rule.code for rule in RULES} | news2
    assert all(set(texts) == set(Language) and all(texts.values()) for texts in MESSAGES.values())


def test_every_finding_a_rule_asks_for_is_in_the_catalogue(catalogue):
    asked = set(re.findall(r"(?:HP|VF):[a-z0-9.-]+", inspect.getsource(rules)))
    assert len(asked) > 25
    assert [code for code in asked if code not in catalogue] == []
