"""How well a score tells two groups apart, and what a fitted regression or one symptom would do."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from training.evaluate.common import SEED, Estimate
from training.fit.bayes import AGE_EDGES

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]

RESAMPLES: Final = 1000
FOLDS: Final = 10


def auc(scores: Scores, positive: Labels) -> float:
    """Return P(score of a positive > score of a negative), ties counting half; nan without both.

    Source: Hanley & McNeil 1982, Radiology 143:29.
    """
    _, place = np.unique(scores, return_inverse=True)
    return _auc_of_places(place, positive)


def auc_estimate(scores: Scores, positive: Labels, resamples: int = RESAMPLES) -> Estimate:
    """Return the area with the 95 % interval of a percentile bootstrap over patients."""
    rng = np.random.default_rng(SEED)
    _, place = np.unique(scores, return_inverse=True)
    drawn = (rng.integers(0, len(place), len(place)) for _ in range(resamples))
    areas = [_auc_of_places(place[i], positive[i]) for i in drawn]
    low, high = np.nanpercentile(areas, [2.5, 97.5])
    return Estimate(_auc_of_places(place, positive), float(low), float(high))


def _auc_of_places(place: NDArray[np.int64], positive: Labels) -> float:
    n = int(place.max()) + 1
    yes, no = np.bincount(place[positive], minlength=n), np.bincount(place[~positive], minlength=n)
    pairs = int(yes.sum()) * int(no.sum())
    below = np.cumsum(no) - no
    return float((yes * (below + no / 2.0)).sum() / pairs) if pairs else float("nan")


@dataclass(frozen=True, slots=True)
class SingleBest:
    """The one column that tells most, picked on the very patients it is measured on.

    column: its number. present_speaks_for: whether having it makes the disease more likely.
    """

    column: int
    present_speaks_for: bool
    area: Estimate


def single_best(values: NDArray[np.float32], positive: Labels) -> SingleBest:
    """Return the best of the columns. values: (n, n_columns), 1, 0 or nan, nan in between."""
    states = np.where(np.isnan(values), 0.5, values).astype(np.float64)
    areas = np.array([auc(column, positive) for column in states.T])
    column = int(np.argmax(np.abs(areas - 0.5)))
    speaks_for = bool(areas[column] >= 0.5)
    signed = states[:, column] if speaks_for else -states[:, column]
    return SingleBest(column, speaks_for, auc_estimate(signed, positive))


def regression_inputs(
    findings: NDArray[np.float32], age_years: Scores, female: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return what the regression reads, 0 or 1: each state of each finding, age bands, sex.

    findings: (n, n_findings), 1, 0 or nan. Columns that are the same for everybody are left out.
    """
    bands = np.digitize(age_years, AGE_EDGES)[:, np.newaxis] == np.arange(len(AGE_EDGES) + 1)
    columns = (findings == 1, findings == 0, bands, (female == 1)[:, np.newaxis])
    inputs = np.hstack(columns).astype(np.float64)
    return inputs[:, inputs.std(axis=0) > 0]


def cross_validated(inputs: NDArray[np.float64], positive: Labels, folds: int = FOLDS) -> Scores:
    """Return the log-odds a ridge-penalised regression gives each patient it was not fitted on.

    Stratified folds, penalty 1 on inputs of unit variance; nothing is searched.
    """
    scores = np.zeros(len(positive))
    scaled = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    splits = StratifiedKFold(folds, shuffle=True, random_state=SEED)
    for train, test in splits.split(scaled, positive):
        fitted = LogisticRegression(C=1.0, max_iter=2000).fit(scaled[train], positive[train])
        scores[test] = fitted.decision_function(scaled[test])
    return scores
