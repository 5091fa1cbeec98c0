"""Searches the constants of the common model on held-out patients that are no test patients.

Every trial fits the Bayes table and trees on training patients, and is judged by the mean log loss
over the protocols of `training.evaluate.protocols` and short interviews on one half of the
calibration patients; what wins is held against the settings that ship on the other half. Trials
that fall behind the median are stopped early. The storage is a journal: the same command goes on
where an earlier one ended.

    python -m training.fit.search --trials 40 --storage build/search.journal --confirm
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
import xgboost
from numpy.typing import NDArray
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from ddx.errors import DdxError
from ddx.once import once
from ddx.terminology.ontology import Ontology
from training import knowledge
from training.evaluate.held_out import DATA
from training.evaluate.protocols import protocols
from training.fit.bayes import BayesSettings
from training.fit.boost import MAX_BIN, FitSettings, parameters, sparse, training_rows
from training.fit.material import Material
from training.fit.sample import Sample, split_patients
from training.sources import hpo
from training.sources.ddxplus import Vocabulary, read_patients
from training.sources.endemic import endemic_knowledge

STUDY: Final = "common"
SEED: Final = 20_261
TRIAL_ROWS: Final = 40_000
"""Training rows of a trial: a quarter of what ships, and a trial takes seconds, not minutes."""

MOST_ROUNDS: Final = 40
PATIENCE: Final = 4
"""Rounds without a better log loss after which more are not tried."""

INTERVIEW: Final = "short_interview"
SEARCHED_PATIENTS: Final = 4000
"""Of the half that judges trials; each is seen under every protocol."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Patients under every protocol, as rows and what the trees of one table are judged by."""

    names: tuple[str, ...]
    rows: tuple[NDArray[np.float32], ...]
    truth: NDArray[np.int64]

    @classmethod
    def of(cls, patients: Sample, material: Material) -> "Judge":
        """Return the protocols of the patients, and an interview of up to twenty questions.

        material: of the settings that ship; its table leads the interviews.
        """
        named = list(protocols(patients, material.schema))
        ours = material.table(selective=True)
        rng = np.random.default_rng(SEED)
        asked = material.interview(ours).hold(patients, material.schema, rng)
        named.append((INTERVIEW, asked))
        return cls(
            names=tuple(name for name, _ in named),
            rows=tuple(rows for _, rows in named),
            truth=patients.truth,
        )

    @once
    def stacked(self) -> NDArray[np.float32]:
        """Rows of all protocols, one after another."""
        return np.vstack(self.rows)

    @once
    def stacked_truth(self) -> NDArray[np.int64]:
        """Truth of `stacked`."""
        return np.tile(self.truth, len(self.rows))

    def figures(self, margins: NDArray[np.float64]) -> dict[str, dict[str, float]]:
        """Return top-1 and log loss by protocol. margins: (rows of `stacked`, n_diseases)."""
        own = log_losses(margins, self.stacked_truth)
        right = margins.argmax(axis=1) == self.stacked_truth
        n = len(self.truth)
        return {
            name: {
                "top1": float(right[i * n : (i + 1) * n].mean()),
                "log_loss": float(own[i * n : (i + 1) * n].mean()),
            }
            for i, name in enumerate(self.names)
        }


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The data set, read once. everyone: all calibration patients; searched, confirmed: its halves.

    materials: counted training patients, by what changes a count.
    """

    train: Sample
    everyone: Sample
    searched: Sample
    confirmed: Sample
    materials: dict[int, Material] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Path) -> "Bench":
        """Return the bench. Raises DataSetMissingError, DataSetMalformedError."""
        vocabulary = Vocabulary.of(knowledge.findings(), knowledge.diseases())
        release = hpo.read_ontology()
        ontology = Ontology(release.version, ((t.id, t.parents, t.alt_ids) for t in release.terms))
        patients = read_patients(data)
        split = split_patients(patients)
        theirs = tuple(sorted({vocabulary.disease_of_condition[p.condition] for p in patients}))
        sample = Sample.of(patients, vocabulary, theirs, ontology)
        mixed = np.random.default_rng(SEED).permutation(split.calibration)
        half = len(mixed) // 2
        return cls(
            train=sample.take(split.train),
            everyone=sample.take(split.calibration),
            searched=sample.take(mixed[:half][:SEARCHED_PATIENTS]),
            confirmed=sample.take(mixed[half:]),
        )

    @once
    def judge(self) -> Judge:
        """Those who judge trials; every trial sees the same rows."""
        return Judge.of(self.searched, self.material(BayesSettings()))

    @property
    def diseases(self) -> int:
        """How many diseases the trees tell apart."""
        return int(self.train.truth.max()) + 1

    def material(self, settings: BayesSettings) -> Material:
        """Return the counts under `settings`; patients are counted once per `mentions`."""
        if settings.mentions not in self.materials:
            names = sorted(set(self.train.vocabulary.disease_of_condition.values()))
            self.materials[settings.mentions] = Material.of(
                self.train, tuple(names), endemic_knowledge(), settings
            )
        counted = self.materials[settings.mentions]
        return replace(counted, counts=replace(counted.counts, settings=settings))


def log_losses(margins: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return -log softmax(margins)[truth] of each row, float64 (n,)."""
    top = margins.max(axis=1)
    total = top + np.log(np.exp(margins - top[:, np.newaxis]).sum(axis=1))
    losses: NDArray[np.float64] = total - margins[np.arange(len(truth)), truth]
    return losses


