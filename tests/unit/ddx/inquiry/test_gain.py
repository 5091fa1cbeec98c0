"""What a question is expected to tell, against hand calculations."""

import math

import numpy as np
import pytest

from ddx.inquiry.gain import DrawnAnswers, certainty, entropy, sampled_gain, yes_no_gain

EVEN = np.array([0.5, 0.5])
ALIKE = np.ones(2)


def gain(p, weights, frequency):
    table = np.array(frequency, dtype=np.float64)
    return yes_no_gain(np.array(p), np.array(weights), table, certainty(table))


def test_a_finding_that_only_one_of_two_even_diseases_shows_is_worth_one_bit():
    assert gain(EVEN, ALIKE, [[1.0], [0.0]])[0] == pytest.approx(1.0, abs=1e-9)


def test_a_finding_both_diseases_show_alike_is_worth_nothing():
    assert gain(EVEN, ALIKE, [[0.3], [0.3]])[0] == pytest.approx(0.0, abs=1e-9)


def test_an_80_against_20_percent_finding_is_worth_the_capacity_of_that_channel():
    by_hand = 1.0 + 0.8 * math.log2(0.8) + 0.2 * math.log2(0.2)  # 1 - h(0.2) = 0.2781
    assert gain(EVEN, ALIKE, [[0.8], [0.2]])[0] == pytest.approx(by_hand, abs=1e-9)


def test_the_closed_form_is_entropy_before_minus_expected_entropy_after():
    p, weights, f = np.array([0.6, 0.3, 0.1]), np.array([1.0, 3.0, 2.0]), np.array([0.9, 0.2, 0.5])
    yes = float(p @ f)
    after_yes, after_no = p * f / yes, p * (1 - f) / (1 - yes)
    expected = yes * entropy(after_yes, weights) + (1 - yes) * entropy(after_no, weights)
    by_hand = float(entropy(p, weights) - expected)
    assert gain(p, weights, f[:, np.newaxis])[0] == pytest.approx(by_hand, abs=1e-9)


def test_no_question_is_expected_to_lose_information():
    rng = np.random.default_rng(1)
    for _ in range(50):
        p, weights = rng.dirichlet(np.ones(6)), rng.uniform(1, 3, 6)
        assert (gain(p, weights, rng.random((6, 20))) >= -1e-9).all()


def test_harm_makes_the_question_about_the_dangerous_disease_worth_more():
    p = np.array([0.4, 0.2, 0.2, 0.2])
    about_first, about_second = [[1, 0], [0, 1], [0, 0], [0, 0]], [1.0, 3.0, 1.0, 1.0]
    plain, weighed = gain(p, np.ones(4), about_first), gain(p, about_second, about_first)
    assert plain[0] > plain[1]
    assert weighed[1] > weighed[0]


def test_a_choice_with_one_value_gains_what_the_yes_no_question_does():
    p, frequency = np.array([0.5, 0.3, 0.2]), np.array([[0.9], [0.4], [0.1]])
    rng = np.random.default_rng(3)
    drawn = rng.random((3, 20_000, 1)) < frequency[:, np.newaxis, :]
    (found,) = sampled_gain(p, np.ones((1, 3)), DrawnAnswers.of(drawn, frequency))
    assert found == pytest.approx(gain(p, np.ones(3), frequency)[0], abs=0.02)


def test_a_choice_cannot_tell_more_than_is_unknown():
    p, frequency = np.array([0.7, 0.3]), np.array([[0.99] * 8, [0.01] * 8])
    drawn = DrawnAnswers.of(np.repeat(frequency[:, np.newaxis] > 0.5, 4, axis=1), frequency)
    assert sampled_gain(p, ALIKE[np.newaxis], drawn)[0] <= entropy(p, ALIKE) + 1e-9


def test_a_choice_tells_nothing_when_one_disease_is_left():
    p, frequency = np.array([1.0, 0.0]), np.array([[0.9, 0.1], [0.1, 0.9]])
    drawn = DrawnAnswers.of(np.ones((2, 4, 2), dtype=bool), frequency)
    assert sampled_gain(p, ALIKE[np.newaxis], drawn).tolist() == [0.0]


@pytest.mark.parametrize("values", [1, 7, 8, 9, 98])
def test_each_distinct_answer_is_held_once_in_the_order_of_its_values(values):
    """Its order is part of every figure on record: sums are rounded by it."""
    frequency = np.full((5, values), 0.3)
    drawn = np.random.default_rng(values).random((5, 16, values)) < 0.3
    drawn[0, 0], drawn[1, 0], drawn[2, :4] = True, False, False
    held = DrawnAnswers.of(drawn, frequency)
    answers, at = np.unique(drawn.reshape(-1, values), axis=0, return_inverse=True)
    np.testing.assert_array_equal(held.answers, answers)
    np.testing.assert_array_equal(held.at.ravel(), at.ravel())
    np.testing.assert_array_equal(held.answers[held.at], drawn)
