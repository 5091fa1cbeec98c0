"""`python -m training monitor`: drift, performance and triggers of a day; who has to know is told.

A model whose critical recall is surely below the plan's floor is taken back at once.

Compares the last day with the stretch the current model was trained on (its lineage), or with the
four weeks before. Prints the triggers; with `--retrain` a trigger starts `retrain` at once.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ddx.engine import Engine
from ddx.errors import DdxError
from training.change_plan import ChangePlan, change_plan
from training.commands import retrain
from training.commands.fitting import add_arguments, arguments_of
from training.commands.release import take_back
from training.commands.workspace import (
    DATA,
    DONE,
    KEYS,
    REFUSED,
    ROOT,
    Say,
    SeverityIn,
    Workspace,
)
from training.lake.gold import read_cases
from training.monitor.daily import (
    DailyWatch,
    Watched,
    drift_from,
    findings_from,
    performance_from,
)
from training.monitor.notify import Message, notifier
from training.monitor.stretch import longest, stretch_of
from training.monitor.triggers import Finding
from training.pipelines import kept_rows
from training.pipelines.lineage import Lineage, LineageError
from training.pipelines.request import moment
from training.pipelines.steps import Done, DryRunEnds
from training.publish.ledger import Entry, Event
from training.rollout.control import FellShort

TAKES_BACK = "critical_recall_rollback"
REFERENCE_DAYS = 28
ENDED = frozenset({Event.REGISTERED, Event.DECLINED})
"""A retraining ended with a candidate that meets the plan, or with one that does not."""
LABEL_DAYS = 28
"""Labels of four weeks are read together: most come within days, and one day holds too few."""


def main(argv: Sequence[str] | None = None) -> int:
    """Watch a day; return 0, or 2 after saying what is in the way."""
    asked = _parser().parse_args(argv)
    workspace, plan = Workspace(asked.root), change_plan()
    try:
        verdict, findings = _watch(asked, workspace, plan, print)
    except DryRunEnds as ended:
        print(ended)
        return DONE
    except DdxError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        if not asked.dry_run:
            _tell_unwatched(error, plan, print)
        return REFUSED
    print(verdict)
    if asked.dry_run:  # the day was watched before: what follows from it would be done
        return DONE
    for finding in findings:
        if finding.code == TAKES_BACK:
            _take_back(asked, workspace, plan, finding)
    wanted = next((f.retrain for f in findings if f.retrain is not None), None)
    if wanted is not None and asked.retrain:
        if (tried := _tried(workspace, plan, asked.until or moment())) is not None:
            print(
                f"no retraining: {tried.version} was made on {tried.at:%Y-%m-%d} and is not in "
                f"production; another one is due {plan.monitor.retrain_every_days.value} days after"
            )
            return DONE
        given = ["--root", str(asked.root), "--data", str(asked.data), "--trigger", wanted]
        given += ["--search", asked.search, *arguments_of(asked)]
        return retrain.main([*given, *(["--lake", asked.lake] if asked.lake else [])])
    return DONE


def _take_back(
    asked: argparse.Namespace, workspace: Workspace, plan: ChangePlan, finding: Finding
) -> None:
    """Send every device back to the last stable model, or say that there is none."""
    release = workspace.current().release
    event = FellShort(at=asked.until or moment(), recall=finding.figure, floor=finding.limit)
    try:
        if not take_back(workspace, release, event, plan, keys=asked.keys, say=print):
            print(f"{release.version} came with the application: there is no model to go back to")
    except DdxError as error:  # it is decided and kept; the next call of `release` goes on
        print(f"not taken back yet: {error}", file=sys.stderr)


def _watch(
    asked: argparse.Namespace, workspace: Workspace, plan: ChangePlan, say: Say
) -> tuple[str, tuple[Finding, ...]]:
    lake, current = asked.lake or workspace.lake, workspace.current()
    if not asked.dry_run:
        kept_rows.forget(workspace.kept_rows, lake, say)
    until = asked.until or moment().replace(hour=0, minute=0, second=0)
    gold = read_cases(lake, until - longest(plan.monitor), until, labelled=False)
    times = gold.table.column("event_time").to_pylist()
    stretch = stretch_of(times, until, plan.monitor)
    reference, last = _reference(current, stretch.since), _last_ended(workspace)
    watched = Watched(
        version=gold.version,
        model=current.version,
        reference_since=reference[0],
        reference_until=reference[1],
        stretch=stretch,
        labels_since=until - timedelta(days=LABEL_DAYS),
        last_training=None if last is None else last.at,
        baseline_f1=_baseline(workspace, current.digest),
    )
    engine = Engine.from_artifacts(current)
    day = DailyWatch(
        folder=asked.root / "watch" / f"{until:%Y-%m-%d}",
        lake=lake,
        watched=watched,
        engine=lambda: engine,
        severity=SeverityIn(current),
        plan=plan,
        say=say,
        page=not asked.no_page,
        dry_run=asked.dry_run,
    )
    done = day.run()
    findings = findings_from(done)
    _notify(findings, plan, f"{until:%Y-%m-%d}", say, day.folder / "told.json")
    return told(done, plan), findings


def _reference(current: object, since: datetime) -> tuple[datetime | None, datetime]:
    """Return the stretch of the model's own rows before the days that are watched.

    Four weeks before them when the model tells of none, or of none that are older.
    """
    four_weeks = since - timedelta(days=REFERENCE_DAYS), since
    try:
        rows = Lineage.of(current).rows  # type: ignore[arg-type]
    except LineageError:
        return four_weeks
    begin, end = (
        None if t is None else datetime.fromisoformat(t) for t in (rows.since, rows.until)
    )
    if begin is not None and begin >= since:
        return four_weeks
    return begin, min(end or since, since)


def _tried(workspace: Workspace, plan: ChangePlan, until: datetime) -> Entry | None:
    """Return the retraining that makes another one useless for now; None where there is none.

    What drifts goes on drifting until a new model is in production. The cases of the next day make
    no other candidate than the one that waits for its physicians, goes out, failed or was taken
    back; after the plan's days they may.
    """
    last = _last_ended(workspace)
    every = timedelta(days=plan.monitor.retrain_every_days.value)
    if last is None or until - last.at >= every:
        return None
    return None if last.release == workspace.current().release else last


def _last_ended(workspace: Workspace) -> Entry | None:
    """Return the retraining that last ended with a candidate, whether or not it met the plan.

    One that failed has been tried: cases of the next day would not make another of it.
    """
    ended = [e for e in workspace.ledger.entries() if e.event in ENDED]
    return max(ended, key=lambda e: e.at, default=None)


def _baseline(workspace: Workspace, digest: str) -> float | None:
    """Return the F1 the current model had when it was judged; None for one not judged here."""
    for folder in workspace.runs.glob("*/steps/*-evaluation-*"):
        found = json.loads((folder / "evaluation.json").read_bytes())
        if found["digest"] == digest:
            return float(found["figures"]["new"]["f1"]["value"])
    return None


def _notify(
    findings: Sequence[Finding], plan: ChangePlan, day: str, say: Say, memory: Path
) -> None:
    """Tell each finding of a day once, however often the day is watched."""
    before = set(json.loads(memory.read_bytes())) if memory.is_file() else set()
    for finding in findings:
        if finding.code in before or finding.code == "schedule":
            continue
        message = Message(
            severity=finding.severity,
            key=f"monitor-{day}-{finding.code}",
            title=f"{day}: {finding.code.replace('_', ' ')}",
            facts={
                "figure": f"{finding.figure:.3f}",
                "limit": f"{finding.limit:.3f}",
                **({"where": finding.where} if finding.where else {}),
            },
        )
        for line in notifier(plan).send(message):
            say(line)
        before.add(finding.code)
    memory.write_text(json.dumps(sorted(before)), encoding="utf-8")


def _tell_unwatched(error: DdxError, plan: ChangePlan, say: Say) -> None:
    """Tell that nobody watched: a watch that stops in silence looks like a quiet day."""
    message = Message(
        severity="high",
        key=f"monitor-stopped-{error.code}",
        title="The daily watch of the model did not run",
        facts={"code": error.code, "why": str(error)},
    )
    for line in notifier(plan).send(message):
        say(line)


def told(done: Done, plan: ChangePlan) -> str:
    """Return the day for a terminal: score, worst columns, both F1, what fired."""
    verdict, watch = done.json("verdict.json"), plan.monitor
    drift, found = drift_from(verdict["drift"]), performance_from(verdict["performance"])
    joined = f", {verdict['days']} days joined" if verdict["days"] > 1 else ""
    judged = "" if drift.cases >= watch.drift_least_cases.value else "   NOT JUDGED"
    lines = [
        "",
        f"drift {drift.score:.2f}   alert {watch.drift_alert.value}   "
        f"retrain {watch.drift_retrain.value}   {drift.cases:,} cases{joined}{judged}",
    ]
    lines += [
        f"  {c.column:<28} {c.score:.2f}   {c.moved}: {100 * c.before:.0f} % -> {100 * c.now:.0f} %"
        for c in drift.columns[:5]
        if c.score > 0
    ]
    lines.append(
        f"F1 estimated {found.estimated:.3f} on {found.cases:,} cases, confirmed "
        f"{found.confirmed} on {found.labelled:,} labelled "
        f"(estimated there {found.estimated_labelled:.3f})"
    )
    lines += [
        f"{f.severity.upper():<12} {f.code}: {_figure(f)}, limit {f.limit:.2f}"
        + (f" ({f.where})" if f.where else "")
        for f in findings_from(done)
    ] or ["nothing to report"]
    return "\n".join(lines)


def _figure(finding: Finding) -> str:
    return f"{finding.figure:.2f}" if math.isfinite(finding.figure) else "never"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training monitor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--lake", help="folder or address of the lake (VEREDA_LAKE)")
    add("--data", type=Path, default=DATA, help="historical sets, for --retrain (VEREDA_DATA)")
    add("--root", type=Path, default=ROOT, help="workspace (VEREDA_LEARNING)")
    add("--until", type=datetime.fromisoformat, help="end of the day; default: midnight UTC")
    add("--keys", type=Path, default=KEYS, help="signing keys of the fleet (VEREDA_KEYS)")
    add("--no-page", action="store_true", help="leave out Evidently's report")
    add("--retrain", action="store_true", help="start a retraining when a trigger fires")
    add("--search", choices=("small", "plan"), default="plan", help="with --retrain: trials of it")
    add_arguments(parser)
    add("--dry-run", action="store_true", help="say what would be done")
    return parser


if __name__ == "__main__":
    sys.exit(main())
