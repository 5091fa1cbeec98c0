"""`python -m training retrain`: new cases of the lake -> a signed candidate with its report.

A run that was interrupted goes on; `--restart` begins another. Nothing reaches a clinic: the
candidate waits for the physicians (`approve`) and for `release`.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import optuna

from ddx import file_lock
from ddx.errors import DdxError
from model_bundles import files, layout
from model_bundles.manifest import Release
from training.change_plan import ChangePlan, change_plan
from training.commands.fitting import add_arguments, open_fitter
from training.commands.workspace import (
    DATA,
    DONE,
    FINISHED,
    REFUSED,
    ROOT,
    STOPPED,
    Say,
    Workspace,
    new_run,
)
from training.fit.boost import FitSettings
from training.fit.fitter import Fitter
from training.fit.tune import SearchSettings
from training.lake.gold import GoldCases
from training.monitor.notify import AlarmChannel, Message, notifier
from training.pipelines import kept_rows
from training.pipelines.history import History, files_of
from training.pipelines.lineage import Lineage, LineageError, code_here
from training.pipelines.outcome import Outcome
from training.pipelines.request import (
    REQUEST,
    Request,
    Settings,
    TooFewCasesError,
    moment,
    pinned,
    start,
)
from training.pipelines.retrain import Bundle, Retraining
from training.pipelines.steps import DryRunEnds, StepError, StoppedByPlan
from training.publish.ledger import Event

AGAIN = "Run again it goes on from here, on the same rows; --restart begins a new run."
MANUAL = "manual"
SMALL_TRIALS = 6
"""Trials of `--search small`: what ships and five others, half an hour on two cores at most."""


def main(argv: Sequence[str] | None = None) -> int:
    """Retrain; return 0, 2 after saying what is in the way, 3 when the plan stops it.

    The plan stops a candidate that does not meet it, and a run without the cases it takes.
    """
    asked = _parser().parse_args(argv)
    workspace, plan = Workspace(asked.root), change_plan()
    started = time.monotonic()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # trials are told as progress

    def say(line: str) -> None:
        print(f"[{time.monotonic() - started:6.0f} s] {line}", flush=True)

    try:
        with open_fitter(asked) as fitter:
            outcome = _run(asked, workspace, plan, fitter, say)
        _tell(outcome, workspace, plan, say)
        outcome.require()
    except StoppedByPlan as error:
        print(f"\n{error}", file=sys.stderr)
        return STOPPED
    except DryRunEnds as ended:
        print(ended)
        return DONE
    except DdxError as error:
        print(f"\nStopped: {error}\n{AGAIN}", file=sys.stderr)
        if asked.trigger != MANUAL and not asked.dry_run:
            _tell_refused(error, asked.trigger, plan, say)
        # no fault: a job that is tried again would find no more cases
        return STOPPED if isinstance(error, TooFewCasesError) else REFUSED
    print(_closing(outcome, plan))
    return DONE


def _run(
    asked: argparse.Namespace, workspace: Workspace, plan: ChangePlan, fitter: Fitter, say: Say
) -> Outcome:
    current = workspace.current()
    folder = None if asked.restart else workspace.unfinished()
    if folder is None:
        at = moment()
        folder = workspace.runs / new_run(at)
        request = _request(asked, workspace, plan, current, at=at, fitter=fitter, say=say)
        if asked.dry_run:
            say(f"would start {folder.name}: {request.rows.count:,} cases")
            raise DryRunEnds("dry run ends before the first step; nothing was changed")
    else:
        request = Request.from_json((folder / REQUEST).read_bytes())
        request = replace(request, code=code_here())
        say(f"going on with {folder.name}")
    if not asked.dry_run:
        request = start(folder, request)
    with _alone(folder):
        run = Retraining(
            folder=folder,
            request=request,
            lake=asked.lake or workspace.lake,
            read_history=lambda: History.read(asked.data),
            current=current,
            plan=plan,
            say=say,
            check=lambda gold: _trainable(gold, plan, say),
            fitter=fitter,
            dry_run=asked.dry_run,
        )
        outcome = run.run()
        if outcome.promote:
            kept_rows.keep(workspace.kept_rows, run.gold)
        return outcome


def _trainable(gold: GoldCases, plan: ChangePlan, say: Say) -> None:
    """Hold the rows to their suite; a failure is told and stops the run."""
    from training.lake.expectations import require_trainable  # noqa: PLC0415 (seconds to import)

    verdict = require_trainable(gold, AlarmChannel(notifier(plan), say))
    say(f"{verdict.expectations} expectations hold of {verdict.rows:,} cases")


def _request(
    asked: argparse.Namespace,
    workspace: Workspace,
    plan: ChangePlan,
    current: Bundle,
    *,
    at: datetime,
    fitter: Fitter,
    say: Say,
) -> Request:
    until = asked.until or at
    held_out = asked.held_out or plan.data.held_out_last.value
    trials = asked.trials or (SMALL_TRIALS if asked.search == "small" else plan.data.trials.value)
    return Request(
        at=at,
        version=_next(workspace.highest(current.version), at),
        trigger=asked.trigger,
        rows=pinned(
            asked.lake or workspace.lake,
            since=asked.since,
            new_since=None if asked.since else _trained_until(current),
            until=until,
            version=asked.lake_version,
            held_out=held_out,
            plan=plan,
            say=say,
        ),
        code=code_here(),
        history=files_of(asked.data),
        replaces=current.digest,
        settings=Settings(
            search=SearchSettings(trials=trials, folds=plan.data.folds.value),
            held_out=held_out,
            fit=FitSettings(threads=asked.threads, device=asked.device or fitter.device()),
        ),
    )


def _trained_until(current: Bundle) -> datetime | None:
    """Return where the window of the current model ended; None when it tells of none."""
    try:
        until = Lineage.of(current).rows.until
    except LineageError:
        return None
    return None if until is None else datetime.fromisoformat(until)


def _next(version: str, at: datetime) -> str:
    year, month, number = layout.version_key(version)
    follows = number + 1 if (year, month) == (at.year, at.month) else 1
    return f"{at.year}.{at.month}.{follows}"


def _tell(outcome: Outcome, workspace: Workspace, plan: ChangePlan, say: Say) -> None:
    """Register the run, write the ledger, notify; each is done once."""
    from training.publish.registry import Registry  # noqa: PLC0415 (MLflow takes seconds to import)

    release = Release(outcome.version, outcome.digest)
    request = Request.from_json((outcome.folder / REQUEST).read_bytes())
    say("registering")
    registry = Registry(workspace.tracking)
    run = registry.track(outcome, trigger=request.trigger)
    if outcome.signed is not None:
        tags = {"retrain_trigger": request.trigger, "date": f"{request.at:%Y-%m-%d}"}
        registry.register(release, run, outcome.signed, tags)
        event, failed = Event.REGISTERED, {}
    else:
        event, failed = Event.DECLINED, {"failed": outcome.failed()}
    workspace.ledger.once(
        event,
        release,
        moment(),
        run=outcome.folder.name,
        report=outcome.report,
        plan=plan.digest,
        **failed,
    )
    figures = outcome.evaluation.json("evaluation.json")["figures"]
    before, now = (figures[m]["f1"]["value"] for m in ("current", "new"))
    message = Message(
        severity="information" if outcome.promote else "high",
        key=f"retrain-{outcome.digest[:16]}",
        title=f"Model {outcome.version} "
        + ("is ready for review" if outcome.promote else "does not meet the plan"),
        facts={"F1": f"{before:.3f} → {now:.3f}", "run": outcome.folder.name},
    )
    if not (outcome.folder / FINISHED).exists():
        for line in notifier(plan).send(message):
            say(line)
        ended = {"digest": outcome.digest, "report": outcome.report, "promote": outcome.promote}
        files.write_durably(outcome.folder / FINISHED, json.dumps(ended).encode())


def _tell_refused(error: DdxError, trigger: str, plan: ChangePlan, say: Say) -> None:
    """Tell people that a retraining nobody sits before has stopped. Too few cases is no fault."""
    message = Message(
        severity="information" if isinstance(error, TooFewCasesError) else "high",
        key=f"retrain-stopped-{error.code}",
        title=f"The retraining ({trigger}) stopped",
        facts={"code": error.code, "why": str(error)},
    )
    for line in notifier(plan).send(message):
        say(line)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a run for this process. Raises StepError when another one has it."""
    with file_lock.tried(folder / ".lock") as taken:
        if not taken():
            raise StepError("another process works on this run; wait for it")
        yield


