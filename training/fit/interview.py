"""Short interviews for training: a complaint, then questions about what the suspects show.

A stand-in for `ddx.inquiry` that can ask ten thousand patients a second. The suspects are drawn
from what Bayes makes of the opening complaint; each question is one that a suspect's patients
tend to answer with yes, and it is answered in full from the record.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.features.schema import FeatureSchema
from ddx.inference.bayes import BayesTable
from training.fit.partial import Budget
from training.fit.sample import Rows, Sample

MOST_QUESTIONS: Final = 20
_ANYTHING: Final = 0.002
"""Added to the frequency of every finding, so that no question is never asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """What an interview needs to know.

    bayes: turns the opening into suspects. frequency: float64 (n_diseases, n_columns), nan or 0
    for columns nobody is asked about. question: int64 (n_columns,), columns of one question share
    a number.
    """

    bayes: BayesTable
    frequency: NDArray[np.float64]
    question: NDArray[np.int64]

    def hold(
        self,
        patients: Sample,
        schema: FeatureSchema,
        rng: np.random.Generator,
        *,
        most: int = MOST_QUESTIONS,
    ) -> Rows:
        """Return float32 (n, n_columns): an opening and an even 0..most questions, age and sex."""
        n = len(patients.truth)
        budget = Budget.fixed(n, present=1)
        rows = patients.partly_asked(schema, budget, patients.rates(), rng)
        record = patients.fully_asked(schema)
        asked_of = np.repeat(np.arange(n), rng.integers(0, most + 1, n))
        suspects = self._suspects(rows, asked_of, rng)
        columns = self._columns(suspects, rng)
        answered = np.zeros((n, int(self.question.max()) + 1), dtype=bool)
        answered[asked_of, self.question[columns]] = True
        return np.where(answered[:, self.question], record, rows)

    def _suspects(
        self, rows: Rows, asked_of: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return a disease per question, drawn as probable as it is after the opening."""
        margins = self.bayes.margins_of(rows)
        weights = np.exp(margins - margins.max(axis=1, keepdims=True))
        upto = np.cumsum(weights, axis=1)
        drawn = rng.random(len(asked_of)) * upto[asked_of, -1]
        suspects: NDArray[np.int64] = (upto[asked_of] < drawn[:, np.newaxis]).sum(axis=1)
        return suspects

    def _columns(self, suspects: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Return a column per question, as often as the suspect's patients show it."""
        chance = np.where(np.isnan(self.frequency), 0.0, self.frequency + _ANYTHING)
        upto = np.cumsum(chance, axis=1)
        columns = np.empty(len(suspects), dtype=np.int64)
        for disease in np.unique(suspects):
            at = np.flatnonzero(suspects == disease)
            drawn = rng.random(len(at)) * upto[disease, -1]
            columns[at] = np.searchsorted(upto[disease], drawn, side="right")
        drawn_at: NDArray[np.int64] = np.minimum(columns, upto.shape[1] - 1)
        return drawn_at
