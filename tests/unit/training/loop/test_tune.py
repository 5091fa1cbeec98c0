"""The search of a retraining: the same trials whether or not it was interrupted."""

from dataclasses import replace

import numpy as np
import optuna
import pytest
from support import tiny_loop
from support.tiny_patients import TINY_SETTINGS

from training.fit.boost import class_weights, training_rows, with_recorded
from training.fit.recorded import PRIOR_CASES, Recorded
from training.fit.tune import TRIALS, SearchSettings, deal, tune

SEARCH = SearchSettings(trials=3, folds=2, trial_rows=200, fold_patients=120, judged=40)


@pytest.fixture(scope="module")
def recorded():
    ours = tiny_loop.history()
    rows = np.arange(60)
    table = ours.sample.take(rows).answers.table(ours.vocabulary.findings)
    return Recorded(table=table, truth=ours.sample.truth[rows])


@pytest.fixture(scope="module")
def folds(recorded):
    ours = tiny_loop.history()
    train = ours.sample.take(ours.split.train)
    return tuple(deal(train, recorded, None, ours.diseases, SEARCH))


def quiet(_line):
    pass


def test_a_search_cut_short_in_the_middle_of_a_trial_ends_like_one_that_was_not(folds, tmp_path):
    whole = tune(folds, SEARCH, tmp_path / "whole", TINY_SETTINGS, quiet)

    class Killed(BaseException):
        pass

    fitted = []

    class DyingFold:
        def __init__(self, k):
            self.k = k

        def loss(self, settings, fitter):
            if len(fitted) == 3:  # the second trial, in its second fold
                raise Killed
            fitted.append(self.k)
            return folds[self.k].loss(settings, fitter)

    class CountedFold(DyingFold):
        def loss(self, settings, fitter):
            fitted.append(self.k)
            return folds[self.k].loss(settings, fitter)

    dying = (DyingFold(0), DyingFold(1))
    with pytest.raises(Killed):
        tune(dying, SEARCH, tmp_path / "cut", TINY_SETTINGS, quiet)
    counted = (CountedFold(0), CountedFold(1))
    again = tune(counted, SEARCH, tmp_path / "cut", TINY_SETTINGS, quiet)
    assert again.settings == whole.settings
    assert [t["params"] for t in again.tried] == [t["params"] for t in whole.tried]
    assert fitted == [0, 1, 0, 1, 0, 1]  # nothing twice: the fold before the kill was kept
    trials = tmp_path / "cut" / TRIALS
    study = optuna.load_study(study_name="retrain", storage=f"sqlite:///{trials}")
    assert [t.state.name for t in study.trials].count("FAIL") == 1


def test_every_patient_and_visit_judges_in_one_fold_and_fits_in_the_others(folds, recorded):
    assert sum(len(f.recorded.truth) for f in folds) == len(recorded.truth)  # of two folds
    judged = [len(f.judged_truth) for f in folds]
    assert sum(judged) == 2 * SEARCH.judged + len(recorded.truth)
    assert {len(f.train.truth) for f in folds} == {60}


def test_visits_move_the_prior_by_their_number():
    """Prior (.5, .5) worth 2,000 visits; 2,000 visits of the first: (3000, 1000) of 4,000."""
    ours = tiny_loop.history()
    table = ours.sample.take(np.zeros(2000, dtype=np.int64)).answers.table(ours.vocabulary.findings)
    visits = Recorded(table=table, truth=np.zeros(2000, dtype=np.int64))
    assert PRIOR_CASES == 2000
    assert visits.moved(np.array([0.5, 0.5])) == pytest.approx([0.75, 0.25])


def test_visits_of_diseases_the_trees_do_not_know_are_left_out(folds, recorded):
    fold = folds[0]
    unknown = replace(recorded, truth=np.full(60, fold.diseases))
    bayes = fold.material.table(selective=True)
    interview = fold.material.interview(bayes)
    settings = replace(TINY_SETTINGS, full_rows=10, partial_rows=0, interview_rows=0)
    made = training_rows(fold.train, fold.material.schema, interview, settings)
    given = {"schema": fold.material.schema, "interview": interview, "settings": settings}
    assert with_recorded(made, unknown, fold.train, **given).values.shape[0] == 10
    rows = with_recorded(made, recorded, fold.train, **given)
    assert rows.values.shape[0] == len(rows.truth) == 70
    assert rows.weights.tolist() == [1.0] * 10 + [settings.recorded_weight] * 60


def test_class_weights_by_hand():
    """Three of one, one of the other: mean count 2; 2/3 and 2/1, scaled to a mean of 1."""
    found = class_weights(np.array([0, 0, 0, 1]), 2, 1.0)
    assert found == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2.0])
    assert class_weights(np.array([0, 0, 0, 1]), 2, 0.0) == pytest.approx([1.0] * 4)
