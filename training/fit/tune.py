"""The search of a retraining: cross-validated, pruned, the same however often it is interrupted.

Patients and recorded visits are dealt into folds; a trial fits on all but one and is judged on the
one left, fold after fold, until it falls behind the median. Every trial draws from a generator of
its own number, and one that was cut short is forgotten and drawn again; the folds it had judged
are kept. So a search that was killed loses one fold, and ends with the very trials of one that was
not.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import DiseaseId
from ddx.once import once
from model_bundles import files
from training.fit.boost import (
    FitSettings,
    parameters,
    sparse,
    training_rows,
    with_recorded,
)
from training.fit.fitter import EMBEDDED, Boosting, FitRows, Fitter
from training.fit.material import Material
from training.fit.partial import Budget
from training.fit.recorded import Recorded
from training.fit.sample import Indices, Rows, Sample
from training.fit.search import MOST_ROUNDS, PATIENCE, SEED, log_losses, shipped, suggested
from training.sources.endemic import EndemicKnowledge

STUDY: Final = "retrain"
TRIALS: Final = "trials.db"
FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)
RECORDED_WEIGHTS: Final = (0.5, 8.0)
START_UP: Final = 4
"""Trials that are never pruned: a median of fewer says little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How much is tried.

    trials, folds: of the change control plan, or fewer. trial_rows: training rows of one fit.
    fold_patients: DDXPlus patients dealt into the folds. judged: of them, in each fold, at most.
    """

    trials: int
    folds: int
    trial_rows: int = 20_000
    fold_patients: int = 30_000
    judged: int = 2_000


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One fold: who fits and who judges. judged_rows: float32; judged_truth: of `material`."""

    train: Sample
    recorded: Recorded
    material: Material
    judged_rows: Rows
    judged_truth: Indices

    @property
    def diseases(self) -> int:
        """How many diseases the trees tell apart."""
        return int(self.train.truth.max()) + 1

    @once
    def judged_sparse(self) -> Any:
        """The judging rows as XGBoost reads them."""
        return sparse(self.judged_rows)

    def loss(self, settings: FitSettings, fitter: Fitter) -> tuple[float, int]:
        """Return the mean log loss on the judging rows and the rounds it took."""
        counts = replace(self.material.counts, settings=settings.bayes)
        bayes = replace(self.material, counts=counts).table(selective=True)
        interview = self.material.interview(bayes)
        made = training_rows(self.train, self.material.schema, interview, settings)
        rows = with_recorded(
            made,
            self.recorded,
            self.train,
            schema=self.material.schema,
            interview=interview,
            settings=settings,
        )
        start = bayes.margins_of(self.judged_rows)[:, : self.diseases].astype(np.float32)
        judged = FitRows(values=self.judged_sparse, margins=start, truth=self.judged_truth)
        boosting = Boosting(
            training=rows,
            judging=judged,
            parameters={**parameters(settings, self.diseases), "eval_metric": "mlogloss"},
            rounds=settings.rounds,
            patience=PATIENCE,
        )
        booster = fitter.fit(boosting, lambda _: None)
        untouched = float(log_losses(start.astype(np.float64), self.judged_truth).mean())
        return min(float(booster.best_score), untouched), booster.best_iteration + 1


@dataclass(frozen=True, kw_only=True)
class Best:
    """What won. loss: mean over the folds. tried: parameters, value and state of every trial."""

    settings: FitSettings
    loss: float
    shipped_loss: float
    tried: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class JudgedFolds:
    """What each fold said of each settings, kept in `folder`: a fit is seconds to minutes."""

    folder: Path
    folds: tuple[Fold, ...]
    fitter: Fitter

    def __len__(self) -> int:
        """How many folds."""
        return len(self.folds)

    def loss(self, k: int, settings: FitSettings) -> tuple[float, int]:
        """Return what `Fold.loss` of fold k returns, fitting only what nobody fitted before."""
        path = self.folder / f"{digest_of({'fold': k, 'settings': asdict(settings)})[:32]}.json"
        if path.is_file():
            loss, rounds = json.loads(path.read_bytes())
            return float(loss), int(rounds)
        found = self.folds[k].loss(settings, self.fitter)
        self.folder.mkdir(parents=True, exist_ok=True)
        files.write_durably(path, json.dumps(found).encode())
        return found


