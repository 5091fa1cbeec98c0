"""Areas under the curve by hand and by another library; regressions judged on new patients."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.evaluate.discrimination import (
    auc,
    auc_estimate,
    cross_validated,
    regression_inputs,
    single_best,
)

NAN = np.nan


def test_area_is_the_share_of_pairs_in_the_right_order_and_ties_count_half():
    scores = np.array([3.0, 1.0, 2.0, 1.0])
    positive = np.array([True, True, False, False])
    # pairs: 3>2, 3>1 right; 1<2 wrong; 1=1 half
    assert auc(scores, positive) == pytest.approx(2.5 / 4)


def test_area_agrees_with_scikit_learn_and_lies_within_its_interval():
    rng = np.random.default_rng(5)
    positive = rng.random(400) < 0.3
    scores = np.round(rng.normal(positive * 1.0), 1)
    found = auc_estimate(scores, positive, resamples=200)
    assert found.value == pytest.approx(roc_auc_score(positive, scores))
    assert found.low < found.value < found.high
    assert 0.03 < found.high - found.low < 0.2  # Hanley-McNeil standard error is 0.03 here


def test_without_a_group_there_is_no_area():
    assert np.isnan(auc(np.array([1.0, 2.0]), np.array([True, True])))


def test_the_best_finding_may_speak_against():
    values = np.array([[1, 0], [0, 0], [1, 1], [NAN, 1]], dtype=np.float32)
    best = single_best(values, np.array([True, True, False, False]))
    assert (best.column, best.present_speaks_for) == (1, False)
    assert best.area.value == 1.0


def test_regression_reads_not_asked_as_neither_present_nor_absent():
    findings = np.array([[1], [0], [NAN]], dtype=np.float32)
    inputs = regression_inputs(findings, np.array([2.0, 2.0, 2.0]), np.array([1, 1, 1]))
    np.testing.assert_array_equal(inputs, [[1, 0], [0, 1], [0, 0]])  # age and sex are constant


def test_regression_on_noise_is_no_better_than_chance_for_patients_it_has_not_seen():
    rng = np.random.default_rng(7)
    positive = np.arange(300) % 2 == 0
    noise = (rng.random((300, 40)) < 0.5).astype(np.float64)
    assert auc(cross_validated(noise, positive), positive) == pytest.approx(0.5, abs=0.1)
    told = np.column_stack((noise, positive ^ (rng.random(300) < 0.1)))
    assert auc(cross_validated(told, positive), positive) > 0.8
