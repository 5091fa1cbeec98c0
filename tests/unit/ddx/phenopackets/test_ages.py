"""Durations and dates as whole days, there and back."""

import pytest

from ddx.phenopackets.ages import days_between, days_of, duration_of, meant_by, too_high


@pytest.mark.parametrize(
    ("duration", "days"),
    [
        ("P0D", 0),
        ("P1D", 1),
        ("P2W", 14),
        ("P1M", 31),  # 30.4375, and a month old is a month lived
        ("P1Y", 366),
        ("P4Y", 1461),
        ("P18Y", 6575),  # 6574.5
        ("P3Y6M2D", 1281),  # 42 x 30.4375 = 1278.4 -> 1279, and two days
        ("P0.5Y", 183),
        ("P1DT12H", 1),
        ("PT5H", 0),
    ],
)
def test_a_duration_is_so_many_days(duration, days):
    assert days_of(duration) == days


@pytest.mark.parametrize("text", ["", "P", "3Y", "P3", "-P3Y", "P-3Y", "3 years", "P3Y6", "P1Y1H"])
def test_what_is_no_duration_is_not_guessed(text):
    assert days_of(text) is None


def test_every_age_in_days_is_written_so_that_it_reads_back():
    assert [d for d in range(47_000) if days_of(duration_of(d)) != d] == []
    assert duration_of(0) == "P0D"
    assert duration_of(6575) == "P18Y"


@pytest.mark.parametrize(
    ("text", "meant"),
    [("3 years", "P3Y"), ("3Y", "P3Y"), ("5 meses", "P5M"), ("12", "P12Y"), ("2,5 años", "P2.5Y")],
)
def test_a_loosely_written_age_gets_a_suggestion_that_reads(text, meant):
    assert meant_by(text) == meant
    assert days_of(meant) is not None


def test_nothing_is_suggested_for_what_says_nothing():
    assert meant_by("adult") == ""


def test_an_age_follows_from_two_dates():
    assert days_between("2020-02-28T00:00:00Z", "2020-03-01T10:00:00Z") == 2
    assert days_between("2020-03-01", "2020-02-28") == -2
    assert days_between("2020-13-01", "2020-02-28") is None


def test_nobody_is_126_years_old():
    assert not too_high(days_of("P125Y") - 1)
    assert too_high(days_of("P126Y"))
