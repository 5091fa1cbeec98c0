"""How good a differential is: top-n, macro F1, recall of severe disease, calibration.

Every figure comes with the 95 % interval of a percentile bootstrap over patients
(Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 500
BINS = 15
"""Equal-width bins of the expected calibration error (Guo et al. 2017, section 2)."""
SEVERE = (1, 2)
"""Severity grades whose recall is a release gate: 1 is the most severe of 5."""
SEED = 20_261


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"

    def to_json(self) -> dict[str, float]:
        """Return the estimate as the model card writes it."""
        return {"value": self.value, "low": self.low, "high": self.high}


Figure = Callable[[NDArray[np.int64]], float]
"""A figure of the patients at these indices."""


def evaluate(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    severity: NDArray[np.int64],
    *,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Return top1, top3, top10, macro_f1, severe_recall and ece.

    probabilities: (n, n_diseases). truth: (n,), column of the true disease.
    severity: (n_diseases,), 1..5. severe_recall is left out when no patient has a severe disease.
    """
    own = np.take_along_axis(probabilities, truth[:, np.newaxis], axis=1)
    rank = (probabilities > own).sum(axis=1)
    said = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    right = said == truth
    severe = np.isin(severity, SEVERE)[truth]
    figures: dict[str, Figure] = {
        "top1": lambda i: float((rank[i] < 1).mean()),
        "top3": lambda i: float((rank[i] < 3).mean()),
        "top10": lambda i: float((rank[i] < 10).mean()),
        "macro_f1": lambda i: macro_f1(said[i], truth[i], probabilities.shape[1]),
        "ece": lambda i: calibration_error(confidence[i], right[i]),
    }
    if severe.any():
        figures["severe_recall"] = lambda i: mean(right[i][severe[i]])
    return bootstrapped(figures, len(truth), resamples)


def bootstrapped(figures: dict[str, Figure], n: int, resamples: int) -> dict[str, Estimate]:
    """Return each figure of n patients with its interval; all see the same resamples."""
    rng = np.random.default_rng(SEED)
    samples = [rng.integers(0, n, n) for _ in range(resamples)]
    everyone = np.arange(n)
    return {
        name: Estimate(
            figure(everyone), *np.nanpercentile([figure(s) for s in samples], [2.5, 97.5])
        )
        for name, figure in figures.items()
    }


def mean(values: NDArray[np.bool_]) -> float:
    """Return the share of True; nan, which the interval skips, for a resample without any."""
    return float(values.mean()) if values.size else float("nan")


def macro_f1(said: NDArray[np.int64], truth: NDArray[np.int64], n_diseases: int) -> float:
    """Return the mean F1 over the diseases that occur in `truth`.

    Saying a disease that nobody in the sample has costs the recall of the one missed; it has no
    F1 of its own here.
    """
    counts = np.bincount(truth * n_diseases + said, minlength=n_diseases**2)
    confusion = counts.reshape(n_diseases, n_diseases)
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    f1 = 2.0 * np.diag(confusion) / np.maximum(both, 1)
    return float(f1[confusion.sum(axis=1) > 0].mean())


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error of the first-ranked disease, 0..1."""
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, confidence - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))
