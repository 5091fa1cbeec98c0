"""How far each table of a lake has come, and how old its newest row is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow.compute as pc

from training.lake.place import Lake
from training.lake.tables import (
    BRONZE_EVENTS,
    BRONZE_READ,
    GOLD_CASES,
    SILVER_CASES,
    SILVER_READ,
    TABLES,
    LakeTable,
)

STALE_AFTER_S: Final = 2 * 3600
"""Two missed hourly runs."""


@dataclass(frozen=True, slots=True)
class TableStatus:
    """One table. newest: when its newest row entered the lake; None when empty."""

    name: str
    version: int
    rows: int
    files: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class LakeStatus:
    """A lake. waiting: batches of bronze that silver, and of silver that gold, has not read."""

    tables: tuple[TableStatus, ...]
    bronze_batch: int
    silver_read: int
    gold_read: int

    @property
    def waiting(self) -> bool:
        """Whether `build` has something to do."""
        return not self.bronze_batch == self.silver_read == self.gold_read


def status(lake: Lake) -> LakeStatus:
    """Return what every table of `lake` holds; tables not made yet are left out."""
    tables = tuple(_table(lake, table) for table in TABLES if lake.exists(table))
    newest = _newest(lake, BRONZE_EVENTS, "batch") if lake.exists(BRONZE_EVENTS) else None
    return LakeStatus(
        tables,
        bronze_batch=newest or 0,
        silver_read=lake.position(SILVER_CASES, BRONZE_READ),
        gold_read=lake.position(GOLD_CASES, SILVER_READ),
    )


def lines(found: LakeStatus, now: datetime | None = None) -> Iterator[str]:
    """Yield the status as a table for the terminal."""
    if not found.tables:
        yield "The lake is empty. Start with: python -m training.lake ingest"
        return
    yield f"{'table':<18}{'rows':>14}{'files':>8}{'version':>9}  newest row"
    for table in found.tables:
        age = _age(table.newest, now or datetime.now(UTC))
        yield f"{table.name:<18}{table.rows:>14,}{table.files:>8,}{table.version:>9}  {age}"
    yield ""
    yield (
        f"bronze batch {found.bronze_batch}, silver has read {found.silver_read}, gold "
        f"{found.gold_read}" + ("; run build" if found.waiting else "; nothing waits")
    )


def _table(lake: Lake, table: LakeTable) -> TableStatus:
    delta = lake.open(table)
    rows = delta.to_pyarrow_dataset().count_rows()
    clock = "ingested_at" if "ingested_at" in table.schema.names else None
    newest = _newest(lake, table, clock) if clock and rows else None
    return TableStatus(table.name, delta.version(), rows, len(delta.file_uris()), newest)


def _newest(lake: Lake, table: LakeTable, column: str) -> Any:
    found = lake.open(table).to_pyarrow_dataset().to_table(columns=[column])
    return pc.max(found.column(column)).as_py()


def _age(newest: datetime | None, now: datetime) -> str:
    if newest is None:
        return "-"
    seconds = int((now - newest).total_seconds())
    late = "  (late)" if seconds > STALE_AFTER_S else ""
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02d} min ago{late}" if hours else f"{minutes} min ago{late}"
