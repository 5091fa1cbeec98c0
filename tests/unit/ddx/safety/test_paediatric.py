"""Vital signs of children against the printed tables, row by row and at every edge."""

from itertools import pairwise

import pytest

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.finding import Finding, Presence, Severity
from ddx.safety.facts import Facts
from ddx.safety.paediatric import (
    DANGER_HEART_RATE,
    DANGER_RESPIRATORY_RATE,
    FAST_BREATHING,
    FEVER_HEART_RATE,
    PAEDIATRIC_RULES,
    fast_breathing,
    lowest_systolic,
)

YEAR, MONTH = 365.25, 365.25 / 12
FEVER, DIARRHOEA = "HP:0001945", "HP:0002014"
RULES = {rule.code: rule for rule in PAEDIATRIC_RULES}


def case(*present, age_days, severe=(), **vitals):
    findings = [Finding(id=f, presence=Presence.PRESENT) for f in present]
    findings += [Finding(id=f, presence=Presence.PRESENT, severity=Severity.SEVERE) for f in severe]
    return Case(
        age_days=int(age_days),
        sex=Sex.UNKNOWN,
        findings=tuple(findings),
        vitals=VitalSigns(**vitals),
    )


def holds(code, sick, catalogue):
    return RULES[code].condition(Facts.of(sick, catalogue)) is not None


# Age in days, highest rate that is not fast, lowest that is. IMCI chart booklet, 2014.
@pytest.mark.parametrize(
    ("age_days", "usual", "fast"),
    [(30, 59, 60), (60, 59, 60), (61, 49, 50), (365, 49, 50), (366, 39, 40), (1826, 39, 40)],
)
def test_breathing_is_fast_from_the_printed_figure_of_the_age(catalogue, age_days, usual, fast):
    rates = {r: case(age_days=age_days, respiratory_rate_bpm=r) for r in (usual, fast)}
    assert fast_breathing(Facts.of(rates[usual], catalogue)) is None
    assert fast_breathing(Facts.of(rates[fast], catalogue)) == ("respiratory_rate_bpm",)


def test_no_fast_breathing_table_from_five_years(catalogue):
    sick = case(age_days=1827, respiratory_rate_bpm=70)
    assert fast_breathing(Facts.of(sick, catalogue)) is None


# ESI handbook v4, decision point D: under 3 months 180 / 50, to 3 years 160 / 40, to 8 years
# 140 / 30, over 8 years 100 / 20; the zone begins above the figure.
@pytest.mark.parametrize(
    ("age_days", "heart", "breaths"),
    [
        (30, 180, 50),
        (91, 180, 50),
        (92, 160, 40),
        (1095, 160, 40),
        (1096, 140, 30),
        (8 * YEAR - 1, 140, 30),
        (8 * YEAR, 100, 20),
        (16 * YEAR - 1, 100, 20),
    ],
)
def test_the_danger_zone_begins_above_the_printed_figures(catalogue, age_days, heart, breaths):
    calm = case(age_days=age_days, heart_rate_bpm=heart, respiratory_rate_bpm=breaths)
    fast_heart = case(age_days=age_days, heart_rate_bpm=heart + 1)
    fast_breaths = case(age_days=age_days, respiratory_rate_bpm=breaths + 1)
    assert not holds("child.danger_zone", calm, catalogue)
    assert holds("child.danger_zone", fast_heart, catalogue)
    assert holds("child.danger_zone", fast_breaths, catalogue)


def test_the_danger_zone_of_saturation_is_below_92(catalogue):
    assert holds("child.danger_zone", case(age_days=YEAR, spo2_percent=91), catalogue)
    assert not holds("child.danger_zone", case(age_days=YEAR, spo2_percent=92), catalogue)


def test_a_grown_up_is_never_read_by_the_danger_zone_of_children(catalogue):
    grown = case(age_days=16 * YEAR, heart_rate_bpm=190, spo2_percent=80)
    assert not holds("child.danger_zone", grown, catalogue)


# NICE NG143, amber: over 160 below 12 months, over 150 to 24 months, over 140 to 5 years.
@pytest.mark.parametrize(
    ("age_days", "limit"), [(200, 160), (365, 160), (366, 150), (730, 150), (731, 140), (1826, 140)]
)
def test_fever_with_tachycardia_follows_the_amber_column(catalogue, age_days, limit):
    code = "child.fever_with_tachycardia"
    at, above = (case(FEVER, age_days=age_days, heart_rate_bpm=limit + n) for n in (0, 1))
    assert not holds(code, at, catalogue)
    assert holds(code, above, catalogue)
    assert not holds(code, case(age_days=age_days, heart_rate_bpm=limit + 1), catalogue)