def _closing(outcome: Outcome, plan: ChangePlan) -> str:
    pages = sorted(outcome.evaluation.folder.glob("report.*.html"))
    lines = [
        "",
        f"candidate  {outcome.version}   digest {outcome.digest[:16]}…",
        f"report     digest {outcome.report[:16]}…",
        *(f"report     {page}" for page in pages),
        f"next       {plan.approval.signatures.value} physicians: python -m training approve "
        f"{outcome.folder.name} --key KEY",
    ]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training retrain",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--lake", help="folder or address of the lake (VEREDA_LAKE)")
    add("--data", type=Path, default=DATA, help="historical sets (VEREDA_DATA)")
    add("--root", type=Path, default=ROOT, help="runs, ledger, repository (VEREDA_LEARNING)")
    add("--since", type=_time, help="only visits from here on; default: see docs/learning_loop.md")
    add("--until", type=_time, help="visits before this; default: now")
    add("--lake-version", type=int, help="an older state of the gold table")
    add("--held-out", type=int, help="newest cases that judge; default: of the plan")
    add("--search", choices=("small", "plan"), default="small", help="6 trials, or the plan's 500")
    add("--trials", type=int, help="so many trials instead")
    add("--trigger", default=MANUAL, help="why: schedule, drift, performance, manual")
    add("--threads", type=int, default=1, help="of XGBoost; part of the lineage")
    add("--device", choices=("cpu", "cuda"), help="default: a GPU where XGBoost finds one")
    add_arguments(parser)
    add("--restart", action="store_true", help="begin anew, leave an unfinished run")
    add("--dry-run", action="store_true", help="say what would be done")
    return parser


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError("needs a zone: 2026-11-01T00:00:00+00:00")
    return found


if __name__ == "__main__":
    sys.exit(main())
