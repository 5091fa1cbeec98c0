"""Naive Bayes from training counts: the plain peer every figure stands beside.

Findings count as independent given the disease; age enters as a band, together with sex. What a
row does not know adds nothing, so any part of the evidence can be scored.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.features.schema import ColumnKind, FeatureSchema
from ddx.inquiry.gain import softmax

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
Indices = NDArray[np.int64]

AGE_BANDS: Final = (1, 5, 15, 30, 45, 60, 75)
"""Years at which a new band begins: the age classes DDXPlus itself draws from."""

RAREST: Final = 5e-4
"""Least probability of a finding: one slip of the record in two thousand (estimate)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveBayes:
    """Counts of one set of patients.

    frequency: (n_diseases, n_columns), P(present | disease) within RAREST .. 1 - RAREST; nan for
    age and sex. demography: (n_diseases, n_bands, 2), log P(disease, band, sex male/female).
    prior: (n_diseases,), log P(disease).
    """

    schema: FeatureSchema
    frequency: Floats
    demography: Floats
    prior: Floats

    @classmethod
    def fitted(
        cls, rows: Rows, truth: Indices, schema: FeatureSchema, n_diseases: int
    ) -> "NaiveBayes":
        """Return the counts of fully asked patients, half a patient added to every cell.

        rows: float32 (n, n_columns), nothing unknown. truth: (n,), 0 .. n_diseases - 1.
        """
        patients = np.bincount(truth, minlength=n_diseases).astype(np.float64)
        seen = np.zeros((n_diseases, rows.shape[1]))
        for disease in range(n_diseases):
            seen[disease] = (rows[truth == disease] > 0).sum(axis=0)
        share = (seen + 0.5) / (patients[:, np.newaxis] + 1.0)
        age, sex = demography_columns(schema)
        cells = np.full((n_diseases, len(AGE_BANDS) + 1, 2), 0.5)
        np.add.at(cells, (truth, _band(rows[:, age]), rows[:, sex].astype(int)), 1.0)
        frequency = np.clip(share, RAREST, 1.0 - RAREST)
        frequency[:, [age, sex]] = np.nan
        return cls(
            schema=schema,
            frequency=frequency,
            demography=np.log(cells / cells.sum()),
            prior=np.log((patients + 0.5) / (patients + 0.5).sum()),
        )

    def log_scores(self, rows: Rows) -> Floats:
        """Return log P(disease, what the row knows), float64 (n, n_diseases)."""
        columns = list(self.schema.positions.values())
        known, log_present = rows[:, columns], np.log(self.frequency[:, columns])
        log_absent = np.log1p(-self.frequency[:, columns])
        scores: Floats = (
            (known > 0).astype(np.float64) @ log_present.T
            + (known == 0).astype(np.float64) @ log_absent.T
            + self.of_demography(rows)
        )
        return scores

    def of_demography(self, rows: Rows) -> Floats:
        """Return log P(disease, age and sex) as far as they are known, (n, n_diseases)."""
        age, sex = demography_columns(self.schema)
        bands, sexes = np.nan_to_num(rows[:, age]), np.nan_to_num(rows[:, sex]).astype(int)
        both = self.demography[:, _band(bands), sexes].T
        known = ~np.isnan(rows[:, age]) & ~np.isnan(rows[:, sex])
        return np.where(known[:, np.newaxis], both, self.prior)

    def probabilities_of(self, rows: Rows) -> Floats:
        """Return P(disease | what the row knows), float64 (n, n_diseases)."""
        return softmax(self.log_scores(rows))


def _band(years: NDArray[np.floating]) -> NDArray[np.int64]:
    band: NDArray[np.int64] = np.digitize(years, AGE_BANDS)
    return band


def demography_columns(schema: FeatureSchema) -> tuple[int, int]:
    """Return the positions of age and sex."""
    kinds = [column.kind for column in schema.columns]
    return kinds.index(ColumnKind.AGE_YEARS), kinds.index(ColumnKind.SEX_FEMALE)
