"""The events of one rollout on disk: its state is what they add up to.

An event is kept before anything is done about it, and marked when it was. A process that dies in
between finds the event unmarked and does it again; everything that is done is safe to do twice.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from training.change_plan import ChangePlan
from training.rollout.control import (
    Arm,
    Effect,
    Event,
    FellShort,
    Reported,
    Started,
    State,
    step,
)


@dataclass(frozen=True, slots=True)
class Journal:
    """One file, a line for each event and each mark."""

    path: Path

    def add(self, event: Event) -> None:
        """Keep an event, durably."""
        self._write({"event": _event_json(event)})

    def mark(self) -> None:
        """Note that everything about the events so far was done."""
        self._write({"done": True})

    def state(self, plan: ChangePlan) -> tuple[State, tuple[Effect, ...]]:
        """Return the state, and the effects of events that were not marked, in order."""
        state, due = State(), tuple[Effect, ...]()
        for line in self._lines():
            if line.get("done"):
                due = ()
            else:
                state, effects = step(state, _event(line["event"]), plan)
                due += effects
        return state, due

    def began_at(self) -> datetime | None:
        """Return the time of the first event, None before it."""
        first = next((line["event"]["at"] for line in self._lines() if "event" in line), None)
        return None if first is None else datetime.fromisoformat(first)

    def last_at(self) -> datetime | None:
        """Return the time of the last event, None before the first."""
        times = [line["event"]["at"] for line in self._lines() if "event" in line]
        return datetime.fromisoformat(times[-1]) if times else None

    def _lines(self) -> Iterator[dict[str, Any]]:
        if self.path.is_file():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    yield json.loads(line)
                except ValueError:
                    return  # the last line of a process that died while writing it

    def _write(self, line: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = [json.dumps(kept) for kept in self._lines()]
        text = "\n".join([*whole, json.dumps(line)]) + "\n"
        part = self.path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(self.path)


def _event_json(event: Event) -> dict[str, Any]:
    at = event.at.isoformat()
    if isinstance(event, Started):
        return {"kind": "started", "at": at}
    if isinstance(event, FellShort):
        return {"kind": "fell_short", "at": at, "recall": event.recall, "floor": event.floor}
    return {
        "kind": "reported",
        "at": at,
        "current": asdict(event.current),
        "new": asdict(event.new),
    }


def _event(raw: dict[str, Any]) -> Event:
    at = datetime.fromisoformat(raw["at"])
    if raw["kind"] == "started":
        return Started(at=at)
    if raw["kind"] == "fell_short":
        return FellShort(at=at, recall=raw["recall"], floor=raw["floor"])
    return Reported(at=at, current=Arm(**raw["current"]), new=Arm(**raw["new"]))