def deal(
    train: Sample,
    recorded: Recorded,
    endemic: EndemicKnowledge | None,
    diseases: tuple[DiseaseId, ...],
    search: SearchSettings,
) -> Iterator[Fold]:
    """Yield the folds. diseases: those of `train`, in the order of its truth."""
    rng = np.random.default_rng(SEED)
    chosen = rng.permutation(len(train.truth))[: search.fold_patients]
    known = recorded.take(np.flatnonzero(recorded.truth < len(diseases)))
    theirs = rng.permutation(len(known.truth)) % search.folds
    for k in range(search.folds):
        at = np.arange(len(chosen)) % search.folds
        fitting, judging = train.take(chosen[at != k]), train.take(chosen[at == k][: search.judged])
        visits, left_out = (
            known.take(np.flatnonzero(theirs != k)),
            known.take(np.flatnonzero(theirs == k)),
        )
        material = Material.of(fitting, diseases, endemic, FitSettings().bayes, visits)
        budget = Budget.clinic(len(judging.truth), rng)
        asked = judging.partly_asked(material.schema, budget, judging.rates(), rng)
        yield Fold(
            train=fitting,
            recorded=visits,
            material=material,
            judged_rows=np.vstack((asked, left_out.rows(material.schema, train.ontology))),
            judged_truth=np.concatenate((judging.truth, left_out.truth)),
        )


def tune(
    folds: tuple[Fold, ...],
    search: SearchSettings,
    storage: Path,
    base: FitSettings,
    say: Callable[[str], None],
    *,
    fitter: Fitter = EMBEDDED,
) -> Best:
    """Return the best of `search.trials` trials; what `storage` holds is not done again.

    storage: a folder: finished trials (SQLite), and the folds that were judged. base: what is not
    searched: the size of the final fit, threads, device, seed.
    """
    kept = JudgedFolds(storage / "folds", folds, fitter)
    study = _study(storage / TRIALS)
    while len(_finished(study)) < search.trials:
        number = len(_finished(study))
        study.sampler = optuna.samplers.TPESampler(
            seed=SEED + number, multivariate=True, n_startup_trials=START_UP
        )
        trial = study.ask()
        value, state = _tried(trial, kept, search, base)
        study.tell(trial, value, state=state)
        say(f"trial {number + 1} of {search.trials}: {_said(value)}, best {study.best_value:.5f}")
    done = _finished(study)
    complete = [trial for trial in done if trial.state is TrialState.COMPLETE]
    best = min(complete, key=lambda trial: (float(trial.value or 0.0), trial.number))
    return Best(
        settings=_final(best, base),
        loss=float(best.value or 0.0),
        shipped_loss=float(complete[0].value or 0.0),
        tried=tuple(
            {"state": t.state.name, "value": t.value, "params": t.params, **t.user_attrs}
            for t in done
        ),
    )


def _study(storage: Path) -> optuna.Study:
    storage.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=STUDY,
        storage=RDBStorage(f"sqlite:///{storage}"),
        load_if_exists=True,
        direction="minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=START_UP),
    )
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING, TrialState.WAITING)):
        study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
    if not _finished(study):
        first = {**shipped(), "mentions": 1, "recorded_weight": 2.0, "balance": 0.0}
        study.enqueue_trial(first)
    return study


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=FINISHED)


def _tried(
    trial: optuna.Trial, folds: "JudgedFolds", search: SearchSettings, base: FitSettings
) -> tuple[float | None, TrialState]:
    settings = _settings(trial, search.trial_rows, base)
    losses: list[float] = []
    rounds: list[int] = []
    for k in range(len(folds)):
        loss, took = folds.loss(k, settings)
        losses.append(loss)
        rounds.append(took)
        trial.report(float(np.mean(losses)), k)
        if trial.should_prune() and k + 1 < len(folds):
            return None, TrialState.PRUNED
    trial.set_user_attr("rounds", int(np.median(rounds)))
    trial.set_user_attr("losses", losses)
    return float(np.mean(losses)), TrialState.COMPLETE


def _settings(trial: Any, rows: int, base: FitSettings) -> FitSettings:
    return replace(
        suggested(trial, rows, most_mentions=1),
        rounds=MOST_ROUNDS,
        recorded_weight=trial.suggest_float("recorded_weight", *RECORDED_WEIGHTS, log=True),
        balance=trial.suggest_float("balance", 0.0, 1.0),
        threads=base.threads,
        device=base.device,
        seed=base.seed,
    )


def _final(trial: optuna.trial.FrozenTrial, base: FitSettings) -> FitSettings:
    """Return the settings of a finished trial at the rows of `base`."""
    rows = base.full_rows + base.partial_rows + base.interview_rows
    chosen = _settings(optuna.trial.FixedTrial(trial.params), rows, base)
    return replace(chosen, rounds=int(trial.user_attrs["rounds"]))


def _said(value: float | None) -> str:
    return "stopped early" if value is None else f"log loss {value:.5f}"
