"""DDXPlus patients on their way to becoming rows: the fixed split, and how much was asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import DiseaseId
from ddx.errors import DdxError
from ddx.features.encode import KindOf, encode_table
from ddx.features.schema import Column, ColumnKind, FeatureSchema
from training.fit.partial import Budget, base_rates, partly_asked
from training.sources.ddxplus import Answers, Patient, Vocabulary, pack

Rows = NDArray[np.float32]
Indices = NDArray[np.int64]

TRAIN_SHARE, CALIBRATION_SHARE = 0.8, 0.1
SPLIT_SEED: Final = 20_261_123
"""Fixes which patients are held out; benchmarks rely on it. A new seed is a new model."""

_CHUNK: Final = 20_000


class CommonFitError(DdxError):
    """The patients at hand cannot fit a common model."""

    code: ClassVar[str] = "training.common_unfit"


@dataclass(frozen=True, slots=True)
class Split:
    """Which patients fit, which calibrate (and stack), which only measure. Indices, ascending."""

    train: Indices
    calibration: Indices
    test: Indices


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
        *,
        by_question: bool = False,
    ) -> Rows:
        """Return float32 (n, n_columns) with what `budget` leaves of each patient.

        by_question: draw questions, each with all its present values, rather than findings.
        """
        findings = self.vocabulary.findings
        questions = self.vocabulary.questions if by_question else None
        table = partly_asked(self.answers, findings, budget, rates, rng, questions=questions)
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


def chunks(rows: Indices) -> Iterator[Indices]:
    """Yield `rows` in parts small enough to hold as a dense table."""
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]
