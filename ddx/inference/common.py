"""The common-disease model: one row in, a margin and a calibrated probability per disease out.

A margin is what naive Bayes says (`ddx.inference.bayes`) plus what trees boosted from it correct.
The trees were shown one source of patients and so correct only its diseases, the first of the
list; they settle nothing between those and the rest. Hence probabilities keep the share that Bayes
gives those diseases together, and the trees divide it among them.
"""

import json
import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import (
    COMMON_BAYES,
    COMMON_CALIBRATION,
    COMMON_MODEL,
    COMMON_SCHEMA,
    Artifacts,
)
from ddx.domain.canonical import canonical_json
from ddx.domain.identifiers import DiseaseId, disease_id
from ddx.errors import IdentifierError, ModelError, SchemaMismatchError
from ddx.features.encode import FeatureRow
from ddx.features.schema import FeatureSchema
from ddx.inference.bayes import BayesTable
from ddx.inference.session import ModelSession

Vector = NDArray[np.float64]

SCHEMA_HASH_KEY: Final = "schema_hash"
"""Metadata key under which the model carries the hash of the columns it was fitted on."""

BAYES_DIGEST_KEY: Final = "bayes_digest"
"""Metadata key naming the table the trees were boosted from; bundles before 2026.11.3 lack it."""

