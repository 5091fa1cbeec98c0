"""A screen that reads something once and shows it: settings in force, counts of the clinic."""

from dataclasses import dataclass, replace

from desktop.presenters.reducer import Reducer, Refusal, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingState:
    """content: what was read, None until then."""

    content: object = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """The screen came up."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What was read."""

    content: object


@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be read."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Read:
    """Effect: read it."""


step: Reducer[ReadingState] = Reducer()


@step.on(Entered)
def entered(state: ReadingState, _event: Entered) -> Step[ReadingState]:
    """Read it again."""
    return replace(state, refusal=None), (Read(),)


@step.on(Arrived)
def arrived(state: ReadingState, event: Arrived) -> Step[ReadingState]:
    """Show it."""
    return replace(state, content=event.content), ()


@step.on(Failed)
def failed(state: ReadingState, event: Failed) -> Step[ReadingState]:
    """Say what to do; what was read before stays."""
    return replace(state, refusal=event.refusal), ()