# PALS: 60 to 28 days, 70 to one year, 70 + 2 x years to ten, 90 from ten.
@pytest.mark.parametrize(
    ("age_days", "lowest"),
    [
        (0, 60),
        (28, 60),
        (29, 70),
        (365, 70),
        (366, 72),
        (731, 74),
        (9.5 * YEAR, 88),
        (10 * YEAR, 90),
        (15 * YEAR, 90),
    ],
)
def test_the_lowest_pressure_of_an_age_is_the_one_pals_prints(age_days, lowest):
    assert lowest_systolic(age_days) == lowest


@pytest.mark.parametrize(
    "rows", [FAST_BREATHING, DANGER_HEART_RATE, DANGER_RESPIRATORY_RATE, FEVER_HEART_RATE]
)
def test_the_rows_of_a_table_follow_on_from_birth_without_a_gap(rows):
    assert rows[0].from_days == 0
    assert all(a.below_days == b.from_days for a, b in pairwise(rows))


TODDLER = {"age_days": 2 * YEAR}
FIRES = [
    ("child.unable_to_drink", case("VF:unable-to-drink", **TODDLER)),
    ("child.vomits_everything", case("VF:vomiting.persistent", **TODDLER)),
    ("infant.feeds_badly", case("VF:unable-to-drink", age_days=40)),
    ("infant.fever_37_5", case(age_days=40, temperature_c=37.5)),
    ("child.bulging_fontanelle", case(FEVER, "VF:bulging-fontanelle", age_days=200)),
    ("child.fever_39_under_6_months", case(age_days=120, temperature_c=39.0)),
    ("child.fever_with_tachycardia", case(age_days=200, temperature_c=38.0, heart_rate_bpm=161)),
    (
        "dehydration.severe",
        case(DIARRHOEA, "VF:sunken-eyes", "VF:unable-to-drink", **TODDLER),
    ),
    ("dehydration.severe", case(DIARRHOEA, "VF:sunken-eyes", alert=False, **TODDLER)),
    ("dehydration.some", case(DIARRHOEA, "VF:sunken-eyes", "VF:drinks-eagerly", **TODDLER)),
    (
        "dehydration.some",
        case("VF:diarrhea.watery-profuse", "HP:0000737", "VF:skin-pinch-slow", **TODDLER),
    ),
    (
        "dehydration.severe",
        case(DIARRHOEA, "VF:sunken-eyes", "VF:unable-to-drink", age_days=50 * YEAR),
    ),
    ("child.danger_zone", case(heart_rate_bpm=161, **TODDLER)),
    ("child.priority_sign", case("VF:lethargy-or-restlessness", **TODDLER)),
    ("child.priority_sign", case("HP:0030864", **TODDLER)),
    ("child.priority_sign", case(severe=["HP:0000980"], **TODDLER)),
    ("infant.under_2_months", case(age_days=60)),
]
SILENT = [
    ("child.unable_to_drink", case("VF:unable-to-drink", age_days=6 * YEAR)),
    ("child.vomits_everything", case("HP:0002013", **TODDLER)),
    ("infant.feeds_badly", case("VF:unable-to-drink", age_days=61)),
    ("infant.fever_37_5", case(age_days=40, temperature_c=37.4)),
    ("infant.fever_37_5", case(age_days=61, temperature_c=37.9)),
    ("child.bulging_fontanelle", case("VF:bulging-fontanelle", age_days=200)),
    ("child.fever_39_under_6_months", case(age_days=120, temperature_c=38.9)),
    ("child.fever_39_under_6_months", case(age_days=190, temperature_c=39.5)),
    ("child.fever_with_tachycardia", case(age_days=200, temperature_c=37.9, heart_rate_bpm=170)),
    ("dehydration.severe", case("VF:sunken-eyes", "VF:unable-to-drink", **TODDLER)),
    (
        "dehydration.severe",
        case(DIARRHOEA, "VF:sunken-eyes", "VF:skin-pinch-slow", **TODDLER),
    ),
    ("dehydration.some", case(DIARRHOEA, "VF:drinks-eagerly", **TODDLER)),
    ("child.danger_zone", case(heart_rate_bpm=160, **TODDLER)),
    ("child.priority_sign", case("HP:0000980", **TODDLER)),
    ("child.priority_sign", case("HP:0000737", age_days=30 * YEAR)),
    ("infant.under_2_months", case(age_days=61)),
]


@pytest.mark.parametrize(("code", "sick"), FIRES)
def test_a_sick_child_is_flagged(catalogue, code, sick):
    assert holds(code, sick, catalogue)


@pytest.mark.parametrize(("code", "other"), SILENT)
def test_a_child_just_short_of_the_sign_is_not(catalogue, code, other):
    assert not holds(code, other, catalogue)


def test_every_rule_is_shown_to_fire_and_to_stay_silent():
    assert {code for code, _ in FIRES} == {code for code, _ in SILENT} == RULES.keys()
