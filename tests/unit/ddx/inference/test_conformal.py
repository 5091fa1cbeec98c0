"""Sets that hold the right disease as often as they promise, whatever the evidence."""

import hashlib

import numpy as np
import pytest

from ddx.errors import ModelError
from ddx.inference.conformal import (
    FEWEST,
    ConformalSets,
    EvidenceBand,
    calibrated,
    drawn,
    prediction_set,
    scores,
    threshold_for,
)

EVERYTHING = EvidenceBand(
    present_to=None, excluded_to=None, thresholds=(0.75, 0.95), cases=(300, 300)
)
LITTLE = EvidenceBand(present_to=2, excluded_to=0, thresholds=(0.95, 0.75), cases=(300, 300))
SETS = ConformalSets(coverage=0.9, groups=(0, 0, 0, 1, 1), bands=(LITTLE, EVERYTHING))
HALF = "8" + "0" * 15
"""A digest whose random part is one half: 8/16."""


def test_the_threshold_is_the_order_statistic_of_the_split_conformal_rule():
    # n = 9, coverage 0.8: ceil(10 * 0.8) = 8th smallest score
    own = np.array([0.1, 0.2, 0.9, 0.3, 0.4, 0.5, 0.05, 0.7, 0.01])
    assert threshold_for(own, 0.8) == 0.7


def test_too_few_cases_to_promise_anything_put_every_disease_into_the_set():
    assert threshold_for(np.full(8, 0.01), 0.9) == 1.0  # ceil(9 * 0.9) = 9 > 8


def test_a_score_is_the_mass_above_and_a_random_part_of_its_own():
    p = np.array([0.2, 0.5, 0.3])
    # above: 0.8, 0, 0.5; half of their own: 0.1, 0.25, 0.15
    assert scores(p, 0.5) == pytest.approx([0.9, 0.25, 0.65])
    both = scores(np.stack((p, p)), np.array([0.0, 1.0]))
    assert both == pytest.approx(np.array([[0.8, 0.0, 0.5], [1.0, 0.5, 0.8]]))


def test_exact_probabilities_give_uniform_scores_however_much_is_known():
    rng = np.random.default_rng(5)
    for sharpness in (0.3, 1.0, 8.0):
        p = rng.dirichlet(np.full(6, 1.0 / sharpness), 20_000)
        truth = (rng.random(len(p))[:, np.newaxis] > np.cumsum(p, axis=1)).sum(axis=1)
        own = scores(p, rng.random(len(p)))[np.arange(len(p)), np.minimum(truth, 5)]
        # 20,000 draws: the share below 0.9 has a standard error of 0.002
        assert np.mean(own <= 0.9) == pytest.approx(0.9, abs=0.008)
        assert np.mean(own <= 0.5) == pytest.approx(0.5, abs=0.014)


