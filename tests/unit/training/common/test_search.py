"""The search goes on where it stopped, judges by its own patients, and starts from what ships."""

import numpy as np
import optuna
import pytest
from support.tiny_patients import fit

from training.fit import search
from training.fit.boost import FitSettings
from training.fit.material import Material
from training.fit.search import Bench, log_losses, objective, settings_of, shipped, study_of


@pytest.fixture
def bench(monkeypatch):
    """The miniature; few rows, so that a trial takes a second."""
    made = fit()
    calibration = made.sample.take(made.split.calibration)
    half = len(calibration.truth) // 2
    monkeypatch.setattr(search, "TRIAL_ROWS", 600)
    bench = Bench(
        train=made.sample.take(made.split.train),
        everyone=calibration,
        searched=calibration.take(np.arange(half)),
        confirmed=calibration.take(np.arange(half, 2 * half)),
    )
    for mentions in range(1, 6):
        ours = FitSettings().bayes
        settings = type(ours)(mentions=mentions)
        bench.materials[mentions] = Material.of(bench.train, made.diseases, None, settings)
    return bench


def run(bench, storage, trials):
    study = study_of(storage)
    study.optimize(lambda trial: objective(bench, trial), n_trials=trials)
    return study


def test_log_losses_are_those_of_the_softmax():
    margins = np.log(np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])) + 3.0
    found = log_losses(margins, np.array([1, 0]))
    assert found == pytest.approx([-np.log(0.5), -np.log(0.1)])


def test_the_first_trial_is_what_ships_and_a_journal_goes_on(bench, tmp_path):
    storage = tmp_path / "search.journal"
    run(bench, storage, 1)
    again = run(bench, storage, 2)
    assert len(again.trials) == 3
    assert again.trials[0].params == pytest.approx(shipped())
    assert again.trials[1].params != again.trials[2].params


def test_a_finished_trial_gives_the_settings_it_tried_at_the_rows_that_ship(bench, tmp_path):
    study = run(bench, tmp_path / "search.journal", 1)
    first = settings_of(study.trials[0])
    ours = FitSettings()
    assert first.bayes == ours.bayes
    assert (first.depth, first.learning_rate) == (ours.depth, ours.learning_rate)
    assert first.full_rows == pytest.approx(ours.full_rows, rel=0.01)
    assert first.partial_rows == pytest.approx(ours.partial_rows, rel=0.01)
    assert 1 <= first.rounds <= search.MOST_ROUNDS


def test_a_trial_is_judged_by_the_log_loss_of_its_half_under_every_protocol(bench, tmp_path):
    study = run(bench, tmp_path / "search.journal", 1)
    trial = study.trials[0]
    material = bench.material(FitSettings().bayes)
    start = material.table(selective=True).margins_of(bench.judge.stacked)
    found = bench.judge.figures(start)
    assert {"full_evidence", "question_3", "short_interview"} <= set(found)
    by_bayes = np.mean([v["log_loss"] for v in found.values()])
    assert trial.intermediate_values[0] == pytest.approx(by_bayes, rel=1e-6)
    assert trial.value == pytest.approx(min(list(trial.intermediate_values.values())[1:]))
    assert trial.state is optuna.trial.TrialState.COMPLETE
