"""Remedies for rare diseases change the rows they say they change, and nothing else."""

import numpy as np
import pytest
from support.tiny_patients import fit

from training.evaluate.imbalance import REMEDIES, UNKNOWN_CODE, Fed, smotenc, table, weighed
from training.evaluate.naive_bayes import demography_columns
from training.fit.partial import Budget


@pytest.fixture(scope="module")
def fed():
    """All hernias, colds and hives of the miniature, a tenth of the bronchospasms."""
    made = fit()
    truth = made.sample.truth
    rare = np.flatnonzero(truth == 0)
    some = made.sample.take(np.concatenate((np.flatnonzero(truth != 0), rare[:15])))
    rng = np.random.default_rng(1)
    budget = Budget.clinic(len(some.truth), rng)
    rows = some.partly_asked(made.schema, budget, some.rates(), rng)
    return Fed(rows=rows, truth=some.truth)


def test_weights_give_every_disease_the_same_say(fed):
    weights = weighed(fed, demography_columns(fit().schema), 1).weights
    says = np.bincount(fed.truth, weights)
    assert says == pytest.approx(np.full(4, len(fed.truth) / 4))


@pytest.mark.parametrize("name", ["SMOTENC", "SMOTEN"])
def test_made_up_rows_raise_the_rare_disease_and_hold_values_its_patients_have(fed, name):
    made = REMEDIES[name](fed, demography_columns(fit().schema), 3)
    n = len(fed.truth)
    np.testing.assert_array_equal(made.rows[:n], fed.rows)
    assert set(made.truth[n:].tolist()) == {0}
    counts = np.bincount(made.truth)
    assert counts[0] == round(0.5 * float(np.median(np.bincount(fed.truth))))
    age, _ = demography_columns(fit().schema)
    own = fed.rows[fed.truth == 0]
    for column in (i for i in range(own.shape[1]) if i != age):
        had = {None if np.isnan(v) else float(v) for v in own[:, column]}
        new = {None if np.isnan(v) else float(v) for v in made.rows[n:, column]}
        assert new <= had
    assert not (made.rows == UNKNOWN_CODE).any()


def test_ages_made_up_lie_between_those_of_patients(fed):
    made = smotenc(fed, demography_columns(fit().schema), 3)
    age, _ = demography_columns(fit().schema)
    own, new = fed.rows[fed.truth == 0, age], made.rows[len(fed.truth) :, age]
    assert np.nanmin(own) <= new.min()
    assert new.max() <= np.nanmax(own)


def test_the_table_tells_means_over_seeds_by_remedy_and_disease():
    one = {"top1": 0.8, "macro_f1": 0.7, "ece": 0.02, "log_loss": 0.5, "rarest": 0.4}
    told = {"nothing": [{**one, "recall": {5: 0.25}}, {**one, "recall": {5: 0.75}}]}
    text = table(told, [("VD:rare", 29)], np.array([5]))
    assert "| recall, VD:rare (29) | 0.500 |" in text
    assert "| macro_f1 | 0.7000 |" in text