def suggested(trial: optuna.Trial, rows: int = 0, most_mentions: int = 5) -> FitSettings:
    """Return the settings of a trial; the rows of all kinds add up to `rows`, TRIAL_ROWS if 0.

    most_mentions: the table is counted once for each of 1..most_mentions.
    """
    rows = rows or TRIAL_ROWS
    full = trial.suggest_float("full_share", 0.0, 0.3)
    interviews = trial.suggest_float("interview_share", 0.0, 0.6)
    return FitSettings(
        bayes=BayesSettings(
            pseudo_patients=trial.suggest_float("pseudo_patients", 0.02, 2.0, log=True),
            strongest=trial.suggest_float("strongest", 4.0, 10.0),
            mentions=trial.suggest_int("mentions", 1, most_mentions),
        ),
        rounds=MOST_ROUNDS,
        depth=trial.suggest_int("depth", 2, 6),
        learning_rate=trial.suggest_float("learning_rate", 0.05, 0.4, log=True),
        min_split_gain=trial.suggest_float("min_split_gain", 0.0, 2.0),
        shrinkage=trial.suggest_float("shrinkage", 0.1, 30.0, log=True),
        least_weight=trial.suggest_float("least_weight", 0.3, 30.0, log=True),
        row_share=trial.suggest_float("row_share", 0.3, 1.0),
        column_share=trial.suggest_float("column_share", 0.3, 1.0),
        full_rows=round(rows * full),
        interview_rows=round(rows * interviews),
        partial_rows=round(rows * (1.0 - full - interviews)),
        question_share=trial.suggest_float("question_share", 0.0, 1.0),
        threads=1,
    )


def shipped() -> dict[str, Any]:
    """Return the settings that ship as a trial's parameters."""
    ours = FitSettings()
    rows = ours.full_rows + ours.partial_rows + ours.interview_rows
    named = {**asdict(ours.bayes), **asdict(ours)}
    kept = ("pseudo_patients", "strongest", "mentions", "depth", "learning_rate", "min_split_gain")
    more = ("shrinkage", "least_weight", "row_share", "column_share", "question_share")
    return {
        "full_share": ours.full_rows / rows,
        "interview_share": ours.interview_rows / rows,
        **{name: named[name] for name in (*kept, *more)},
    }


class _Reported(xgboost.callback.TrainingCallback):
    """Tells a trial its log loss after each round and stops it when it falls behind."""

    def __init__(self, trial: optuna.Trial) -> None:
        self._trial = trial

    def after_iteration(self, model: object, epoch: int, evals_log: dict[str, Any]) -> bool:  # noqa: ARG002 (XGBoost's signature)
        self._trial.report(evals_log["judge"]["mlogloss"][-1], epoch + 1)
        if self._trial.should_prune():
            raise optuna.TrialPruned
        return False


def objective(bench: Bench, trial: optuna.Trial) -> float:
    """Return the mean log loss of one trial; rounds and figures go into its attributes."""
    settings = suggested(trial)
    material = bench.material(settings.bayes)
    bayes = material.table(selective=True)
    judge = bench.judge
    start = bayes.margins_of(judge.stacked)[:, : bench.diseases]
    trial.report(float(log_losses(start, judge.stacked_truth).mean()), 0)
    if trial.should_prune():
        raise optuna.TrialPruned
    rows, margins, truth = training_rows(
        bench.train, material.schema, material.interview(bayes), settings
    )
    matrix = xgboost.QuantileDMatrix(
        rows, truth, base_margin=margins[:, : bench.diseases], max_bin=MAX_BIN, nthread=1
    )
    judged = xgboost.QuantileDMatrix(
        sparse(judge.stacked),
        judge.stacked_truth,
        base_margin=start.astype(np.float32),
        ref=matrix,
        max_bin=MAX_BIN,
        nthread=1,
    )
    booster = xgboost.train(
        {**parameters(settings, bench.diseases), "eval_metric": "mlogloss"},
        matrix,
        settings.rounds,
        evals=[(judged, "judge")],
        early_stopping_rounds=PATIENCE,
        callbacks=[_Reported(trial)],
        verbose_eval=False,
    )
    trial.set_user_attr("rounds", booster.best_iteration + 1)
    return float(booster.best_score)


