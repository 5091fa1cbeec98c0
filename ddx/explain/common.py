"""Why the common model scores a disease as it does: one additive weight per column."""

from math import isnan
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import COMMON_BAYES, COMMON_CALIBRATION, COMMON_TREES, Artifacts
from ddx.domain.differential import World
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.errors import SchemaMismatchError, UnknownDiseaseError
from ddx.explain.trees import Forest, LeafPaths, leaf_paths
from ddx.features.encode import FeatureRow
from ddx.features.schema import FeatureSchema
from ddx.inference.bayes import BayesTable
from ddx.inference.common import Calibration

TYPICAL_FREQUENCY: Final = 0.30
"""From here on a finding counts as typical: lower bound of HPO's "Frequent" (HP:0040282)."""


class CommonExplainer:
    """Bayes ratios plus TreeSHAP, column by column.

    The paths of a disease's trees are built when first asked for.
    """

    __slots__ = ("_bayes", "_forest", "_output", "_paths", "_schema")

    def __init__(
        self,
        forest: Forest,
        diseases: tuple[DiseaseId, ...],
        schema: FeatureSchema,
        bayes: BayesTable | None,
    ) -> None:
        """Tie trees, table, outputs and columns together. Raises SchemaMismatchError."""
        if forest.bayes_digest != (None if bayes is None else bayes.digest):
            raise SchemaMismatchError("trees were boosted from another Bayes table")
        if forest.schema_hash != schema.hash:
            raise SchemaMismatchError("trees were grown on the columns of another schema")
        if len(forest.base) != len(diseases):
            raise SchemaMismatchError(f"{len(forest.base)} outputs, {len(diseases)} diseases")
        if forest.frequency.shape[1] != len(schema):
            raise SchemaMismatchError("trees were grown on another number of columns")
        self._forest, self._schema, self._bayes = forest, schema, bayes
        self._output = {disease: i for i, disease in enumerate(diseases)}
        self._paths: dict[DiseaseId, LeafPaths] = {}

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts, schema: FeatureSchema) -> Self:
        """Load what a bundle explains with. Raises ModelError: a member is absent or malformed."""
        forest = Forest.from_npz(artifacts.read(COMMON_TREES))
        boosted = forest.bayes_digest is not None
        return cls(
            forest,
            Calibration.from_json(artifacts.read(COMMON_CALIBRATION)).diseases,
            schema,
            BayesTable.from_npz(artifacts.read(COMMON_BAYES)) if boosted else None,
        )

    def __contains__(self, disease: object) -> bool:
        return disease in self._output

    def explain(self, row: FeatureRow, disease: DiseaseId) -> Explanation:
        """Return every column that moved the margin of `disease`, strongest first.

        Raises:
            UnknownDiseaseError: the common model does not know `disease`.
        """
        base, weights = self.contributions(row, disease)
        frequency = self._forest.stated_frequency(self._output[disease])
        order = np.argsort(-np.abs(weights), kind="stable")
        return Explanation(
            disease=disease,
            world=World.COMMON,
            base=base,
            margin=base + float(weights.sum()),
            contributions=self._told(row, order[weights[order] != 0.0], weights, frequency),
            expected=self._expected(row, frequency),
        )

    def _told(
        self,
        row: FeatureRow,
        columns: NDArray[np.intp],
        weights: NDArray[np.float64],
        frequency: NDArray[np.float32],
    ) -> tuple[Contribution, ...]:
        """Return the contributions of `columns`, in that order."""
        subjects, of_finding = self._schema.subjects, self._schema.positions
        told = zip(
            (subjects[column] for column in columns.tolist()),
            row.values[columns].tolist(),
            weights[columns].tolist(),
            frequency[columns].tolist(),
            strict=True,
        )
        return tuple(
            Contribution(
                subject=subject,
                presence=_presence(value, ruled_out=value == 0.0 and subject in of_finding),
                weight=weight,
                frequency=None if isnan(share) else share,
            )
            for subject, value, weight, share in told
        )

    def _expected(self, row: FeatureRow, frequency: NDArray[np.float32]) -> tuple[FindingId, ...]:
        """Return the typical findings nobody asked about, most frequent first."""
        typical = np.flatnonzero((frequency >= TYPICAL_FREQUENCY) & ~row.asked)
        falling = typical[np.argsort(-frequency[typical], kind="stable")]
        columns = (self._schema.columns[i].finding for i in falling.tolist())
        return tuple(finding for finding in columns if finding is not None)

    def contributions(
        self, row: FeatureRow, disease: DiseaseId
    ) -> tuple[float, NDArray[np.float64]]:
        """Return (base, weights): float64 (n_columns,), base + sum(weights) = margin (1e-4).

        base: log prior plus what the trees give the average training row. Only trees weigh
        columns nobody asked about.

        Raises:
            UnknownDiseaseError: the common model does not know `disease`.
        """
        paths = self._paths_of(disease)
        trees = paths.contributions(row.values)
        if self._bayes is None:
            return paths.base, trees
        output = self._output[disease]
        base = float(self._bayes.prior[output]) + paths.base
        return base, self._bayes.contributions(row.values, output) + trees

    def _paths_of(self, disease: DiseaseId) -> LeafPaths:
        if disease not in self._output:
            raise UnknownDiseaseError(disease)
        if disease not in self._paths:
            self._paths[disease] = leaf_paths(self._forest, self._output[disease])
        return self._paths[disease]


def _presence(value: float, *, ruled_out: bool) -> Presence:
    """Return the state of a column by its value; age and sex are PRESENT when known.

    ruled_out: whether the column holds a finding and the value says no.
    """
    if isnan(value):
        return Presence.UNKNOWN
    return Presence.EXCLUDED if ruled_out else Presence.PRESENT
