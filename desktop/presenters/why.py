"""An explanation in the order a clinician reads it: for, against, expected and not asked."""

from dataclasses import dataclass

from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId

SHOWN_PER_SIDE = 6
STRONG_SHARE = 0.5  # of the strongest reason on the screen
CLEAR_SHARE = 0.15
PATIENT_FACTS = frozenset({"age", "sex"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One sentence: what was (not) found and how much it counts.

    share: size of the bar, 0..1 of the strongest reason of this explanation.
    strength: 3 strong, 2 clear, 1 slight.
    frequency: share of described patients with the finding, when a profile states it.
    """

    subject: str
    presence: Presence
    speaks_for: bool
    share: float
    strength: int
    frequency: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What the right column shows.

    unasked_share: part (0..1) of the total weight that comes from what nobody asked; the
    models also learn from silence, and the screen says so instead of hiding it.
    """

    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    expected: tuple[FindingId, ...]
    unasked_share: float


def why(explanation: Explanation) -> Why:
    """Return the reasons of `explanation`, strongest first, a handful per side."""
    known = tuple(c for c in explanation.contributions if _is_known(c))
    strongest = max((abs(c.weight) for c in known), default=0.0)
    total = sum(abs(c.weight) for c in explanation.contributions)
    unasked = sum(abs(c.weight) for c in explanation.contributions if not _is_known(c))
    return Why(
        reasons_for=_side(known, strongest, speaks_for=True),
        reasons_against=_side(known, strongest, speaks_for=False),
        expected=explanation.expected[:SHOWN_PER_SIDE],
        unasked_share=unasked / total if total else 0.0,
    )


def _is_known(contribution: Contribution) -> bool:
    if contribution.subject in PATIENT_FACTS:
        return True
    return contribution.presence is not Presence.UNKNOWN


def _side(
    known: tuple[Contribution, ...], strongest: float, *, speaks_for: bool
) -> tuple[Reason, ...]:
    sign = 1 if speaks_for else -1
    side = sorted((c for c in known if c.weight * sign > 0), key=lambda c: -abs(c.weight))
    return tuple(_reason(c, strongest) for c in side[:SHOWN_PER_SIDE])


def _reason(contribution: Contribution, strongest: float) -> Reason:
    share = abs(contribution.weight) / strongest
    return Reason(
        subject=contribution.subject,
        presence=contribution.presence,
        speaks_for=contribution.weight > 0,
        share=share,
        strength=3 if share >= STRONG_SHARE else 2 if share >= CLEAR_SHARE else 1,
        frequency=contribution.frequency,
    )
