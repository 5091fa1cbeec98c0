"""Typed text as numbers, answers and ages."""

import pytest

from ddx.intake.draft import AgeUnit
from ddx.intake.reading import age_in_days, number, yes_or_no


@pytest.mark.parametrize(
    ("text", "value"), [("38,5", 38.5), ("38.5", 38.5), (" 40 ", 40.0), ("-3", -3.0), ("+2", 2.0)]
)
def test_decimal_comma_and_point_read_alike(text, value):
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "38º", "120/80", "1,234.5", "1e3", "nan", "inf", "3,", "٣"])
def test_what_is_no_plain_number_is_never_guessed(text):
    assert number(text) is None


@pytest.mark.parametrize(
    ("text", "answer"), [("true", True), ("Sí", True), ("NO", False), ("quizá", None), ("", None)]
)
def test_yes_and_no_are_read_in_both_languages(text, answer):
    assert yes_or_no(text) is answer


@pytest.mark.parametrize("years", [1, 2, 5, 16, 18, 49, 99])
def test_whoever_has_an_age_in_years_has_lived_them(years):
    days = age_in_days(years, AgeUnit.YEARS)
    assert years <= days / 365.25 < years + 0.003


def test_months_and_days_become_days():
    assert age_in_days(12, AgeUnit.MONTHS) == 366  # 365.25, rounded up
    assert age_in_days(9, AgeUnit.DAYS) == 9
    assert age_in_days(0.5, AgeUnit.YEARS) == 183  # 182.625, rounded up