CORRECTED_KEY: Final = "corrected"
"""Metadata key: how many diseases, the first of the list, the trees correct."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What turns margins into probabilities: the diseases in output order and a temperature.

    temperature: > 0; margins are divided by it before the softmax
    (Guo et al. 2017, "On calibration of modern neural networks", section 4.2).
    """

    diseases: tuple[DiseaseId, ...]
    temperature: float

    def __post_init__(self) -> None:
        if len(set(self.diseases)) != len(self.diseases):
            raise ModelError("calibration names a disease twice")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ModelError(f"temperature {self.temperature} is not a positive number")

    def probabilities(self, margins: Vector) -> Vector:
        """Return softmax(margins / temperature) over the last axis, float64, same shape."""
        scaled = margins / self.temperature
        weights = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        probabilities: Vector = weights / weights.sum(axis=-1, keepdims=True)
        return probabilities

    def to_json(self) -> bytes:
        """Return the bundle member `models/common_calibration.json`."""
        return canonical_json({"diseases": list(self.diseases), "temperature": self.temperature})

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Read that member. Raises ModelError when it is malformed."""
        try:
            member = json.loads(raw)
            return cls(
                diseases=tuple(disease_id(d) for d in member["diseases"]),
                temperature=float(member["temperature"]),
            )
        except (ValueError, KeyError, TypeError, IdentifierError) as error:
            raise ModelError(f"{COMMON_CALIBRATION} cannot be read: {error!r}") from error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CommonAnswer:
    """What the common model says of one case, float64 (n_diseases,) each.

    bayes: margins of the Bayes table alone, 0 without one. probabilities: calibrated, sum 1.
    unasked: the same of this patient, by age and sex, before any finding. shown: margins of the
    table for the findings present and nothing else.
    """

    bayes: Vector
    probabilities: Vector
    unasked: Vector
    shown: Vector


_UNKNOWN: Final = np.float32(np.nan)


class CommonModel:
    """The fitted model of one bundle. bayes: the table the trees correct, None without one."""

    __slots__ = ("_calibration", "_corrected", "_session", "bayes", "schema")

    def __init__(
        self,
        session: ModelSession,
        schema: FeatureSchema,
        calibration: Calibration,
        bayes: BayesTable | None,
    ) -> None:
        """Tie the parts together. bayes: None only for trees that were boosted from nothing.

        Raises:
            SchemaMismatchError: a part was fitted on other columns, diseases or another table.
        """
        if session.metadata.get(SCHEMA_HASH_KEY) != schema.hash:
            raise SchemaMismatchError("common model was fitted on the columns of another schema")
        if session.input_width != len(schema):
            raise SchemaMismatchError(
                f"common model reads {session.input_width} columns, the schema has {len(schema)}"
            )
        if session.output_width != len(calibration.diseases):
            raise SchemaMismatchError(
                f"common model answers {session.output_width} diseases, "
                f"{len(calibration.diseases)} are named"
            )
        _refuse_other_table(session, schema, bayes)
        self._session, self.schema, self._calibration = session, schema, calibration
        self.bayes, self._corrected = bayes, _corrected(session)

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts) -> Self:
        """Load the model of a bundle. Raises ModelError when a member is absent or malformed."""
        session = ModelSession.from_bytes(artifacts.read(COMMON_MODEL))
        boosted = BAYES_DIGEST_KEY in session.metadata
        return cls(
            session,
            FeatureSchema.from_json(artifacts.read(COMMON_SCHEMA)),
            Calibration.from_json(artifacts.read(COMMON_CALIBRATION)),
            BayesTable.from_npz(artifacts.read(COMMON_BAYES)) if boosted else None,
        )

    @property
    def diseases(self) -> tuple[DiseaseId, ...]:
        """Diseases the model tells apart, in output order."""
        return self._calibration.diseases

    def answer(self, row: FeatureRow) -> CommonAnswer:
        """Return what the model says of one case. Raises ModelError."""
        finding = self.schema.holds_finding
        unasked = np.where(finding, _UNKNOWN, row.values)
        shown = np.where(finding & (row.values > 0), row.values, _UNKNOWN)
        rows = np.stack((row.values, unasked, shown))
        trees = self._session.run(rows[:2]).astype(np.float64)
        bayes = (
            np.zeros((3, len(self.diseases))) if self.bayes is None else self.bayes.margins_of(rows)
        )
        probabilities = self._calibrated(bayes[:2], bayes[:2] + trees)
        return CommonAnswer(
            bayes=bayes[0],
            probabilities=probabilities[0],
            unasked=probabilities[1],
            shown=bayes[2],
        )

    def margins(self, row: FeatureRow) -> Vector:
        """Return the log-odds scale score per disease, float64 (n_diseases,). Raises ModelError."""
        only: Vector = self.margins_of(row.values[np.newaxis])[0]
        return only

    def margins_of(self, values: NDArray[np.float32]) -> Vector:
        """Return the margins of many rows at once, float64 (n, n_diseases). Raises ModelError."""
        return self._both(values)[1]

    def probabilities(self, row: FeatureRow) -> Vector:
        """Return calibrated probabilities, float64 (n_diseases,), sum 1. Raises ModelError."""
        only: Vector = self.probabilities_of(row.values[np.newaxis])[0]
        return only

    def probabilities_of(self, values: NDArray[np.float32]) -> Vector:
        """Return calibrated probabilities of many rows, float64 (n, n_diseases)."""
        return self._calibrated(*self._both(values))

    def _calibrated(self, bayes: Vector, margins: Vector) -> Vector:
        return self._calibration.probabilities(anchored(bayes, margins, self._corrected))

    def _both(self, values: NDArray[np.float32]) -> tuple[Vector, Vector]:
        """Return the margins of Bayes alone and of Bayes and trees together."""
        trees = self._session.run(values).astype(np.float64)
        if self.bayes is None:
            return np.zeros_like(trees), trees
        bayes = self.bayes.margins_of(values)
        return bayes, bayes + trees


def anchored(bayes: Vector, margins: Vector, corrected: int) -> Vector:
    """Return margins whose first `corrected` columns weigh together what Bayes says, (n, k).

    A constant is taken from those columns, per row, so that their log-sum-exp is that of `bayes`.
    """
    if corrected == margins.shape[-1]:
        return margins  # all columns shift alike, which no probability sees
    part = slice(0, corrected)
    shifted = margins.copy()
    excess = _log_sum_exp(margins[..., part]) - _log_sum_exp(bayes[..., part])
    shifted[..., part] -= excess[..., np.newaxis]
    return shifted


def _log_sum_exp(margins: Vector) -> Vector:
    top = margins.max(axis=-1)
    total: Vector = top + np.log(np.exp(margins - top[..., np.newaxis]).sum(axis=-1))
    return total


def _refuse_other_table(
    session: ModelSession, schema: FeatureSchema, bayes: BayesTable | None
) -> None:
    named = session.metadata.get(BAYES_DIGEST_KEY)
    if named != (None if bayes is None else bayes.digest):
        raise SchemaMismatchError("trees were boosted from another Bayes table")
    if bayes is None:
        return
    if bayes.schema_hash != schema.hash or len(bayes.first) != len(schema):
        raise SchemaMismatchError("Bayes table was fitted on the columns of another schema")
    if len(bayes.prior) != session.output_width:
        raise SchemaMismatchError("Bayes table and trees know different numbers of diseases")


def _corrected(session: ModelSession) -> int:
    """Return how many diseases the trees correct. Raises ModelError."""
    written = session.metadata.get(CORRECTED_KEY, str(session.output_width))
    if not written.isdecimal() or not 0 < int(written) <= session.output_width:
        raise ModelError(f"common model corrects {written!r} of {session.output_width} diseases")
    return int(written)
