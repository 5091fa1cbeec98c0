"""Clinics' own visits with a label, on their way into a fit.

A clinic asks what it suspects. Counted into the Bayes table as if everybody had been asked, its
answers would inflate every finding; so recorded visits move the prior, which they know better
than a synthetic set does, and are rows of the trees, which see what was asked and what was not.
"""

from dataclasses import dataclass, replace
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.features.encode import CaseTable, KindOf, encode_table
from ddx.features.schema import FeatureSchema
from training.fit.sample import Indices, Rows

PRIOR_CASES: Final = 2000.0
"""Visits the prior of the historical set is worth beside recorded ones. Estimate: half of what a
retraining brings, so that two periods outweigh a prior nobody counted in a clinic."""


class Labelled(Protocol):
    """Cases with their diseases, as `training.lake.gold.GoldCases` gives them."""

    def __len__(self) -> int:
        """How many."""

    @property
    def labels(self) -> tuple[DiseaseId | None, ...]:
        """The disease of each, None without a label."""

    def case_table(self, findings: tuple[FindingId, ...]) -> CaseTable:
        """Return the cases with the presence of each of `findings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Visits as they were asked. truth: int64 (n,), number of the disease in the model's list.

    left_out: visits whose disease the model does not know.
    """

    table: CaseTable
    truth: Indices
    left_out: int = 0

    @classmethod
    def of(
        cls,
        cases: Labelled,
        findings: tuple[FindingId, ...],
        diseases: tuple[DiseaseId, ...],
    ) -> Self:
        """Return the visits of diseases in `diseases`, asked about `findings`."""
        number = {disease: i for i, disease in enumerate(diseases)}
        truth = np.array(
            [-1 if label is None else number.get(label, -1) for label in cases.labels],
            dtype=np.int64,
        )
        known = np.flatnonzero(truth >= 0)
        whole = cls(table=cases.case_table(findings), truth=truth)
        return replace(whole.take(known), left_out=len(truth) - len(known))

    def take(self, rows: Indices) -> Self:
        """Return the visits at `rows`."""
        table = replace(
            self.table,
            age_days=self.table.age_days[rows],
            female=self.table.female[rows],
            presence=self.table.presence[rows],
            grade=self.table.grade[rows],
        )
        return replace(self, table=table, truth=self.truth[rows])

    def rows(self, schema: FeatureSchema, ontology: KindOf | None) -> Rows:
        """Return float32 (n, n_columns), nan where nobody asked."""
        return encode_table(self.table, schema, ontology)

    def moved(self, prior: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return `prior` with these visits added to the PRIOR_CASES it is worth; sums to 1.

        The posterior mean of a Dirichlet prior (Gelman et al. 2013, Bayesian data analysis, 3.4).
        """
        counts = PRIOR_CASES * prior + np.bincount(self.truth, minlength=len(prior))
        moved: NDArray[np.float64] = counts / counts.sum()
        return moved
