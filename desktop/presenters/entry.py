"""What a key press does to a draft: mark, cycle, grade and remove findings, write vital signs."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from ddx.domain.finding import Presence
from ddx.intake.draft import Draft, DraftFinding

NEXT_PRESENCE: Final = MappingProxyType(
    {
        Presence.PRESENT: Presence.EXCLUDED,
        Presence.EXCLUDED: Presence.UNKNOWN,
        Presence.UNKNOWN: Presence.PRESENT,
    }
)
"""Order in which one key walks through the three states."""


def find(draft: Draft, finding: str) -> DraftFinding | None:
    """Return the line of `finding`, or None when it was never entered."""
    return next((f for f in draft.findings if f.id == finding), None)


def mark(draft: Draft, finding: str, presence: Presence) -> Draft:
    """Return `draft` with `finding` in state `presence`; a new one goes to the end."""
    if find(draft, finding) is None:
        return replace(
            draft, findings=(*draft.findings, DraftFinding(id=finding, presence=presence))
        )
    return _each(draft, finding, presence=presence)


def cycle(draft: Draft, finding: str) -> Draft:
    """Return `draft` with `finding` in its next state; unchanged when it was never entered."""
    line = find(draft, finding)
    return draft if line is None else mark(draft, finding, NEXT_PRESENCE[line.presence])


def grade(draft: Draft, finding: str, value: float | None) -> Draft:
    """Return `draft` with the intensity (0..10, None to clear) of `finding` set."""
    return _each(draft, finding, grade=value)


def remove(draft: Draft, finding: str) -> Draft:
    """Return `draft` without `finding`."""
    return replace(draft, findings=tuple(f for f in draft.findings if f.id != finding))


def write_vital(draft: Draft, vital: str, text: str) -> Draft:
    """Return `draft` with `vital` (a VitalSigns field) as typed; blank text removes it."""
    vitals = {name: value for name, value in draft.vitals.items() if name != vital}
    if text.strip():
        vitals[vital] = text
    return replace(draft, vitals=vitals)


def _each(draft: Draft, finding: str, **changes: object) -> Draft:
    lines = tuple(
        replace(line, **changes) if line.id == finding else line  # type: ignore[arg-type]
        for line in draft.findings
    )
    return replace(draft, findings=lines)
