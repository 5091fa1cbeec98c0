"""The common-disease model: one row in, a margin and a calibrated probability per disease out."""

import json
import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import COMMON_CALIBRATION, COMMON_MODEL, COMMON_SCHEMA, Artifacts
from ddx.domain.canonical import canonical_json
from ddx.domain.identifiers import DiseaseId, disease_id
from ddx.errors import IdentifierError, ModelError, SchemaMismatchError
from ddx.features.encode import FeatureRow
from ddx.features.schema import FeatureSchema
from ddx.inference.session import ModelSession

Vector = NDArray[np.float64]

SCHEMA_HASH_KEY: Final = "schema_hash"
"""Metadata key under which the model carries the hash of the columns it was fitted on."""


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


class CommonModel:
    """The fitted model of one bundle. diseases: in the order of margins and probabilities."""

    __slots__ = ("_calibration", "_session", "schema")

    def __init__(
        self, session: ModelSession, schema: FeatureSchema, calibration: Calibration
    ) -> None:
        """Tie the three together.

        Raises:
            SchemaMismatchError: the model was fitted on other columns or other diseases.
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
        self._session, self.schema, self._calibration = session, schema, calibration

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts) -> Self:
        """Load the model of a bundle. Raises ModelError when a member is absent or malformed."""
        return cls(
            ModelSession.from_bytes(artifacts.read(COMMON_MODEL)),
            FeatureSchema.from_json(artifacts.read(COMMON_SCHEMA)),
            Calibration.from_json(artifacts.read(COMMON_CALIBRATION)),
        )

    @property
    def diseases(self) -> tuple[DiseaseId, ...]:
        """Diseases the model tells apart, in output order."""
        return self._calibration.diseases

    def margins(self, row: FeatureRow) -> Vector:
        """Return the log-odds scale score per disease, float64 (n_diseases,). Raises ModelError."""
        only: Vector = self.margins_of(row.values[np.newaxis])[0]
        return only

    def margins_of(self, values: NDArray[np.float32]) -> Vector:
        """Return the margins of many rows at once, float64 (n, n_diseases). Raises ModelError."""
        return self._session.run(values).astype(np.float64)

    def probabilities(self, row: FeatureRow) -> Vector:
        """Return calibrated probabilities, float64 (n_diseases,), sum 1. Raises ModelError."""
        return self._calibration.probabilities(self.margins(row))

    def probabilities_of(self, values: NDArray[np.float32]) -> Vector:
        """Return calibrated probabilities of many rows, float64 (n, n_diseases)."""
        return self._calibration.probabilities(self.margins_of(values))
