"""What a key press does to a draft: mark, cycle, grade and remove findings, write vital signs."""

import re
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from ddx.domain.case import Sex
from ddx.domain.finding import Presence, Severity
from ddx.intake.draft import Draft, DraftFinding

NEXT_PRESENCE: Final = MappingProxyType(
    {
        Presence.PRESENT: Presence.EXCLUDED,
        Presence.EXCLUDED: Presence.UNKNOWN,
        Presence.UNKNOWN: Presence.PRESENT,
    }
)
"""Order in which one key walks through the three states."""

NEXT_SEVERITY: Final = MappingProxyType(
    {
        None: Severity.MILD,
        Severity.MILD: Severity.MODERATE,
        Severity.MODERATE: Severity.SEVERE,
        Severity.SEVERE: None,
    }
)
"""Order in which one key walks through the severities."""

DAYS_OF_UNIT: Final = MappingProxyType({"d": 1, "s": 7, "w": 7, "m": 30, "a": 365, "y": 365})
"""Letters after a number: days, weeks (s, w), months, years (a, y), in either language."""

_SPAN: Final = re.compile(r"(\d{1,5})\s*([dswmay]?)[a-zñí]*", re.IGNORECASE)


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


def weigh(draft: Draft, finding: str) -> Draft:
    """Return `draft` with the next severity of `finding`; only of one that is present."""
    line = find(draft, finding)
    if line is None or line.presence is not Presence.PRESENT:
        return draft
    return _each(draft, finding, severity=NEXT_SEVERITY[line.severity])


def begin(draft: Draft, finding: str, days: int | None) -> Draft:
    """Return `draft` with `finding` begun `days` ago, None to clear it."""
    return _each(draft, finding, onset_days=days)


def days_ago(text: str) -> int | None:
    """Return the days a span like "3", "3 d", "2 s", "1 mes" or "1 y" says; None when none.

    A month counts 30 days and a year 365: nobody remembers better than that.
    """
    said = _SPAN.fullmatch(text.strip())
    if said is None:
        return None
    return int(said[1]) * DAYS_OF_UNIT[said[2].lower() or "d"]


def remove(draft: Draft, finding: str) -> Draft:
    """Return `draft` without `finding`."""
    return replace(draft, findings=tuple(f for f in draft.findings if f.id != finding))


def write_vital(draft: Draft, vital: str, text: str) -> Draft:
    """Return `draft` with `vital` (a VitalSigns field) as typed; blank text removes it."""
    vitals = {name: value for name, value in draft.vitals.items() if name != vital}
    if text.strip():
        vitals[vital] = text
    return replace(draft, vitals=vitals)


def join(stored: Draft, typed: Draft) -> Draft:
    """Return what is on disk with what was typed before it was read; where both say, the typed."""
    said = {finding.id for finding in typed.findings}
    aged = typed if typed.age_text else stored
    return Draft(
        age_text=aged.age_text,
        age_unit=aged.age_unit,
        sex=stored.sex if typed.sex is Sex.UNKNOWN else typed.sex,
        findings=(*(f for f in stored.findings if f.id not in said), *typed.findings),
        vitals={**stored.vitals, **typed.vitals},
        opinion=typed.opinion or stored.opinion,
    )


def _each(draft: Draft, finding: str, **changes: object) -> Draft:
    lines = tuple(
        replace(line, **changes) if line.id == finding else line  # type: ignore[arg-type]
        for line in draft.findings
    )
    return replace(draft, findings=lines)
