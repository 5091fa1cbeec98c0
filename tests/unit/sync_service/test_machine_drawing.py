"""The states drawn in docs/sync.md are the states of the machine."""

import re
from pathlib import Path

from ddx.domain.identifiers import RecordId
from sync_service.client import machine as m
from sync_service.client.machine import Answer, Cause

PAGE = Path(__file__).parents[3] / "docs" / "sync.md"
LINE = re.compile(r"^ {4}(\w+) --> (\w+): ([^/\n]+?)(?: / (.+))?$", re.MULTILINE)

A, B = RecordId("a"), RecordId("b")
STORED = Answer(status="stored", server_sequence=1)
REJECTED = Answer(status="rejected", reason="record.conflict")

STATES = (
    m.Idle(),
    m.Pushing(limit=50),
    m.Pushing(limit=50, corrected=True, isolated=m.MAX_ISOLATED),
    *(m.Waiting(limit=50, attempt=1, cause=cause) for cause in Cause),
)
EVENTS = {
    "Tick": m.Tick(),
    "Asked": m.Asked(),
    "Woken": m.Woken(),
    "NothingPending": m.NothingPending(),
    "Answered, all stored": m.Answered(sent=(A, B), answers={A: STORED, B: STORED}),
    "Answered, some rejected": m.Answered(sent=(A, B), answers={A: STORED, B: REJECTED}),
    "Answered, nothing settled": m.Answered(sent=(A, B), answers={}),
    "BatchRefused, several records": m.BatchRefused(sent=(A, B), code="sync.malformed"),
    "BatchRefused, one record": m.BatchRefused(sent=(A,), code="sync.malformed"),
    "ClockRefused, first time": m.ClockRefused(offset_s=7200),
    "Failed": m.Failed(cause=Cause.OFFLINE),
    "HeldBack": m.HeldBack(wait_s=60, code="sync.budget"),
}
LATER = {
    "BatchRefused, one record": "BatchRefused, one record after three",
    "ClockRefused, first time": "ClockRefused, again",
}
"""The same event to a machine that met its like before."""


def drawn():
    """Return the transitions of the drawing: (from, event, to, effects)."""
    drawing = PAGE.read_text(encoding="utf-8").split("```mermaid")[1].split("```")[0]
    return {
        (source, event, target, tuple(effects.split(", ")) if effects else ())
        for source, target, event, effects in LINE.findall(drawing)
    }


def done():
    """Return the transitions the machine makes; events it ignores make none."""
    found = set()
    for state in STATES:
        for name, event in EVENTS.items():
            after, effects = m.step(state, event)
            if after == state and not effects:
                continue
            again = getattr(state, "isolated", 0) and name in LATER
            label = LATER[name] if again else name
            if isinstance(state, m.Waiting) and name == "Asked":
                label = "Asked, unless busy"
            names = tuple(dict.fromkeys(type(effect).__name__ for effect in effects))
            found.add((type(state).__name__, label, type(after).__name__, names))
    return found


def test_every_line_of_the_drawing_happens_and_nothing_else_does():
    assert drawn() == done()


def test_a_busy_server_is_the_one_wait_that_asking_does_not_end():
    impatient = {
        cause
        for cause in Cause
        if m.step(m.Waiting(limit=50, attempt=1, cause=cause), m.Asked())[1]
    }
    assert impatient == set(Cause) - {Cause.BUSY}
