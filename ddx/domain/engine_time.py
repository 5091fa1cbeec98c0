"""How long an engine took, in the same steps wherever it runs."""

from bisect import bisect_left
from typing import Final

TENTHS_S: Final = tuple(round(0.002 * 1.1**n, 6) for n in range(80))
"""2 ms to 3.7 s, each a tenth above the one before: by so much a new model may be slower
(docs/pccp.yaml, rollout), and a rollout compares at bounds that stand exactly so far apart."""

SLOWEST_S: Final = round(0.002 * 1.1**80, 6)
"""Whatever took longer than the last step."""


def step_of(seconds: float) -> float:
    """Return the first step that `seconds` keep, `SLOWEST_S` where there is none."""
    place = bisect_left(TENTHS_S, seconds)
    return TENTHS_S[place] if place < len(TENTHS_S) else SLOWEST_S
