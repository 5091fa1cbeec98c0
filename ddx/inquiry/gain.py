"""How much an answer is expected to tell: entropies, in bits, before and after.

The gain of a question is its expected information (Lindley 1956, "On a measure of the information
provided by an experiment"), computed on the weighted entropy -sum w p log2 p (Guiasu 1971,
"Weighted entropy"), where w is the harm of missing a disease. With all weights 1 it is the mutual
information between answer and disease. It is never negative as long as the answers follow
the probabilities they are weighed by.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST: Final = 1e-12
"""Stands in for zero inside a logarithm: adds nothing that shows in the sums."""

WORTH_SAMPLING: Final = 0.004
"""Diseases less probable than this draw no answers of their own: they could move the expectation
by less than 0.02 bits each. A shortcut for speed."""


def log2(values: Floats) -> Floats:
    """Return log2 with zero taken as SMALLEST, same shape."""
    result: Floats = np.log2(np.maximum(values, SMALLEST))
    return result


def entropy(p: Floats, weights: Floats) -> Floats:
    """Return -sum(weights * p * log2 p) over the last axis, in bits."""
    total: Floats = -np.sum(weights * p * log2(p), axis=-1)
    return total


def certainty(frequency: Floats) -> Floats:
    """Return f log2 f + (1 - f) log2 (1 - f), same shape: what `yes_no_gain` needs of a table."""
    absent = 1.0 - frequency
    total: Floats = frequency * log2(frequency) + absent * log2(absent)
    return total


def yes_no_gain(p: Floats, weights: Floats, frequency: Floats, certain: Floats) -> Floats:
    """Return the expected gain of each yes/no question, in bits, float64 (n_questions,).

    p: (n_diseases,), or (n, n_diseases) of many cases for gains (n, n_questions).
    weights: (n_diseases,). frequency: (n_diseases, n_questions), P(yes | disease).
    certain: `certainty(frequency)`. Findings count as independent given the disease.
    """
    weighted = weights * p
    yes, weighted_yes = p @ frequency, weighted @ frequency
    total: Floats = (
        weighted @ certain
        - weighted_yes * log2(yes)
        - (weighted.sum(axis=-1, keepdims=True) - weighted_yes) * log2(1.0 - yes)
    )
    return total


def sampled_gain(p: Floats, weights: Floats, answers: Floats, frequency: Floats) -> float:
    """Return the expected gain, in bits, of one question with many possible answers.

    answers: 0 or 1, (n_diseases, n_samples, n_values), drawn from `frequency`.
    frequency: (n_diseases, n_values), P(value | disease). The values count as independent given
    the disease, so the figure is an upper estimate where they go together.
    """
    kept = np.flatnonzero(p >= WORTH_SAMPLING)
    if len(kept) < 2:
        return 0.0
    share = p[kept] / p[kept].sum()
    f = np.clip(frequency[kept], SMALLEST, 1.0 - SMALLEST)
    absent = np.log1p(-f)
    likelihood = answers[kept] @ (np.log(f) - absent).T + absent.sum(axis=1)
    after = softmax(np.log(share) + likelihood)
    expected = share @ entropy(after, weights[kept]).mean(axis=1)
    return max(float(entropy(share, weights[kept]) - expected), 0.0)


def softmax(scores: Floats) -> Floats:
    """Return exp(scores) normalised over the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return result
