"""What the inquirer believes before it asks: the common model and naive Bayes, pooled.

The trees were fitted on findings masked at random. Questions chosen for what they tell leave other
rows, mostly answered with no, and there trees alone grow sure without being right; a search for
the question that makes them surest picks just those. Naive Bayes is blunter and sound on such
rows. The pool is the weighted geometric mean of both (logarithmic opinion pool; Genest & Zidek
1986, Statistical Science 1:114).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.features.encode import FeatureRow
from ddx.inference.common import CommonAnswer, CommonModel
from ddx.inquiry.bank import QuestionBank
from ddx.inquiry.gain import SMALLEST, Floats, softmax

COUNTS_WEIGHT: Final = 0.5
"""Weight of naive Bayes in the pool: the middle. On 800 calibration patients, pooled top-1 after
ten questions was 0.983, 0.981 and 0.985 at 0.3, 0.5 and 1.0: within each other's noise."""

RAREST: Final = 1e-3
"""Least probability of a finding in a disease; the bundle's table is rounded to as much."""


class Belief:
    """Pooled probabilities of the diseases of one bundle's common model."""

    def __init__(self, common: CommonModel, bank: QuestionBank) -> None:
        self._common = common
        self._columns = np.array(list(common.schema.positions.values()))
        present = np.clip(bank.frequency[:, self._columns], RAREST, 1.0 - RAREST)
        self._log_present, self._log_absent = np.log(present).T, np.log1p(-present).T

    def probabilities(self, row: FeatureRow, common: CommonAnswer | None = None) -> Floats:
        """Return P(disease | case), float64 (n_diseases,), sum 1. Raises ModelError.

        common: what the common model says of the row, when it was asked before.
        """
        values = row.values[np.newaxis]
        if common is None:
            only: Floats = self.probabilities_of(values)[0]
        else:
            only = self._pooled(values, common.probabilities, common.unasked)[0]
        return only

    def probabilities_of(self, values: NDArray[np.float32]) -> Floats:
        """Return the same for many rows at once, float64 (n, n_diseases). Raises ModelError."""
        unasked = values.copy()
        unasked[:, self._columns] = np.nan
        ask = self._common.probabilities_of
        return self._pooled(values, ask(values), ask(unasked))

    def _pooled(self, values: NDArray[np.float32], common: Floats, unasked: Floats) -> Floats:
        """Return the pool of the common model and of counts that start from its `unasked`."""
        log_common = np.log(np.maximum(common, SMALLEST))
        log_prior = np.log(np.maximum(unasked, SMALLEST))
        by_counts = np.log(np.maximum(softmax(log_prior + self._evidence(values)), SMALLEST))
        return softmax((1.0 - COUNTS_WEIGHT) * log_common + COUNTS_WEIGHT * by_counts)

    def _evidence(self, values: NDArray[np.float32]) -> Floats:
        """Return log P(findings | disease), counting findings as independent."""
        known = values[:, self._columns]
        present, absent = (known > 0).astype(np.float64), (known == 0).astype(np.float64)
        evidence: Floats = present @ self._log_present + absent @ self._log_absent
        return evidence
