"""`python -m training.lake`: ingest, build, validate, status, tidy.

The hourly run is `ingest` and `build`. Both go on from where the last run stopped, whatever ended
it; `--dry-run` says what they would do.
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ddx.errors import DdxError
from training.__main__ import DATA, KEYS, REPOSITORY
from training.change_plan import change_plan
from training.lake import ingest, status
from training.lake.alarms import Alarm, Severity
from training.lake.place import Lake
from training.lake.tables import GOLD_CASES, SILVER_CASES, SILVER_FINDINGS, SILVER_LABELS
from training.lake.upkeep import RETENTION_DAYS, tidy
from training.terminal import DONE, FAILED, Say, leave, run

LAKE: Final = os.environ.get("VEREDA_LAKE", str(REPOSITORY / "build" / "lake"))
ENGINE: Final = os.environ.get("VEREDA_LAKE_ENGINE", "embedded")
EXPECTATIONS_FAILED: Final = "lake.expectations_failed"
"""Code of `training.lake.expectations`, which takes seconds to import."""

ENGINES: Final = ("embedded", "spark", "databricks")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 after saying what to do."""
    return run(_parser(), argv)


def _ingest(asked: argparse.Namespace, lake: Lake, say: Say) -> int:
    plan = ingest.Plan(
        sources=tuple(map(ingest.source_of, asked.source)),
        data=asked.data,
        stream=asked.stream,
        limit=asked.limit,
    )
    if asked.dry_run:
        for line in ingest.foretell(plan, lake, asked.keys):
            say(line)
        return DONE
    every_s, failing = asked.every_minutes * 60, ""
    while True:
        try:
            ingest.run(plan, lake, asked.keys, say)
            if every_s and asked.build:
                _build(asked, lake, say)
            failing = ""
        except DdxError as error:
            if not every_s:
                raise
            _tell(error, say, known=error.code == failing)
            failing = error.code
        if not every_s:
            return DONE
        say(f"waiting {asked.every_minutes:g} min")
        time.sleep(every_s)


def _tell(error: DdxError, say: Say, *, known: bool) -> None:
    """Say why a run of many ended; tell people once for as long as it stays the same.

    A suite that failed has told them already.
    """
    from training.monitor.notify import AlarmChannel, notifier  # noqa: PLC0415

    say(f"this run ended ({error.code}): {error}")
    if not known and error.code != EXPECTATIONS_FAILED:
        title = "The lake's hourly run ended early; the next one tries again"
        alarm = Alarm(error.code, Severity.WARNING, title, (error.code, str(error)))
        AlarmChannel(notifier(change_plan()), say).notify(alarm)


def _build(asked: argparse.Namespace, lake: Lake, say: Say) -> int:
    found = status.status(lake)
    if asked.dry_run:
        say(
            f"would read bronze batches {found.silver_read + 1} to {found.bronze_batch}, check and "
            "publish silver, then gold"
            if found.waiting
            else "nothing waits"
        )
        return DONE
    from training.lake.build import build  # noqa: PLC0415 - Spark's client: a second
    from training.lake.engine import open_engine  # noqa: PLC0415
    from training.monitor.notify import AlarmChannel, notifier  # noqa: PLC0415

    with open_engine(asked.engine, lake) as engine:
        report = build(lake, engine, AlarmChannel(notifier(change_plan()), say), say)
    if not report.rows:
        say("nothing was new")
    return DONE


def _validate(asked: argparse.Namespace, lake: Lake, say: Say) -> int:
    """Hold whole tables to their suites; say everything that does not hold."""
    from training.lake.expectations import check  # noqa: PLC0415 - seconds to import

    failed = 0
    for table in (SILVER_CASES, SILVER_FINDINGS, SILVER_LABELS, GOLD_CASES):
        if not lake.exists(table):
            continue
        rows = lake.open(table).to_pyarrow_dataset().head(asked.rows)
        verdict = check(table.name, rows.select(table.schema.names))
        failed += len(verdict.failures)
        say(
            f"{table.name}: {verdict.expectations} expectations, {verdict.rows:,} rows, "
            f"{len(verdict.failures)} do not hold"
        )
        for failure in verdict.failures:
            print(f"           {failure}")
    return FAILED if failed else DONE


def _status(_asked: argparse.Namespace, lake: Lake, _say: Say) -> int:
    print("\n".join(status.lines(status.status(lake))))
    return DONE


def _tidy(asked: argparse.Namespace, lake: Lake, say: Say) -> int:
    tidy(lake, say, retention_days=asked.retention_days)
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.lake",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--lake", default=LAKE, help="folder or address (VEREDA_LAKE)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    taking = commands.add_parser("ingest", help="read the sources into bronze")
    taking.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="NAME[=PATH]",
        help="ddxplus, phenopackets, febrile, fhir.<site>=PATH, hl7v2.<site>=PATH; repeatable",
    )
    taking.add_argument(
        "--stream",
        default=os.environ.get("VEREDA_LAKE_STREAM", ""),
        help="database of the cloud's event log (VEREDA_LAKE_STREAM)",
    )
    taking.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    taking.add_argument("--keys", type=Path, default=KEYS, help="pseudonym key (VEREDA_KEYS)")
    taking.add_argument("--limit", type=int, help="at most so many visits of each source")
    taking.add_argument("--every-minutes", type=float, default=0, help="go on, once in so long")
    taking.add_argument("--build", action="store_true", help="with --every-minutes: build as well")
    taking.set_defaults(run=_ingest)

    building = commands.add_parser("build", help="bring silver and gold up to bronze")
    building.set_defaults(run=_build)
    for command in (taking, building):
        command.add_argument("--engine", choices=ENGINES, default=ENGINE, help="VEREDA_LAKE_ENGINE")
        command.add_argument("--dry-run", action="store_true", help="say what would be done")

    checking = commands.add_parser("validate", help="hold the tables to their suites")
    checking.add_argument("--rows", type=int, default=100_000, help="of each table")
    checking.set_defaults(run=_validate)

    telling = commands.add_parser("status", help="rows, versions, freshness, what waits")
    telling.set_defaults(run=_status)

    tidying = commands.add_parser("tidy", help="join small files, let old versions go")
    tidying.add_argument("--retention-days", type=int, default=RETENTION_DAYS)
    tidying.set_defaults(run=_tidy)
    return parser


if __name__ == "__main__":
    leave(main())
