"""Probabilities as people read them: a band, and how many in ten or in a hundred.

Natural frequencies are understood better than percentages, and a decimal promises a precision
no calibration has. Source: Gigerenzer and Hoffrage, Psychological Review 1995, 102:684.
"""

from dataclasses import dataclass

from ddx.domain.differential import Band

BAND_STEPS = {Band.VERY_LIKELY: 4, Band.LIKELY: 3, Band.POSSIBLE: 2, Band.UNLIKELY: 1}
"""How many of the four segments of the bar are filled."""


@dataclass(frozen=True, slots=True)
class Frequency:
    """`count` in `of`; `bound` is -1 for "fewer than", +1 for "more than", 0 for "about"."""

    count: int
    of: int
    bound: int = 0


def natural_frequency(probability: float) -> Frequency:
    """Return a probability (0..1) as a count in ten, or in a hundred near the ends.

    Raises:
        ValueError: not a probability.
    """
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"not a probability: {probability}")
    if probability < 0.01:
        return Frequency(1, 100, -1)
    if probability > 0.99:
        return Frequency(99, 100, 1)
    if 0.095 <= probability <= 0.905:
        return Frequency(round(probability * 10), 10)
    return Frequency(round(probability * 100), 100)
