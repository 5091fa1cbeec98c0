"""The sentences of an explanation in the order a clinician reads them: for, against, not asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.presenters.visit_state import Sentence

RAISES, LOWERS = "raises", "lowers"
NOT_ASKED = frozenset({"unasked", "unasked_balanced"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What the right column shows, strongest first on each side.

    unasked: what comes from what nobody asked; the models also learn from silence, and the screen
    says so instead of hiding it. strongest: the largest share of a reason, for the bars; > 0.
    """

    reasons_for: tuple[Sentence, ...]
    reasons_against: tuple[Sentence, ...]
    unasked: tuple[Sentence, ...]
    strongest: float


def why(sentences: Sequence[Sentence]) -> Why:
    """Return the reasons among `sentences` by side."""
    known = tuple(s for s in sentences if s.code not in NOT_ASKED)
    return Why(
        reasons_for=tuple(s for s in known if s.direction == RAISES),
        reasons_against=tuple(s for s in known if s.direction == LOWERS),
        unasked=tuple(s for s in sentences if s.code in NOT_ASKED),
        strongest=max((s.share for s in known), default=0.0) or 1.0,
    )
