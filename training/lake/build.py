"""The hourly run from bronze to gold: what is new, checked, then published.

What waits is taken in pieces of bounded size, each to gold before the next, and each reads and
writes only the weeks it tells of: memory is bounded by the piece, cost by what is new. Each step
leaves a position behind (the newest batch it has taken in). A run that dies is started again and
repeats the step it died in; a step done twice leaves the same tables.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from training.lake.alarms import Notifier
from training.lake.codes import code_tables
from training.lake.engine import Engine, weeks_of
from training.lake.events import Piece, may_label, opened, pending, pieces
from training.lake.expectations import require
from training.lake.gold_cases import to_gold
from training.lake.place import Lake
from training.lake.silver import CodeTables, Silver, to_silver, with_duplicates
from training.lake.tables import (
    BRONZE_EVENTS,
    BRONZE_READ,
    GOLD_CASES,
    SILVER_CASES,
    SILVER_FINDINGS,
    SILVER_LABELS,
    SILVER_READ,
    WEEK,
    LakeTable,
)

Say = Callable[[str], None]

CHECKED_ROWS: Final = 50_000
"""Up to so many rows a suite sees all; of more, a sample by a hash of the case id: the suites look
for a feed or a transformation gone wrong, which shows in any of its rows."""


@dataclass(slots=True)
class BuildReport:
    """What a run did. rows: table -> rows published. checked: suite -> rows seen.

    A case touched by several pieces of a backlog is counted in each.
    """

    after: int
    upto: int
    rows: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)


def build(lake: Lake, engine: Engine, notifier: Notifier, say: Say = lambda _: None) -> BuildReport:
    """Bring silver and gold up to bronze and return what was done.

    Raises:
        ExpectationsFailedError: nothing of the failing step was published; people were told.
        LakeBusyError: another run writes.
    """
    with lake.writing():
        return _Run(lake, engine, notifier, say).from_bronze_to_gold()


class _Run:
    """One run and its report."""

    def __init__(self, lake: Lake, engine: Engine, notifier: Notifier, say: Say) -> None:
        self._lake, self._engine, self._notifier, self._say = lake, engine, notifier, say
        after = lake.position(SILVER_CASES, BRONZE_READ)
        self._report = BuildReport(after, after)

    def from_bronze_to_gold(self) -> BuildReport:
        try:
            self._build_gold()  # of what a run that died had made silver
            if waiting := pieces(self._engine.read(BRONZE_EVENTS), self._report.after):
                codes = code_tables(self._engine)
                for piece in waiting:
                    self._build_silver(piece, codes)
                    self._build_gold()
        finally:
            self._engine.forget_staged()
        return self._report

    def _build_silver(self, piece: Piece, codes: CodeTables) -> None:
        """Findings and labels before their cases: by these a run that died finds the others."""
        engine = self._engine
        self._say(f"reading bronze, batches {piece.after + 1} to {piece.upto}")
        events = engine.stage("events", opened(pending(engine.read(BRONZE_EVENTS), piece)))
        silver = to_silver(events, codes)
        fresh = engine.stage("cases_as_told", silver.cases)
        near = _neighbours(engine.read(SILVER_CASES), fresh)
        cases = self._checked(SILVER_CASES, with_duplicates(fresh, near, piece.upto))
        findings = self._checked(SILVER_FINDINGS, silver.findings)
        labels = self._checked(SILVER_LABELS, silver.labels)
        self._publish(SILVER_FINDINGS, findings, fresh)
        self._publish(SILVER_LABELS, labels, events.where(may_label()))
        self._publish(SILVER_CASES, cases, cases)
        self._lake.append(SILVER_CASES, SILVER_CASES.empty(), {BRONZE_READ: piece.upto})
        self._report.upto = piece.upto

    def _build_gold(self) -> None:
        after = self._lake.position(GOLD_CASES, SILVER_READ)
        upto = self._lake.position(SILVER_CASES, BRONZE_READ)
        if upto <= after:
            return
        silver = touched(self._engine, after)
        gold = self._checked(GOLD_CASES, to_gold(silver))
        self._publish(GOLD_CASES, gold, silver.cases)
        self._lake.append(GOLD_CASES, GOLD_CASES.empty(), {SILVER_READ: upto})

    def _checked(self, table: LakeTable, rows: DataFrame) -> DataFrame:
        """Compute the rows of one table, keep them aside, and hold them to their suite."""
        staged = self._engine.stage(table.name, rows)
        count = staged.count()
        verdict = require(table.name, sample(staged, count).toArrow(), self._notifier)
        self._report.rows[table.name] += count
        self._report.checked[table.name] += verdict.rows
        self._say(f"{table.name}: {count:,} rows, {verdict.expectations} expectations hold")
        return staged

    def _publish(self, table: LakeTable, rows: DataFrame, of: DataFrame) -> None:
        self._say(f"publishing {table.name}")
        self._engine.replace(table, rows, of.select("case_id").distinct())


def _neighbours(held: DataFrame, fresh: DataFrame) -> DataFrame:
    """Return the held cases of the weeks in which `fresh` are, or were before."""
    were = held.join(fresh.select("case_id"), "case_id", "left_semi")
    return held.where(F.col(WEEK).isin(weeks_of(were.select(WEEK).union(fresh.select(WEEK)))))


def touched(engine: Engine, after: int) -> Silver:
    """Return silver of the cases that have a row newer than `after`, repeats of them included.

    Repeats are of one day: the weeks of the cases that were touched hold all of them.
    """
    cases, labels = engine.read(SILVER_CASES), engine.read(SILVER_LABELS)
    new = F.col("batch") > after
    fresh = engine.stage(
        "fresh_ids",
        cases.where(new).select("case_id").union(labels.where(new).select("case_id")).distinct(),
    )
    weeks = weeks_of(cases.join(fresh, "case_id", "left_semi"))
    near = F.col(WEEK).isin(weeks)
    grouped = cases.where(near).withColumn("_stands", F.coalesce("duplicate_of", "case_id"))
    standing = grouped.join(fresh, "case_id", "left_semi").select("_stands").distinct()
    group = engine.stage(
        "touched_cases", grouped.join(standing, "_stands", "left_semi").drop("_stands")
    )
    ids = group.select("case_id")
    return Silver(
        group,
        engine.read(SILVER_FINDINGS).where(near).join(ids, "case_id", "left_semi"),
        labels.join(ids, "case_id", "left_semi"),
    )


def sample(rows: DataFrame, count: int) -> DataFrame:
    """Return `rows`, or about CHECKED_ROWS of them, whole cases, the same ones each time."""
    parts = count // CHECKED_ROWS + 1
    return rows if parts == 1 else rows.where(F.crc32("case_id") % parts == 0)
