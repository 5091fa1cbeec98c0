"""When to stop asking: nothing is left, nothing would change the list, or the list is settled."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from ddx.domain.differential import Differential
from ddx.inquiry.inquirer import Question

SETTLED_PROBABILITY: Final = 0.99
"""Calibrated probability of the first disease from which the list counts as settled. Chosen on
calibration patients (`training.evaluate.interview`), as the next two."""

DANGEROUS_SEVERITY: Final = 2
"""Severity up to which a disease must not be left open (1 is the most severe)."""

OPEN_PROBABILITY: Final = 0.005
"""A dangerous disease at least this probable keeps the interview going."""

LEAST_GAIN_BITS: Final = 0.002
"""Expected gain of the best question under which no answer is worth the patient's time."""


class StopReason(StrEnum):
    """Why no further question is proposed."""

    NOTHING_LEFT = "nothing_left"
    SETTLED = "settled"
    LITTLE_TO_GAIN = "little_to_gain"


def reason_to_stop(differential: Differential, questions: Sequence[Question]) -> StopReason | None:
    """Return why to stop asking, or None to go on with `questions`, best first.

    The list is settled when the first disease is probable enough and no dangerous disease beside
    it is still open; red flags are none of its business and stay on the screen.
    """
    if not questions:
        return StopReason.NOTHING_LEFT
    if _settled(differential):
        return StopReason.SETTLED
    if max(question.gain_bits for question in questions) < LEAST_GAIN_BITS:
        return StopReason.LITTLE_TO_GAIN
    return None


def _settled(differential: Differential) -> bool:
    if not differential.candidates:
        return False
    first, *others = differential.candidates
    return first.probability >= SETTLED_PROBABILITY and not any(
        other.severity is not None
        and other.severity <= DANGEROUS_SEVERITY
        and other.probability >= OPEN_PROBABILITY
        for other in others
    )
