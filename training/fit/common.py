"""Fits the common-disease model: gradient-boosted trees on DDXPlus, asked in full and in part.

A clinic never asks 900 questions, so most training rows are partly asked patients
(`training.fit.partial`); a question nobody asked is nan, never zero. What is exported and
measured is the model a device runs, not the library's.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import scipy.sparse
import xgboost
from numpy.typing import NDArray

from ddx.domain.artifacts import COMMON_CALIBRATION, COMMON_MODEL, COMMON_SCHEMA, COMMON_TREES
from ddx.domain.case import Case
from ddx.domain.identifiers import DiseaseId
from ddx.errors import DdxError
from ddx.features.encode import KindOf, encode_table
from ddx.features.schema import Column, ColumnKind, FeatureSchema
from ddx.inference.common import Calibration, CommonModel
from ddx.inference.session import ModelSession
from ddx.terminology.ontology import Ontology
from training import knowledge
from training.evaluate.common import Estimate, evaluate
from training.evaluate.ranked import evaluate_ranked
from training.export.forest import forest_of
from training.export.onnx import onnx_of
from training.export.parity import prove_parity
from training.fit.partial import Budget, base_rates, partly_asked
from training.sources import hpo
from training.sources.ddxplus import (
    RANKED,
    Answers,
    Patient,
    Vocabulary,
    case_of,
    pack,
    read_patients,
)
from training.sources.ddxplus_ranked import has_ranked

Rows = NDArray[np.float32]
Indices = NDArray[np.int64]
Progress = Callable[[str], None]

TRAIN_SHARE, CALIBRATION_SHARE = 0.8, 0.1
SPLIT_SEED: Final = 20_261_123
"""Fixes which patients are held out; benchmarks rely on it. A new seed is a new model."""

PARITY_ROWS: Final = 1000
TEMPERATURES: Final = np.geomspace(0.25, 4.0, 241)
"""Grid of 1.2 % steps; a calibrated model needs about 1."""
_CHUNK: Final = 20_000
_TOLD_EVERY: Final = 10


class CommonFitError(DdxError):
    """The patients at hand cannot fit a common model."""

    code: ClassVar[str] = "training.common_unfit"


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """Size and shape of one fit.

    full_rows: patients with every question answered. partial_rows: partly asked ones, drawn with
    repetition. The defaults were searched by hand on held-out partial evidence: shallower trees
    need more rounds for the same accuracy, deeper ones more bytes; doubling partial_rows adds
    0.3 points at three findings.
    """

    rounds: int = 100
    depth: int = 4
    learning_rate: float = 0.3
    min_split_gain: float = 0.3
    full_rows: int = 15_000
    partial_rows: int = 450_000
    threads: int = 2
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Split:
    """Which patients fit, which calibrate (and stack), which only measure. Indices, ascending."""

    train: Indices
    calibration: Indices
    test: Indices


@dataclass(frozen=True, kw_only=True)
class CommonFit:
    """Everything a bundle, the gate between both worlds and the model card need.

    metrics: protocol -> figure -> estimate on the test patients. parity: largest probability
    difference to XGBoost. patients, split: the data set and who was held out of it.
    """

    schema: FeatureSchema
    calibration: Calibration
    onnx: bytes
    trees: bytes
    metrics: Mapping[str, Mapping[str, Estimate]]
    parity: float
    vocabulary: Vocabulary
    patients: tuple[Patient, ...]
    split: Split

    @property
    def diseases(self) -> tuple[DiseaseId, ...]:
        """Diseases in output order."""
        return self.calibration.diseases

    @cached_property
    def model(self) -> CommonModel:
        """The model as a device loads it."""
        return CommonModel(ModelSession.from_bytes(self.onnx), self.schema, self.calibration)

    def members(self) -> dict[str, bytes]:
        """Return the members this model contributes to a bundle."""
        return {
            COMMON_MODEL: self.onnx,
            COMMON_SCHEMA: self.schema.to_json(),
            COMMON_TREES: self.trees,
            COMMON_CALIBRATION: self.calibration.to_json(),
        }

    def held_out_cases(self, n: int) -> tuple[Case, ...]:
        """Return up to n fully asked cases of the calibration patients, evenly spread.

        No tree was fitted on them and no figure is measured on them: stack on these.
        """
        spread = np.linspace(0, len(self.split.calibration) - 1, num=n).astype(np.int64)
        chosen = self.split.calibration[np.unique(spread)]
        return tuple(case_of(self.patients[i], self.vocabulary) for i in chosen)


def fit_common(data: Path, *, progress: Progress, settings: FitSettings | None = None) -> CommonFit:
    """Return the model fitted on `data`/ddxplus with the knowledge base's findings.

    progress: told one line per stage and every tenth round. The official validation rows are a
    second test set where `data` holds them.

    Raises:
        DataSetMissingError, DataSetMalformedError: the set is absent or unreadable.
        ExportError: the exported model does not answer like the fitted one.
    """
    vocabulary = Vocabulary.of(knowledge.findings(), knowledge.diseases())
    severity = {row.id: row.severity for row in knowledge.diseases()}
    release = hpo.read_ontology()
    ontology = Ontology(release.version, ((t.id, t.parents, t.alt_ids) for t in release.terms))
    patients = read_patients(data)
    progress(f"{len(patients):,} patients read")
    fit = fit_patients(
        patients,
        vocabulary,
        severity,
        ontology=ontology,
        settings=settings or FitSettings(),
        progress=progress,
    )
    if not has_ranked(data):
        progress(f"second test set skipped: {RANKED} is not there")
        return fit
    train = [patients[i] for i in fit.split.train]
    second = evaluate_ranked(
        fit.model, vocabulary, severity, data, fitted_on=train, ontology=ontology
    )
    for protocol, figures in second.items():
        progress(f"{protocol}: top-1 {figures['top1']}")
    return replace(fit, metrics={**fit.metrics, **second})


def fit_patients(
    patients: tuple[Patient, ...],
    vocabulary: Vocabulary,
    severity: Mapping[DiseaseId, int],
    *,
    ontology: KindOf | None,
    settings: FitSettings,
    progress: Progress,
) -> CommonFit:
    """Return the model fitted on four fifths of `patients`, calibrated and measured on the rest."""
    split = split_patients(patients)
    diseases = tuple(sorted({vocabulary.disease_of_condition[p.condition] for p in patients}))
    sample = Sample.of(patients, vocabulary, diseases, ontology)
    train = sample.take(split.train)
    schema = schema_of(train.answers, vocabulary)
    booster = _boost(train, schema, len(diseases), settings, progress)
    forest = forest_of(
        bytes(booster.save_raw("json")),
        schema_hash=schema.hash,
        frequency=_frequency(train, schema),
    )
    onnx = onnx_of(forest)
    session = ModelSession.from_bytes(onnx)
    progress("calibrating on patients no tree has seen")
    calibration = _calibrate(sample.take(split.calibration), schema, session, diseases)
    test = sample.take(split.test)
    parity = prove_parity(onnx, *_parity_rows(test, schema, booster), calibration)
    progress(f"exported; largest probability difference to XGBoost {parity:.1e}")
    model = CommonModel(session, schema, calibration)
    return CommonFit(
        schema=schema,
        calibration=calibration,
        onnx=onnx,
        trees=forest.to_npz(),
        metrics=measure(model, test, np.array([severity[d] for d in diseases]), progress),
        parity=parity,
        vocabulary=vocabulary,
        patients=patients,
        split=split,
    )


def split_patients(patients: tuple[Patient, ...]) -> Split:
    """Return the fixed split, stratified by condition; identical patients stay together.

    Raises:
        CommonFitError: too few patients for every part to hold one.
    """
    rng = np.random.default_rng(SPLIT_SEED)
    by_condition: dict[str, dict[object, list[int]]] = {}
    for i, p in enumerate(patients):
        same = by_condition.setdefault(p.condition, {})
        same.setdefault((p.age_years, p.sex, p.evidences), []).append(i)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for condition in sorted(by_condition):
        groups = list(by_condition[condition].values())
        for place, at in enumerate(rng.permutation(len(groups))):
            share = (place + 0.5) / len(groups)
            parts[np.searchsorted((TRAIN_SHARE, TRAIN_SHARE + CALIBRATION_SHARE), share)].extend(
                groups[at]
            )
    if not all(parts):
        raise CommonFitError(f"{len(patients)} patients are too few to hold any out")
    return Split(*(np.array(sorted(part), dtype=np.int64) for part in parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Patients ready to become rows: answers, truth int64 (n,) and what encodes them."""

    answers: Answers
    truth: Indices
    vocabulary: Vocabulary
    ontology: KindOf | None

    @classmethod
    def of(
        cls,
        patients: tuple[Patient, ...],
        vocabulary: Vocabulary,
        diseases: tuple[DiseaseId, ...],
        ontology: KindOf | None,
    ) -> "Sample":
        """Pack all patients; truth is the position of their disease in `diseases`."""
        number = {disease: i for i, disease in enumerate(diseases)}
        truth = [number[vocabulary.disease_of_condition[p.condition]] for p in patients]
        return cls(
            answers=pack(patients, vocabulary),
            truth=np.array(truth, dtype=np.int64),
            vocabulary=vocabulary,
            ontology=ontology,
        )

    def take(self, rows: Indices) -> "Sample":
        """Return the patients at `rows`, repetitions allowed."""
        return Sample(
            answers=self.answers.take(rows),
            truth=self.truth[rows],
            vocabulary=self.vocabulary,
            ontology=self.ontology,
        )

    def fully_asked(self, schema: FeatureSchema) -> Rows:
        """Return float32 (n, n_columns) with every finding answered."""
        table = self.answers.table(self.vocabulary.findings)
        return encode_table(table, schema, self.ontology)

    def partly_asked(
        self,
        schema: FeatureSchema,
        budget: Budget,
        rates: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> Rows:
        """Return float32 (n, n_columns) with what `budget` leaves of each patient."""
        findings = self.vocabulary.findings
        table = partly_asked(self.answers, findings, budget, rates, rng)
        return encode_table(table, schema, self.ontology)

    def rates(self) -> NDArray[np.float64]:
        """Return the share of these patients with each finding of the vocabulary."""
        return base_rates(self.answers, len(self.vocabulary.findings))


def schema_of(answers: Answers, vocabulary: Vocabulary) -> FeatureSchema:
    """Return age, sex and one column per finding that at least one of the patients has."""
    seen = set(np.unique(answers.position).tolist())
    columns = [Column(ColumnKind.AGE_YEARS), Column(ColumnKind.SEX_FEMALE)]
    for i, finding in enumerate(vocabulary.findings):
        if i in seen:
            graded = finding in vocabulary.graded
            columns.append(Column(ColumnKind.GRADE if graded else ColumnKind.PRESENCE, finding))
    return FeatureSchema(tuple(columns))


def _boost(
    train: Sample, schema: FeatureSchema, n_diseases: int, settings: FitSettings, progress: Progress
) -> xgboost.Booster:
    rows, truth = _training_rows(train, schema, settings)
    progress(f"{rows.shape[0]:,} training rows, {rows.shape[1]} columns, {n_diseases} diseases")
    matrix = xgboost.QuantileDMatrix(rows, truth, max_bin=32, nthread=settings.threads)
    parameters = {
        "objective": "multi:softprob",
        "num_class": n_diseases,
        "base_score": 0.0,
        "tree_method": "hist",
        "max_bin": 32,
        "max_depth": settings.depth,
        "eta": settings.learning_rate,
        "gamma": settings.min_split_gain,
        "nthread": settings.threads,
        "seed": settings.seed,
    }
    told = _Told(progress, settings.rounds)
    return xgboost.train(parameters, matrix, settings.rounds, callbacks=[told])


class _Told(xgboost.callback.TrainingCallback):
    """Passes every tenth round on."""

    def __init__(self, progress: Progress, rounds: int) -> None:
        self._progress, self._rounds = progress, rounds

    def after_iteration(self, model: object, epoch: int, evals_log: object) -> bool:  # noqa: ARG002 (XGBoost's signature)
        """Tell; False lets training go on."""
        if (epoch + 1) % _TOLD_EVERY == 0:
            self._progress(f"round {epoch + 1} of {self._rounds}")
        return False


def _training_rows(
    train: Sample, schema: FeatureSchema, settings: FitSettings
) -> tuple[scipy.sparse.csr_matrix, Indices]:
    """Return fully and partly asked patients; what a sparse row does not store is unknown."""
    rng = np.random.default_rng(settings.seed)
    rates, n = train.rates(), len(train.truth)
    full = rng.permutation(n)[: settings.full_rows]
    repeats = -(-settings.partial_rows // n)
    part = np.concatenate([rng.permutation(n) for _ in range(repeats)])[: settings.partial_rows]
    blocks = [_sparse(train.take(rows).fully_asked(schema)) for rows in _chunks(full)]
    for rows in _chunks(part):
        budget = Budget.clinic(len(rows), rng)
        blocks.append(_sparse(train.take(rows).partly_asked(schema, budget, rates, rng)))
    return scipy.sparse.vstack(blocks, format="csr"), train.truth[np.concatenate((full, part))]


def _chunks(rows: Indices) -> Iterator[Indices]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def _sparse(rows: Rows) -> scipy.sparse.csr_matrix:
    """Return the known values only; a known zero stays stored, nan does not."""
    known = ~np.isnan(rows)
    offsets = np.concatenate(([0], np.cumsum(known.sum(axis=1))))
    return scipy.sparse.csr_matrix((rows[known], np.nonzero(known)[1], offsets), rows.shape)


def _frequency(train: Sample, schema: FeatureSchema) -> Rows:
    """Return the share of the training patients of each disease with each finding.

    float32 (n_diseases, n_columns); nan for age and sex. Half a patient with and half one
    without are added, so that 36 patients do not state "never" (Jeffreys prior).
    """
    disease = train.truth[train.answers.row_of_entry()]
    shape = (int(train.truth.max()) + 1, len(train.vocabulary.findings))
    counts = np.zeros(shape)
    np.add.at(counts, (disease, train.answers.position), 1.0)
    patients = np.bincount(train.truth, minlength=shape[0])[:, np.newaxis]
    share = (counts + 0.5) / (patients + 1.0)
    at = {finding: i for i, finding in enumerate(train.vocabulary.findings)}
    frequency = np.full((shape[0], len(schema)), np.nan, dtype=np.float32)
    for finding, column in schema.positions.items():
        frequency[:, column] = np.round(share[:, at[finding]], 3)
    return frequency


def _calibrate(
    held_out: Sample, schema: FeatureSchema, session: ModelSession, diseases: tuple[DiseaseId, ...]
) -> Calibration:
    """Return the temperature with the least log loss on visits like those of a clinic."""
    rng = np.random.default_rng(SPLIT_SEED)
    budget = Budget.clinic(len(held_out.truth), rng)
    rows = held_out.partly_asked(schema, budget, held_out.rates(), rng)
    margins = session.run(rows).astype(np.float64)

    def log_loss(temperature: float) -> float:
        probabilities = Calibration(diseases=diseases, temperature=temperature).probabilities(
            margins
        )
        true = np.take_along_axis(probabilities, held_out.truth[:, np.newaxis], axis=1)
        return -float(np.log(np.maximum(true, np.finfo(np.float64).tiny)).mean())

    best = min(TEMPERATURES.tolist(), key=log_loss)
    return Calibration(diseases=diseases, temperature=best)


def _parity_rows(
    test: Sample, schema: FeatureSchema, booster: xgboost.Booster
) -> tuple[Rows, NDArray[np.float64]]:
    """Return rows half fully, half partly asked, and XGBoost's own margins for them."""
    rng = np.random.default_rng(SPLIT_SEED)
    few = test.take(rng.permutation(len(test.truth))[: PARITY_ROWS // 2])
    budget = Budget.clinic(len(few.truth), rng)
    partly = few.partly_asked(schema, budget, test.rates(), rng)
    rows = np.vstack((few.fully_asked(schema), partly))
    margins = booster.predict(xgboost.DMatrix(rows), output_margin=True)
    return rows, margins.astype(np.float64)


def measure(
    model: CommonModel, test: Sample, severity: Indices, progress: Progress
) -> dict[str, dict[str, Estimate]]:
    """Return the figures of every protocol: all questions answered, a clinic's visit, k findings.

    present_k: k present findings drawn evenly, age and sex, nothing excluded.
    """
    figures: dict[str, dict[str, Estimate]] = {}
    for protocol, rows in _protocols(test, model.schema):
        figures[protocol] = evaluate(model.probabilities_of(rows), test.truth, severity)
        progress(f"{protocol}: top-1 {figures[protocol]['top1']}")
    return figures


def _protocols(test: Sample, schema: FeatureSchema) -> Iterator[tuple[str, Rows]]:
    rng = np.random.default_rng(SPLIT_SEED + 1)
    n, rates = len(test.truth), test.rates()
    yield "full_evidence", test.fully_asked(schema)
    yield "clinic_visit", test.partly_asked(schema, Budget.clinic(n, rng), rates, rng)
    for k in (3, 5, 8):
        budget = Budget.fixed(n, present=k)
        yield f"present_{k}", test.partly_asked(schema, budget, rates, rng)
