"""Partly asked patients: a subset of the truth, within the budget, never an invention."""

import numpy as np
import pytest
from support.tiny_patients import patients, vocabulary

from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN
from training.fit.partial import Budget, base_rates, partly_asked
from training.sources.ddxplus import pack

FINDINGS = vocabulary().findings
ANSWERS = pack(patients(300), vocabulary())
RATES = base_rates(ANSWERS, len(FINDINGS))
WHOLE = ANSWERS.table(FINDINGS)


def drawn(budget, seed=5):
    return partly_asked(ANSWERS, FINDINGS, budget, RATES, np.random.default_rng(seed))


def test_base_rates_are_the_share_of_patients():
    by_hand = (WHOLE.presence == PRESENT).mean(axis=0)
    np.testing.assert_allclose(RATES, by_hand)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_asked_is_true(seed):
    table = drawn(Budget.clinic(len(ANSWERS), np.random.default_rng(seed)), seed)
    asked = table.presence != UNKNOWN
    np.testing.assert_array_equal(table.presence[asked], WHOLE.presence[asked])
    np.testing.assert_array_equal(table.grade[asked], WHOLE.grade[asked])
    assert np.isnan(table.grade[~asked]).all()


def test_exactly_k_present_findings_when_the_patient_has_them():
    table = drawn(Budget.fixed(len(ANSWERS), present=2))
    has = (WHOLE.presence == PRESENT).sum(axis=1)
    np.testing.assert_array_equal((table.presence == PRESENT).sum(axis=1), np.minimum(has, 2))
    assert not (table.presence == EXCLUDED).any()


def test_excluded_findings_stay_within_the_budget():
    table = drawn(Budget.fixed(len(ANSWERS), present=1, excluded=3))
    excluded = (table.presence == EXCLUDED).sum(axis=1)
    assert excluded.max() == 3
    assert excluded.mean() > 1


def test_present_findings_are_drawn_evenly():
    """A patient with two findings shows each in half of the draws (3 sigma of 400: 0.075)."""
    two = int(np.flatnonzero((WHOLE.presence == PRESENT).sum(axis=1) == 2)[0])
    one = ANSWERS.take(np.full(400, two))
    budget = Budget.fixed(400, present=1)
    table = partly_asked(one, FINDINGS, budget, RATES, np.random.default_rng(0))
    shares = (table.presence == PRESENT).mean(axis=0)
    assert shares[shares > 0] == pytest.approx([0.5, 0.5], abs=0.075)


def test_age_and_sex_are_sometimes_unknown():
    budget = Budget.fixed(len(ANSWERS), present=1)
    hidden = Budget(
        present=budget.present,
        excluded=budget.excluded,
        age=np.zeros(len(ANSWERS), dtype=bool),
        sex=budget.sex,
    )
    table = drawn(hidden)
    assert np.isnan(table.age_days).all()
    np.testing.assert_array_equal(table.female, ANSWERS.female)


def test_same_seed_gives_the_same_rows():
    budget = Budget.fixed(len(ANSWERS), present=2, excluded=2)
    np.testing.assert_array_equal(drawn(budget, 8).presence, drawn(budget, 8).presence)
