"""Bronze: records as they came through the door, each once, with the source's position."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from training.lake.door import Arrival, RefusedError, admit
from training.lake.place import Lake
from training.lake.tables import BRONZE_EVENTS


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of a number of records. refused: reason -> how many; nothing of them was kept."""

    stored: int = 0
    known: int = 0
    refused: Mapping[str, int] | None = None

    def __add__(self, other: "Intake") -> "Intake":
        refused = dict(self.refused or {})
        for reason, count in (other.refused or {}).items():
            refused[reason] = refused.get(reason, 0) + count
        return Intake(self.stored + other.stored, self.known + other.known, refused)


class Bronze:
    """Writes bronze. One instance is one run of `ingest`; each of its commits is a batch."""

    def __init__(self, lake: Lake, *, now: datetime | None = None) -> None:
        """Open the table. Batches are numbered on from its version: the numbers only ever grow."""
        self._lake = lake
        self._now = now
        self.batch = lake.open(BRONZE_EVENTS).version()

    def store(
        self, arrivals: Iterable[Arrival], positions: Mapping[str, int] | None = None
    ) -> Intake:
        """Store what may enter and move the positions in the same commit.

        A record refused by the allow-list is counted and not kept; its place is passed over.
        """
        rows, refused = [], dict[str, int]()
        for arrival in arrivals:
            try:
                rows.append(admit(arrival))
            except RefusedError as error:
                refused[error.reason] = refused.get(error.reason, 0) + 1
        if rows or positions:
            self.batch += 1
            self._lake.append(BRONZE_EVENTS, self._table(rows), positions)
        return Intake(len(rows), 0, refused)

    def store_new(self, arrivals: Iterable[Arrival], known: set[str]) -> Intake:
        """Store the records whose ids are not in `known`, and add them to it.

        For sources without positions; `known` starts as `event_ids`.
        """
        coming = tuple(arrivals)
        new = {a.event_id: a for a in coming if a.event_id not in known}
        known.update(new)
        passed = Intake(known=len(coming) - len(new))
        return passed + self.store(new.values()) if new else passed

    def event_ids(self, source: str) -> frozenset[str]:
        """Return the ids of every record of one source."""
        rows = self._lake.open(BRONZE_EVENTS).to_pyarrow_dataset()
        found = rows.to_table(columns=["event_id"], filter=pc.field("source") == source)
        return frozenset(found.column("event_id").to_pylist())

    def position(self, name: str) -> int:
        """Return how far a source was read, 0 at the beginning."""
        return self._lake.position(BRONZE_EVENTS, name)

    def _table(self, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
        columns = {name: [row[name] for row in rows] for name in _FROM_DOOR}
        columns["ingested_at"] = [self._now or datetime.now(UTC)] * len(rows)
        columns["batch"] = [self.batch] * len(rows)
        return pa.table(
            [pa.array(columns[f.name], f.type) for f in BRONZE_EVENTS.schema],
            schema=BRONZE_EVENTS.schema,
        )


_FROM_DOOR = tuple(
    name for name in BRONZE_EVENTS.schema.names if name not in {"ingested_at", "batch"}
)