def test_held_out_visits_are_covered_at_the_promised_rate_in_every_band_and_group():
    rng = np.random.default_rng(11)
    n = 40_000
    present, truth = rng.integers(1, 10, n), rng.integers(0, 2, n)
    own = rng.beta(2.0, 1.0 + present / 5.0 + truth, n)  # no uniform scores: a model that errs
    half, rest = slice(0, n // 2), slice(n // 2, n)
    bounds = ((3, None), (6, None), (None, None))
    none = np.zeros(n // 2, dtype=int)
    sets = calibrated(own[half], truth[half], present[half], none, groups=(0, 1), bounds=bounds)
    for low, high in ((1, 3), (4, 6), (7, 9)):
        for disease in (0, 1):
            inside = (present[rest] >= low) & (present[rest] <= high) & (truth[rest] == disease)
            covered = own[rest][inside] <= sets.thresholds(low, 0)[disease]
            # 3,300 visits: standard error 0.005, as much again for the threshold
            assert covered.mean() == pytest.approx(0.90, abs=0.025)


def test_a_visit_counts_in_the_first_band_that_holds_it_only():
    own, present = np.array([0.5, 0.6, 0.7]), np.array([1, 2, 5])
    sets = calibrated(
        own,
        np.array([0, 0, 0]),
        present,
        np.array([0, 7, 0]),
        groups=(0,),
        bounds=((2, 0), (None, None)),
        coverage=0.5,
    )
    assert [band.cases for band in sets.bands] == [(1,), (2,)]


def test_a_band_with_hardly_a_visit_of_a_group_takes_the_threshold_of_the_group():
    own = np.concatenate((np.full(FEWEST, 0.2), np.full(3 * FEWEST, 0.8), [0.1]))
    present = np.concatenate((np.full(FEWEST, 1), np.full(3 * FEWEST, 9), [20]))
    none = np.zeros(len(own), dtype=int)
    bounds = ((5, None), (10, None), (None, None))
    sets = calibrated(own, none, present, none, groups=(0,), bounds=bounds)
    assert [band.thresholds for band in sets.bands] == [(0.2,), (0.8,), (0.8,)]
    assert [band.cases for band in sets.bands] == [(FEWEST,), (3 * FEWEST,), (1,)]


def test_each_group_of_diseases_has_the_threshold_of_the_band():
    p = np.array([0.5, 0.1, 0.2, 0.15, 0.05])
    # in order 0, 2, 3, 1, 4; scores at one half: 0.25, 0.6, 0.775, 0.9, 0.975
    assert prediction_set(p, SETS, present=2, excluded=0, digest=HALF) == (0, 2, 1)
    assert prediction_set(p, SETS, present=5, excluded=0, digest=HALF) == (0, 2, 3)
    assert prediction_set(p, SETS, present=2, excluded=3, digest=HALF) == (0, 2, 3)


def test_a_clinician_is_never_shown_an_empty_set():
    p = np.array([0.96, 0.01, 0.01, 0.01, 0.01])
    high = "f" * 16  # the first scores 0.96
    assert prediction_set(p, SETS, present=9, excluded=9, digest=high) == (0,)
    bare = prediction_set(p, SETS, present=9, excluded=9, digest=high, never_empty=False)
    assert bare == ()


def test_the_same_case_always_gets_the_same_set_and_others_an_even_draw():
    digests = [hashlib.sha256(f"case {i}".encode()).hexdigest() for i in range(4000)]
    parts = np.array([drawn(digest) for digest in digests])
    assert drawn(digests[0]) == parts[0]
    assert drawn(HALF) == 0.5
    assert parts.min() >= 0.0
    assert parts.max() < 1.0
    # Kolmogorov-Smirnov at 1 %: 1.63 / sqrt(4000) = 0.026
    apart = np.abs(np.sort(parts) - (np.arange(4000) + 0.5) / 4000).max()
    assert apart < 0.026


@pytest.mark.parametrize("digest", ["", "12", "not a digest at all"])
def test_what_is_no_digest_is_refused(digest):
    with pytest.raises(ValueError, match=r"digest|literal"):
        drawn(digest)


def test_sets_of_another_model_are_refused():
    with pytest.raises(ModelError, match="5 diseases, not 3"):
        prediction_set(np.full(3, 1 / 3), SETS, present=1, excluded=0, digest=HALF)


def test_the_member_of_a_bundle_reads_back_as_written():
    assert ConformalSets.from_json(SETS.to_json()) == SETS


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b"[]",
        b'{"format": 1, "coverage": 0.9, "groups": [0], "bands": []}',
        b'{"format": 2, "coverage": 0.9, "groups": [0], "bands": []}',
        SETS.to_json().replace(b"0.75", b"1.2"),
        SETS.to_json().replace(b'"coverage":0.9', b'"coverage":NaN'),
        SETS.to_json().replace(b'"present_to":2', b'"present_to":"2"'),
        SETS.to_json().replace(b'"present_to":null', b'"present_to":30'),
        SETS.to_json().replace(b"[0,0,0,1,1]", b"[0,0,0,1,2]"),
        SETS.to_json().replace(b"[0,0,0,1,1]", b"[]"),
    ],
)
def test_a_malformed_member_is_a_model_error(member):
    with pytest.raises(ModelError):
        ConformalSets.from_json(member)
