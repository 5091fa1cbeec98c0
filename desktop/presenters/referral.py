"""The referral letter: what is typed beside the record, and how the letter leaves."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from desktop.presenters.reducer import Reducer, Refusal, Step

LONGEST: Final = 600
"""Letters in each of the typed parts: with the record they fit on two pages."""


class Part(StrEnum):
    """What is typed by hand."""

    TO = "to"
    DONE = "done"
    ASKED = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralState:
    """to, done, asked: as typed, kept nowhere but in the letter. saved: where the file is.

    leaving: the audit entry is being written, and the letter leaves after it.
    """

    to: str = ""
    done: str = ""
    asked: str = ""
    leaving: bool = False
    saved: str = ""
    printed: bool = False
    refusal: Refusal | None = None


# Events.


@dataclass(frozen=True, slots=True)
class PartTyped:
    """One of the typed parts changed."""

    part: Part
    text: str


@dataclass(frozen=True, slots=True)
class SaveAsked:
    """A file was chosen; an empty path when none was."""

    path: str


@dataclass(frozen=True, slots=True)
class PrintAsked:
    """A printer was chosen."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The file is written."""

    path: str


@dataclass(frozen=True, slots=True)
class Printed:
    """The page went to the printer."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not leave, or could not be written down."""

    refusal: Refusal


# Effects.


@dataclass(frozen=True, slots=True)
class SaveLetter:
    """Write the entry, then the file."""

    path: str


@dataclass(frozen=True, slots=True)
class PrintLetter:
    """Write the entry, then print."""


step: Reducer[ReferralState] = Reducer()


@step.on(PartTyped)
def part_typed(state: ReferralState, event: PartTyped) -> Step[ReferralState]:
    """Keep what was typed, as much of it as two pages hold."""
    text = event.text[:LONGEST]
    match event.part:
        case Part.TO:
            return replace(state, to=text), ()
        case Part.DONE:
            return replace(state, done=text), ()
        case Part.ASKED:
            return replace(state, asked=text), ()


@step.on(SaveAsked)
def save_asked(state: ReferralState, event: SaveAsked) -> Step[ReferralState]:
    """Let it leave as a file, once at a time."""
    if not event.path or state.leaving:
        return state, ()
    return _leaving(state), (SaveLetter(event.path),)


@step.on(PrintAsked)
def print_asked(state: ReferralState, _event: PrintAsked) -> Step[ReferralState]:
    """Let it leave on paper, once at a time."""
    return (state, ()) if state.leaving else (_leaving(state), (PrintLetter(),))


@step.on(Saved)
def saved(state: ReferralState, event: Saved) -> Step[ReferralState]:
    """Say where it is."""
    return replace(state, leaving=False, saved=event.path), ()


@step.on(Printed)
def printed(state: ReferralState, _event: Printed) -> Step[ReferralState]:
    """Say that it went."""
    return replace(state, leaving=False, printed=True), ()


@step.on(Failed)
def failed(state: ReferralState, event: Failed) -> Step[ReferralState]:
    """Say what to do; the letter stays on screen."""
    return replace(state, leaving=False, refusal=event.refusal), ()


def _leaving(state: ReferralState) -> ReferralState:
    return replace(state, leaving=True, saved="", printed=False, refusal=None)