def settings_of(trial: optuna.trial.FrozenTrial) -> FitSettings:
    """Return the settings of a finished trial with its rounds, at the rows that ship."""
    chosen = suggested(optuna.trial.FixedTrial(trial.params))  # type: ignore[arg-type]
    ours = FitSettings()
    grown = (ours.full_rows + ours.partial_rows + ours.interview_rows) / TRIAL_ROWS
    return replace(
        chosen,
        rounds=int(trial.user_attrs["rounds"]),
        full_rows=round(chosen.full_rows * grown),
        partial_rows=round(chosen.partial_rows * grown),
        interview_rows=round(chosen.interview_rows * grown),
    )


def confirmed(bench: Bench, settings: FitSettings) -> dict[str, dict[str, float]]:
    """Return top-1 and log loss by protocol on the patients that judged no trial."""
    material = bench.material(settings.bayes)
    bayes = material.table(selective=True)
    judge = Judge.of(bench.confirmed, bench.material(BayesSettings()))
    start = bayes.margins_of(judge.stacked)[:, : bench.diseases]
    rows, margins, truth = training_rows(
        bench.train, material.schema, material.interview(bayes), settings
    )
    matrix = xgboost.QuantileDMatrix(
        rows, truth, base_margin=margins[:, : bench.diseases], max_bin=MAX_BIN, nthread=1
    )
    booster = xgboost.train(parameters(settings, bench.diseases), matrix, settings.rounds)
    judged = xgboost.DMatrix(sparse(judge.stacked), base_margin=start.astype(np.float32))
    found = booster.predict(judged, output_margin=True)
    return judge.figures(found.astype(np.float64))


def study_of(storage: Path) -> optuna.Study:
    """Return the study in `storage`, with the settings that ship as its first trial."""
    storage.parent.mkdir(parents=True, exist_ok=True)
    journal = JournalStorage(JournalFileBackend(str(storage)))
    study = optuna.create_study(
        study_name=STUDY,
        storage=journal,
        load_if_exists=True,
        direction="minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=6, n_warmup_steps=3),
    )
    # A seed of its own for every sitting: the same one would draw the same first trials again.
    study.sampler = optuna.samplers.TPESampler(seed=SEED + len(study.trials), multivariate=True)
    if not study.trials:
        study.enqueue_trial(shipped())
    return study


def main(argv: Sequence[str] | None = None) -> int:
    """Search, then hold the winner against what ships if asked; 0, or 2 without the data."""
    asked = _parser().parse_args(argv)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        bench = Bench.read(asked.data)
    except DdxError as error:
        print(error, file=sys.stderr)
        return 2
    study = study_of(asked.storage)
    study.optimize(
        lambda trial: objective(bench, trial),
        n_trials=asked.trials,
        timeout=asked.seconds,
        callbacks=[_told],
    )
    best = settings_of(study.best_trial)
    print(f"\n{len(study.trials)} trials; best {study.best_value:.5f}: {best}")
    if not asked.confirm:
        return 0
    ours, theirs = confirmed(bench, FitSettings(threads=1)), confirmed(bench, best)
    head = f"{'top-1 now':>12}{'best':>10}{'loss now':>12}{'best':>10}"
    print(f"{'patients that judged no trial':<32}{head}")
    for name, now in ours.items():
        then = theirs[name]
        print(
            f"{name:<32}{now['top1']:>12.4f}{then['top1']:>10.4f}"
            f"{now['log_loss']:>12.4f}{then['log_loss']:>10.4f}"
        )
    return 0


def _told(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    value = "stopped" if trial.value is None else f"{trial.value:.5f}"
    best = f"{study.best_value:.5f}" if study.best_trials else "none"
    print(f"trial {trial.number}: {value}, best {best}; {trial.params}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.fit.search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument(
        "--confirm", action="store_true", help="hold the best trial against what ships"
    )
    parser.add_argument("--seconds", type=float, help="start no trial after so many")
    parser.add_argument("--storage", type=Path, required=True, help="journal to go on with")
    return parser


if __name__ == "__main__":
    sys.exit(main())
