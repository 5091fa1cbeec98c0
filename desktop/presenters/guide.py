"""What to ask next and how soon to attend, while the draft is still being written.

The guide follows the draft: a pause asks for a look, an answer of its own asks at once. A look at
an older draft is not shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Final, Protocol

from ddx.domain.differential import Alert
from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId
from ddx.intake.draft import Draft
from desktop.presenters.reducer import Reducer, Refusal, Step

LOOK_AFTER_MS: Final = 250  # typing is one look, and the question is there when the hand rests


class Equipment(StrEnum):
    """What the clinic has."""

    WORDS = "words"
    RURAL = "rural"
    FULL = "full"


class Reason(Protocol):
    """One ground of the level."""

    @property
    def code(self) -> str:
        """Message id."""

    @property
    def evidence(self) -> tuple[str, ...]:
        """Findings, vital signs or diseases."""

    @property
    def source(self) -> str:
        """Its publication."""


class Triage(Protocol):
    """How soon to attend."""

    @property
    def level(self) -> IntEnum:
        """1, immediate, to 5."""

    @property
    def reasons(self) -> Sequence[Reason]:
        """Most urgent first."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Vital signs that were not measured."""


class Question(Protocol):
    """One question worth asking."""

    @property
    def subject(self) -> str:
        """A finding, or the group of a choice."""

    @property
    def findings(self) -> tuple[FindingId, ...]:
        """What the answer settles, the likeliest value of a choice first."""

    @property
    def means(self) -> StrEnum:
        """How it is found out."""


class Proposal(Protocol):
    """What to ask, or why to stop asking."""

    @property
    def questions(self) -> Sequence[Question]:
        """Best first."""

    @property
    def stop(self) -> StrEnum | None:
        """Why no question is proposed."""


class Guidance(Protocol):
    """What the service says of a draft."""

    @property
    def triage(self) -> Triage:
        """How soon to attend."""

    @property
    def inquiry(self) -> Proposal:
        """What to ask next."""

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Rules that fired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideState:
    """guidance answers `seen`; None while that draft is no case yet."""

    draft: Draft
    equipment: Equipment = Equipment.RURAL
    seen: Draft | None = None
    guidance: Guidance | None = None
    refusal: Refusal | None = None

    @property
    def question(self) -> Question | None:
        """The question on screen; none that the draft has answered meanwhile."""
        if self.guidance is None or not self.guidance.inquiry.questions:
            return None
        first = self.guidance.inquiry.questions[0]
        told = {line.id: line.presence for line in self.draft.findings}
        shrugged = any(told.get(f) is Presence.UNKNOWN for f in first.findings)
        return None if shrugged or told.keys() >= set(first.findings) else first


# Events.


@dataclass(frozen=True, slots=True)
class DraftMoved:
    """The draft of the visit changed. at_once: by an answer given here."""

    draft: Draft
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class LookDue:
    """The pause after the last change is over."""


@dataclass(frozen=True, slots=True)
class Guided:
    """What the service says of `draft`."""

    draft: Draft
    guidance: Guidance | None


@dataclass(frozen=True, slots=True)
class EquipmentChosen:
    """The clinic has something else."""

    equipment: Equipment


@dataclass(frozen=True, slots=True)
class Failed:
    """The service did not answer."""

    refusal: Refusal


# Effects.


@dataclass(frozen=True, slots=True)
class LookSoon:
    """Send LookDue after `delay_ms` without another LookSoon."""

    delay_ms: int


@dataclass(frozen=True, slots=True)
class Look:
    """Ask the service about `draft`."""

    draft: Draft
    equipment: Equipment


step: Reducer[GuideState] = Reducer()


@step.on(DraftMoved)
def draft_moved(state: GuideState, event: DraftMoved) -> Step[GuideState]:
    """Follow the draft; look once the hand rests."""
    if event.draft == state.draft and state.seen == event.draft:
        return state, ()
    moved = replace(state, draft=event.draft)
    if event.at_once:
        return moved, (Look(moved.draft, moved.equipment),)
    return moved, (LookSoon(LOOK_AFTER_MS),)


@step.on(LookDue)
def look_due(state: GuideState, _event: LookDue) -> Step[GuideState]:
    """Look, unless what is on screen answers this draft."""
    return state, () if state.seen == state.draft else (Look(state.draft, state.equipment),)


@step.on(Guided)
def guided(state: GuideState, event: Guided) -> Step[GuideState]:
    """Show it, unless the draft has moved on: another look is on its way then."""
    if event.draft != state.draft:
        return state, ()
    return replace(state, seen=event.draft, guidance=event.guidance, refusal=None), ()


@step.on(EquipmentChosen)
def equipment_chosen(state: GuideState, event: EquipmentChosen) -> Step[GuideState]:
    """Look again with what there is."""
    if event.equipment == state.equipment:
        return state, ()
    return replace(state, equipment=event.equipment), (Look(state.draft, event.equipment),)


@step.on(Failed)
def failed(state: GuideState, event: Failed) -> Step[GuideState]:
    """Say so; what was on screen no longer answers."""
    return replace(state, guidance=None, refusal=event.refusal), ()


def answers(
    question: Question, presence: Presence, value: FindingId | None = None
) -> tuple[tuple[str, Presence], ...]:
    """Return what one key settles.

    PRESENT of a choice: `value` is present and the other values are absent. EXCLUDED: all are.
    UNKNOWN marks the first value only, which is enough not to be asked again.
    """
    if presence is Presence.UNKNOWN:
        return ((question.findings[0], presence),)
    if presence is Presence.EXCLUDED or value is None:
        return tuple((finding, presence) for finding in question.findings)
    return tuple(
        (f, Presence.PRESENT if f == value else Presence.EXCLUDED) for f in question.findings
    )
