"""Figures of a differential, held against sums done by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from training.evaluate.common import calibration_error, evaluate, macro_f1


def test_four_patients_counted_by_hand():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.3, 0.6], [0.4, 0.35, 0.25]])
    truth = np.array([0, 1, 2, 2])  # ranks 1, 2, 1, 3
    found = evaluate(probabilities, truth, np.array([1, 3, 2]))
    assert found["top1"].value == 0.5
    assert found["top3"].value == 1.0
    assert found["severe_recall"].value == pytest.approx(2 / 3)  # patients 0, 2 of 0, 2, 3
    # bins of 1/15: .7 right, .5 wrong, .6 right, .4 wrong, one patient a bin
    assert found["ece"].value == pytest.approx((0.3 + 0.5 + 0.4 + 0.4) / 4)


def test_macro_f1_is_that_of_scikit_learn():
    rng = np.random.default_rng(4)
    truth, said = rng.integers(0, 5, 200), rng.integers(0, 5, 200)
    assert macro_f1(said, truth, 9) == pytest.approx(f1_score(truth, said, average="macro"))


def test_interval_of_a_share_is_near_the_normal_one():
    """120 of 400 right: 0.3 +- 1.96 * sqrt(0.3 * 0.7 / 400) = 0.255 to 0.345."""
    truth = np.zeros(400, dtype=np.int64)
    probabilities = np.tile([0.4, 0.6], (400, 1))
    probabilities[:120] = [0.6, 0.4]
    top1 = evaluate(probabilities, truth, np.array([3, 3]))["top1"]
    assert top1.value == 0.3
    assert (top1.low, top1.high) == pytest.approx((0.255, 0.345), abs=0.008)


def test_no_severe_disease_gives_no_figure_rather_than_a_good_one():
    found = evaluate(np.array([[0.9, 0.1]]), np.array([0]), np.array([3, 4]), resamples=5)
    assert "severe_recall" not in found
    assert "top1" in found


def test_certain_and_right_is_calibrated_certain_and_wrong_is_not():
    sure = np.ones(10)
    assert calibration_error(sure, np.ones(10, dtype=bool)) == 0.0
    assert calibration_error(sure, np.zeros(10, dtype=bool)) == 1.0
