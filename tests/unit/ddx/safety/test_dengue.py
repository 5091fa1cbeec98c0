"""Dengue against WHO's 2009 case classification, criterion by criterion."""

import pytest

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.finding import Finding, Presence, Severity
from ddx.safety.dengue import DENGUE_RULES, PROBABLE_SIGNS, WARNING_SIGNS, suspected
from ddx.safety.facts import Facts

YEAR = 365.25
FEVER, MYALGIA, NAUSEA, RASH = "HP:0001945", "HP:0003326", "HP:0002018", "HP:0000988"
DENGUE = (FEVER, MYALGIA, RASH)
ASCITES = "HP:0001541"
RULES = {rule.code: rule for rule in DENGUE_RULES}


def case(*present, age_days=30 * YEAR, severe=(), **vitals):
    findings = [Finding(id=f, presence=Presence.PRESENT) for f in present]
    findings += [Finding(id=f, presence=Presence.PRESENT, severity=Severity.SEVERE) for f in severe]
    return Case(
        age_days=int(age_days),
        sex=Sex.FEMALE,
        findings=tuple(findings),
        vitals=VitalSigns(**vitals),
    )


def evidence(code, sick, catalogue):
    return RULES[code].condition(Facts.of(sick, catalogue))


# The six lines of "probable dengue"; each counts with fever and one other line.
@pytest.mark.parametrize(
    "line",
    [NAUSEA, RASH, "HP:0002829", "VF:retro-orbital-pain", "VF:tourniquet-positive", "HP:0001882"],
)
def test_fever_and_two_criteria_make_a_suspicion(catalogue, line):
    other = "HP:0002240"  # a palpable liver: any warning sign is the sixth line
    assert suspected(Facts.of(case(FEVER, line, other), catalogue)) is not None
    assert suspected(Facts.of(case(FEVER, line), catalogue)) is None
    assert suspected(Facts.of(case(line, other), catalogue)) is None


def test_two_aches_are_one_criterion(catalogue):
    aching = case(FEVER, "HP:0002315", MYALGIA, "HP:0002829")
    assert suspected(Facts.of(aching, catalogue)) is None


def test_a_measured_fever_counts_as_fever(catalogue):
    assert suspected(Facts.of(case(MYALGIA, RASH, temperature_c=38.0), catalogue)) is not None
    assert suspected(Facts.of(case(MYALGIA, RASH, temperature_c=37.9), catalogue)) is None


def test_a_positive_ns1_test_is_enough(catalogue):
    assert suspected(Facts.of(case("VF:test.dengue-ns1"), catalogue)) is not None


def test_the_lists_have_the_lines_of_the_guideline():
    assert (len(PROBABLE_SIGNS), len(WARNING_SIGNS)) == (6, 7)


@pytest.mark.parametrize(
    "sign",
    [
        ("HP:0002027",),  # abdominal pain
        ("VF:abdominal-tenderness",),
        ("VF:vomiting.persistent",),
        ("HP:0002202",),  # pleural effusion
        ("VF:fluid-accumulation",),
        ("HP:0000421",),  # nosebleed
        ("HP:0000225",),  # gums
        ("VF:vaginal-bleeding",),
        ("VF:black-stools",),
        ("VF:lethargy-or-restlessness",),
        ("HP:0002240",),  # palpable liver
        ("HP:0001899", "HP:0001873"),  # hematocrit up, platelets down
    ],
)
def test_each_warning_sign_is_raised_in_a_suspicion_only(catalogue, sign):
    assert set(evidence("dengue.warning_sign", case(*DENGUE, *sign), catalogue)) >= set(sign)
    assert evidence("dengue.warning_sign", case(*sign), catalogue) is None


@pytest.mark.parametrize("half", ["HP:0001899", "HP:0001873"])
def test_one_half_of_the_laboratory_sign_is_none(catalogue, half):
    assert evidence("dengue.warning_sign", case(*DENGUE, half), catalogue) is None


@pytest.mark.parametrize(
    ("shocked", "not_shocked"),
    [
        # pulse pressure 20 or less: 100 - 80 and 100 - 79
        (
            {"systolic_mmhg": 100, "diastolic_mmhg": 80},
            {"systolic_mmhg": 100, "diastolic_mmhg": 79},
        ),
        ({"systolic_mmhg": 89}, {"systolic_mmhg": 90}),  # an adult
        # 5 years: 70 + 2 x 5 = 80
        (
            {"systolic_mmhg": 79, "age_days": 5.5 * YEAR},
            {"systolic_mmhg": 80, "age_days": 5.5 * YEAR},
        ),
    ],
)
def test_shock_is_narrow_pulse_or_low_pressure_for_age(catalogue, shocked, not_shocked):
    assert evidence("dengue.shock", case(*DENGUE, **shocked), catalogue) is not None
    assert evidence("dengue.shock", case(*DENGUE, **not_shocked), catalogue) is None
    assert evidence("dengue.shock", case(**shocked), catalogue) is None


@pytest.mark.parametrize("sign", ["VF:cold-or-slow-refill", "HP:0002615", "HP:0031273"])
def test_shock_is_poor_perfusion_too(catalogue, sign):
    assert sign in evidence("dengue.shock", case(*DENGUE, sign), catalogue)


def test_fluid_is_severe_with_respiratory_distress(catalogue):
    code = "dengue.fluid_with_distress"
    assert evidence(code, case(*DENGUE, ASCITES, "HP:0002098"), catalogue) is not None
    assert evidence(code, case(*DENGUE, ASCITES), catalogue) is None
    assert evidence(code, case(*DENGUE, "HP:0002098"), catalogue) is None


def test_bleeding_is_severe_when_the_clinician_says_so(catalogue):
    code = "dengue.severe_bleeding"
    assert evidence(code, case(*DENGUE, severe=["HP:0002248"]), catalogue)[-1] == "HP:0002248"
    assert evidence(code, case(*DENGUE, "HP:0002248"), catalogue) is None
    assert evidence(code, case(*DENGUE, severe=["HP:0002315"]), catalogue) is None


def test_impaired_consciousness_is_severe(catalogue):
    code = "dengue.impaired_consciousness"
    assert evidence(code, case(*DENGUE, alert=False), catalogue)[-1] == "alert"
    assert evidence(code, case(*DENGUE, "HP:0001259"), catalogue) is not None
    assert evidence(code, case(*DENGUE, alert=True), catalogue) is None


def test_a_sign_the_vocabulary_of_the_device_does_not_hold_still_counts(catalogue):
    unheard_of = case(*DENGUE, "VF:cold-or-slow-refill")
    facts = Facts(unheard_of, {}, unheard_of.present)  # a catalogue that knows none of them
    assert RULES["dengue.shock"].condition(facts) is not None
    assert Facts.of(unheard_of, catalogue).case is unheard_of
