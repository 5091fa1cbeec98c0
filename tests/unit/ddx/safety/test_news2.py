"""NEWS2 against hand counts from chart 1 of the Royal College of Physicians' report (2017)."""

import pytest

from ddx.domain.case import VitalSigns
from ddx.safety.news2 import BANDS, news2

CHART_ROWS = (
    "respiratory_rate_bpm",
    "spo2_percent",
    "on_oxygen",
    "systolic_mmhg",
    "heart_rate_bpm",
    "alert",
    "temperature_c",
)


def vitals(*measured):
    """Vital signs in the order of the chart's rows."""
    return VitalSigns(**dict(zip(CHART_ROWS, measured, strict=True)))


@pytest.mark.parametrize(
    ("measured", "total"),
    [
        (vitals(16, 98, False, 120, 70, True, 37.0), 0),
        # 22/min 2, 93 % 2, oxygen 2, 105 mmHg 1, 115/min 2, alert 0, 38.5 C 1
        (vitals(22, 93, True, 105, 115, True, 38.5), 10),
        # 8/min 3, 91 % 3, air 0, 90 mmHg 3, 40/min 3, not alert 3, 35.0 C 3
        (vitals(8, 91, False, 90, 40, False, 35.0), 18),
        # the most there is: 25/min 3, 80 % 3, oxygen 2, 85 mmHg 3, 140/min 3, not alert 3, 34 C 3
        (vitals(25, 80, True, 85, 140, False, 34.0), 20),
        # 21/min 2, 94 % 1, air 0, 101 mmHg 1, 91/min 1, alert 0, 39.1 C 2
        (vitals(21, 94, False, 101, 91, True, 39.1), 7),
        # 9/min 1, 96 % 0, air 0, 220 mmHg 3, 50/min 1, alert 0, 36.0 C 1
        (vitals(9, 96, False, 220, 50, True, 36.0), 6),
    ],
)
def test_totals_match_a_hand_count(measured, total):
    score = news2(measured)
    assert score.total == total
    assert score.missing == ()


CHART: dict[str, dict[float, int]] = {
    "respiratory_rate_bpm": {8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3},
    "spo2_percent": {91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0},
    "systolic_mmhg": {90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3},
    "heart_rate_bpm": {40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3},
    "temperature_c": {
        35.0: 3, 35.1: 1, 36.0: 1, 36.1: 0, 38.0: 0, 38.1: 1, 39.0: 1, 39.1: 2
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("sign", "value", "points"),
    [(sign, value, points) for sign, row in CHART.items() for value, points in row.items()],
)
def test_every_edge_of_the_chart_scores_as_printed(sign, value, points):
    assert news2(VitalSigns(**{sign: value})).points == {sign: points}


def test_the_test_chart_covers_every_sign_of_the_table():
    assert CHART.keys() == BANDS.keys()


def test_signs_not_measured_are_named_and_add_nothing():
    score = news2(VitalSigns(respiratory_rate_bpm=26))
    assert score.total == 3
    assert score.scoring == ("respiratory_rate_bpm",)
    assert "on_oxygen" in score.missing
    assert len(score.missing) == 6


def test_a_reading_between_two_bands_is_rounded_to_the_chart_first():
    assert news2(VitalSigns(temperature_c=38.04)).total == 0
    assert news2(VitalSigns(temperature_c=38.06)).total == 1
