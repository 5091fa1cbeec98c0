"""How much an answer is expected to tell: entropies, in bits, before and after.

The gain of a question is its expected information (Lindley 1956, "On a measure of the information
provided by an experiment"), computed on the weighted entropy -sum w p log2 p (Guiasu 1971,
"Weighted entropy"), where w is the harm of missing a disease. With all weights 1 it is the mutual
information between answer and disease. It is never negative as long as the answers follow
the probabilities they are weighed by.
"""

from dataclasses import dataclass
from typing import Final, Self

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnAnswers:
    """Answers drawn for one question with many possible ones, each distinct answer held once.

    answers: float64 (n_answers, n_values), 0 or 1. at: intp (n_diseases, n_samples), the answer
    drawn. odds: float64 (n_diseases, n_values), log(P(value) / P(not value)). none: float64
    (n_diseases,), log probability that no value is given.
    """

    answers: Floats
    at: NDArray[np.intp]
    odds: Floats
    none: Floats

    @classmethod
    def of(cls, drawn: NDArray[np.bool_], frequency: Floats) -> Self:
        """Return what was drawn, (n_diseases, n_samples, n_values), from `frequency`.

        frequency: (n_diseases, n_values), P(value | disease). The values count as independent
        given the disease.
        """
        diseases, samples, values = drawn.shape
        # Rows as bytes: they sort as the rows do, and other threads go on meanwhile.
        packed = np.packbits(drawn.reshape(-1, values), axis=1)
        keys, at = np.unique(packed.view(f"S{packed.shape[1]}").ravel(), return_inverse=True)
        bits = keys.view(np.uint8).reshape(len(keys), -1)
        answers = np.unpackbits(bits, axis=1, count=values)
        f = np.ascontiguousarray(np.clip(frequency, SMALLEST, 1.0 - SMALLEST))
        absent = np.log1p(-f)
        return cls(
            answers=answers.astype(np.float64),
            at=at.reshape(diseases, samples).astype(np.intp),
            odds=np.log(f) - absent,
            none=absent.sum(axis=1),
        )


def sampled_gain(p: Floats, weights: Floats, drawn: DrawnAnswers) -> Floats:
    """Return the expected gain, in bits, of one question with many possible answers.

    weights: (n_weights, n_diseases), several ways to weigh the same; the gain by each is returned,
    (n_weights,). Values that go together make it an upper estimate: they count as independent.
    """
    kept = np.flatnonzero(p >= WORTH_SAMPLING)
    if len(kept) < 2:
        return np.zeros(len(weights))
    share, harm = p[kept] / p[kept].sum(), weights[:, kept]
    given, at = _distinct(drawn.at[kept], len(drawn.answers))
    likelihood = _in_parts(drawn.answers[given], drawn.odds[kept]) + drawn.none[kept]
    after = softmax(np.log(share) + likelihood)
    certain = log2(after)
    left = [-np.sum(w * after * certain, axis=-1)[at].mean(axis=1) for w in harm]
    gains = [float(entropy(share, w) - share @ e) for w, e in zip(harm, left, strict=True)]
    return np.maximum(gains, 0.0)


def _distinct(numbers: NDArray[np.intp], count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the distinct of `numbers`, ascending, and where each of them is there, same shape.

    count: numbers are 0..count - 1.
    """
    met = np.zeros(count, dtype=bool)
    met[numbers] = True
    return np.flatnonzero(met), (np.cumsum(met) - 1)[numbers]


_PART: Final = 16
"""Answers multiplied at once: BLAS rounds by the shape of a product, and every figure on record
was made in parts of this many."""


def _in_parts(answers: Floats, odds: Floats) -> Floats:
    """Return answers @ odds.T, (n_answers, n_diseases)."""
    count, values = answers.shape
    parts = np.zeros((-(-count // _PART), _PART, values))
    parts.reshape(-1, values)[:count] = answers
    return (parts @ odds.T).reshape(-1, len(odds))[:count]


def softmax(scores: Floats) -> Floats:
    """Return exp(scores) normalised over the last axis."""
    shifted: Floats = scores - scores.max(axis=-1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=-1, keepdims=True)
    return shifted
