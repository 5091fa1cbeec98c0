"""What is expected at an age, from the printed tables, and NEWS2 while it is being typed."""

import pytest

from ddx.domain.case import DAYS_PER_YEAR
from ddx.domain.finding import Presence
from ddx.intake.draft import AgeUnit, Draft, DraftFinding
from ddx.safety.bedside import bedside, expected
from ddx.safety.flags import PREGNANT

ADULT = Draft(age_text="40", age_unit=AgeUnit.YEARS)


def bounds(sign, age_days):
    found = expected(age_days)[sign]
    return found.low, found.high


@pytest.mark.parametrize(
    ("sign", "low", "high"),
    [  # NEWS2 chart 1, the columns that score 0
        ("respiratory_rate_bpm", 12, 20),
        ("spo2_percent", 96, None),
        ("systolic_mmhg", 111, 219),
        ("heart_rate_bpm", 51, 90),
        ("temperature_c", 36.1, 38.0),
    ],
)
def test_an_adult_is_expected_where_news2_scores_nothing(sign, low, high):
    assert bounds(sign, 40 * 366) == (low, high)


@pytest.mark.parametrize(
    ("age_days", "sign", "low", "high"),
    [
        (30, "respiratory_rate_bpm", None, 59),  # IMCI: 60 or more is fast under 2 months
        (200, "respiratory_rate_bpm", None, 49),  # 50 or more from 2 months
        (3 * 365, "respiratory_rate_bpm", None, 39),  # 40 or more from 12 months
        (7 * 366, "respiratory_rate_bpm", None, 30),  # ESI danger zone, 3 to 8 years
        (30, "heart_rate_bpm", None, 180),  # ESI, under 3 months
        (10 * 366, "heart_rate_bpm", None, 100),  # ESI, over 8 years
        (4 * 366, "systolic_mmhg", 78, None),  # PALS: 70 + 2 x 4
        (4 * 366, "spo2_percent", 92, None),
    ],
)
def test_a_child_is_expected_within_the_tables_of_the_age(age_days, sign, low, high):
    assert bounds(sign, age_days) == (low, high)


def test_every_bound_names_its_publication():
    for age in (10, 400, 3000, 15000):
        assert all(e.source for e in expected(age).values())


def test_nothing_is_expected_of_an_age_nobody_knows():
    assert expected(None) == {}
    assert bedside(Draft(vitals={"heart_rate_bpm": "140"})).news2 is None


def test_the_score_grows_as_the_signs_are_typed_and_leaves_out_what_cannot_be_read():
    typed = {"respiratory_rate_bpm": "26", "spo2_percent": "9z", "heart_rate_bpm": "112"}
    seen = bedside(Draft(age_text="40", vitals=typed))
    assert seen.news2.total == 3 + 2  # chart 1: 25 or more, 111 to 130
    assert "spo2_percent" in seen.news2.missing
    assert seen.signs.spo2_percent is None


def test_no_score_before_anything_is_measured_nor_under_16_nor_in_pregnancy():
    assert bedside(ADULT).news2 is None
    measured = {"heart_rate_bpm": "112"}
    assert bedside(Draft(age_text="15", vitals=measured)).news2 is None
    pregnant = (DraftFinding(id=PREGNANT, presence=Presence.PRESENT),)
    assert bedside(Draft(age_text="30", vitals=measured, findings=pregnant)).news2 is None


@pytest.mark.parametrize(("value", "inside"), [(50, False), (51, True), (90, True), (91, False)])
def test_a_value_is_within_its_bounds_inclusively(value, inside):
    assert expected(round(40 * DAYS_PER_YEAR))["heart_rate_bpm"].holds(value) is inside
