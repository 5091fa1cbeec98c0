"""The hourly run from bronze to gold: what is new, checked, then published.

Each step leaves a position behind (the newest batch it has taken in). A run that dies is started
again and repeats the step it died in; a step done twice leaves the same tables.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from training.lake.alarms import Notifier
from training.lake.codes import code_tables
from training.lake.engine import Engine, highest_batch
from training.lake.events import opened, pending
from training.lake.expectations import require
from training.lake.gold_cases import to_gold
from training.lake.place import Lake
from training.lake.silver import Silver, to_silver, with_duplicates
from training.lake.tables import (
    BRONZE_EVENTS,
    BRONZE_READ,
    GOLD_CASES,
    SILVER_CASES,
    SILVER_FINDINGS,
    SILVER_LABELS,
    SILVER_READ,
    Kind,
    LakeTable,
)

Say = Callable[[str], None]

CHECKED_ROWS: Final = 50_000
"""Up to so many rows a suite sees all; of more, a sample by a hash of the case id: the suites look
for a feed or a transformation gone wrong, which shows in any of its rows."""


@dataclass(slots=True)
class BuildReport:
    """What a run did. rows: table -> rows published. checked: suite -> rows seen."""

    after: int
    upto: int
    rows: dict[str, int] = field(default_factory=dict)
    checked: dict[str, int] = field(default_factory=dict)


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
        self._report = BuildReport(
            after=lake.position(SILVER_CASES, BRONZE_READ),
            upto=highest_batch(engine, BRONZE_EVENTS),
        )

    def from_bronze_to_gold(self) -> BuildReport:
        try:
            if self._report.upto > self._report.after:
                self._build_silver()
            self._build_gold()
        finally:
            self._engine.forget_staged()
        return self._report

    def _build_silver(self) -> None:
        engine, report = self._engine, self._report
        self._say(f"reading bronze, batches {report.after + 1} to {report.upto}")
        new = pending(engine.read(BRONZE_EVENTS), report.after, report.upto)
        events = engine.stage("events", opened(new))
        silver = to_silver(events, code_tables(engine))
        fresh = engine.stage("cases_as_told", silver.cases)
        cases = self._checked(SILVER_CASES, with_duplicates(fresh, engine.read(SILVER_CASES)))
        findings = self._checked(SILVER_FINDINGS, silver.findings)
        labels = self._checked(SILVER_LABELS, silver.labels)
        self._publish(SILVER_CASES, cases)
        self._publish(SILVER_FINDINGS, findings, of=_cases_of(events, but=Kind.FEEDBACK))
        self._publish(SILVER_LABELS, labels, of=_cases_of(events, but=Kind.DIAGNOSIS))
        self._lake.append(SILVER_CASES, SILVER_CASES.empty(), {BRONZE_READ: report.upto})

    def _build_gold(self) -> None:
        after = self._lake.position(GOLD_CASES, SILVER_READ)
        upto = max(highest_batch(self._engine, t) for t in (SILVER_CASES, SILVER_LABELS))
        if upto <= after:
            return
        self._publish(GOLD_CASES, self._checked(GOLD_CASES, to_gold(touched(self._engine, after))))
        self._lake.append(GOLD_CASES, GOLD_CASES.empty(), {SILVER_READ: upto})

    def _checked(self, table: LakeTable, rows: DataFrame) -> DataFrame:
        """Compute the rows of one table, keep them aside, and hold them to their suite."""
        staged = self._engine.stage(table.name, rows)
        count = staged.count()
        verdict = require(table.name, sample(staged, count).toArrow(), self._notifier)
        self._report.rows[table.name] = count
        self._report.checked[table.name] = verdict.rows
        self._say(f"{table.name}: {count:,} rows, {verdict.expectations} expectations hold")
        return staged

    def _publish(self, table: LakeTable, rows: DataFrame, of: DataFrame | None = None) -> None:
        self._say(f"publishing {self._report.rows[table.name]:,} rows of {table.name}")
        self._engine.replace(table, rows, of)


def _cases_of(events: DataFrame, *, but: Kind) -> DataFrame:
    """Return the cases all of whose events of the other kinds are at hand."""
    return events.where(F.col("kind") != but.value).select("case_id").distinct()


def touched(engine: Engine, after: int) -> Silver:
    """Return silver of the cases that have a row newer than `after`, repeats of them included."""
    cases, labels = engine.read(SILVER_CASES), engine.read(SILVER_LABELS)
    findings = engine.read(SILVER_FINDINGS)
    if after == 0:
        return Silver(cases, findings, labels)
    new = F.col("batch") > after
    fresh = cases.where(new).select("case_id").union(labels.where(new).select("case_id"))
    grouped = cases.withColumn("_stands", F.coalesce("duplicate_of", "case_id"))
    standing = grouped.join(fresh.distinct(), "case_id", "left_semi").select("_stands").distinct()
    group = grouped.join(standing, "_stands", "left_semi").drop("_stands")
    ids = group.select("case_id")
    return Silver(
        group,
        findings.join(ids, "case_id", "left_semi"),
        labels.join(ids, "case_id", "left_semi"),
    )


def sample(rows: DataFrame, count: int) -> DataFrame:
    """Return `rows`, or about CHECKED_ROWS of them, whole cases, the same ones each time."""
    parts = count // CHECKED_ROWS + 1
    return rows if parts == 1 else rows.where(F.crc32("case_id") % parts == 0)
