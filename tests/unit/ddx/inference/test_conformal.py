"""Sets that hold the right disease as often as they promise, whatever the evidence."""

import numpy as np
import pytest

from ddx.errors import ModelError
from ddx.inference.conformal import (
    ConformalSets,
    EvidenceBand,
    calibrated,
    prediction_set,
    threshold_for,
)

EVERYTHING = EvidenceBand(present_to=None, excluded_to=None, threshold=0.2, cases=10)
LITTLE = EvidenceBand(present_to=2, excluded_to=0, threshold=0.05, cases=10)
SETS = ConformalSets(coverage=0.9, bands=(LITTLE, EVERYTHING))


def test_the_threshold_is_the_order_statistic_of_the_split_conformal_rule():
    # n = 9, coverage 0.8: ceil(10 * 0.8) = 8th smallest score 1 - p, i.e. the 2nd smallest p
    own = np.array([0.9, 0.8, 0.1, 0.7, 0.6, 0.5, 0.95, 0.3, 0.99])
    assert threshold_for(own, 0.8) == 0.3


def test_too_few_cases_to_promise_anything_put_every_disease_into_the_set():
    assert threshold_for(np.full(8, 0.99), 0.9) == 0.0  # ceil(9 * 0.9) = 9 > 8


def test_held_out_visits_are_covered_at_the_promised_rate_in_every_band():
    rng = np.random.default_rng(11)
    present, own = rng.integers(1, 10, 20_000), rng.beta(2, 1, 20_000)
    own = own ** (10 / present)  # the less is known, the lower the true probability
    half = slice(0, 10_000)
    bounds = ((3, None), (6, None), (None, None))
    sets = calibrated(own[half], present[half], np.zeros(10_000, int), bounds=bounds)
    rest_own, rest_present = own[10_000:], present[10_000:]
    for low, high in ((1, 3), (4, 6), (7, 9)):
        inside = (rest_present >= low) & (rest_present <= high)
        covered = [
            p >= sets.band_of(int(n), 0).threshold
            for p, n in zip(rest_own[inside], rest_present[inside], strict=True)
        ]
        assert np.mean(covered) == pytest.approx(0.90, abs=0.02)


def test_a_visit_counts_in_the_first_band_that_holds_it_only():
    own, present = np.array([0.5, 0.6, 0.7]), np.array([1, 2, 5])
    sets = calibrated(
        own, present, np.array([0, 7, 0]), bounds=((2, 0), (None, None)), coverage=0.5
    )
    assert [band.cases for band in sets.bands] == [1, 2]


def test_little_evidence_gives_the_larger_set():
    p = np.array([0.5, 0.1, 0.3, 0.06, 0.04])
    assert prediction_set(p, SETS, present=2, excluded=0) == (0, 2, 1, 3)
    assert prediction_set(p, SETS, present=5, excluded=0) == (0, 2)
    assert prediction_set(p, SETS, present=2, excluded=3) == (0, 2)


def test_a_clinician_is_never_shown_an_empty_set():
    p = np.array([0.1, 0.15, 0.12])
    assert prediction_set(p, SETS, present=9, excluded=9) == (1,)
    assert prediction_set(p, SETS, present=9, excluded=9, never_empty=False) == ()


def test_the_member_of_a_bundle_reads_back_as_written():
    assert ConformalSets.from_json(SETS.to_json()) == SETS


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b"[]",
        b'{"format": 2, "coverage": 0.9, "bands": []}',
        b'{"format": 1, "coverage": 0.9, "bands": []}',
        SETS.to_json().replace(b"0.2", b"1.2"),
        SETS.to_json().replace(b"0.9", b"NaN"),
        SETS.to_json().replace(b'"present_to":2', b'"present_to":"2"'),
        SETS.to_json().replace(b'"present_to":null', b'"present_to":30'),
    ],
)
def test_a_malformed_member_is_a_model_error(member):
    with pytest.raises(ModelError):
        ConformalSets.from_json(member)
