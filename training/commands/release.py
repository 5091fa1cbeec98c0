"""`python -m training release RUN`: the approved candidate to the clinics, by stages.

Called the first time it checks the approval, publishes the bundle in the fleet's repository and
offers it to the first share of the devices. Called again (every hour, by a timer) it reads what the
fleet reported since, and goes on, holds or rolls back. `--dry-run` says what would be done.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict

from ddx.errors import DdxError
from model_bundles import chain
from model_bundles.authoring.build import BuiltBundle, build_bundle
from model_bundles.authoring.repository import Repository
from model_bundles.embedded import embedded_trust
from model_bundles.errors import BundleError, BundleWithdrawnError
from model_bundles.manifest import Release
from model_bundles.rollout import Rollout
from model_bundles.verify import METADATA_FOLDER, Trust, VerifiedBundle, open_verified
from training.change_plan import ChangePlan, change_plan
from training.commands.approve import standing, subject_of
from training.commands.workspace import (
    DONE,
    JOURNAL,
    KEYS,
    REFUSED,
    ROOT,
    STOPPED,
    Say,
    SeverityIn,
    Workspace,
)
from training.lake.gold import engine_times, read_cases
from training.lake.place import Lake
from training.monitor.notify import notifier
from training.pipelines.request import moment
from training.pipelines.retrain import CHANNEL as CANDIDATE
from training.pipelines.steps import StepError
from training.publish.approval import require
from training.publish.ledger import Event, offer_of
from training.rollout.control import Effect, FellShort, Phase, Reported, Started, State
from training.rollout.devices import Usual, failures, together, told_by_devices, usual_times
from training.rollout.journal import Journal
from training.rollout.operate import Operator
from training.rollout.reports import arm_of, read_telemetry
from training.rollout.sequential import SafeTest
from training.rollout.telemetry import Memory, Told, read

TELEMETRY = "telemetry.json"
USUAL_OF = timedelta(days=28)
"""Before a rollout: what is usual at a device. An estimate: four weeks hold slow days and fast."""


def main(argv: Sequence[str] | None = None) -> int:
    """Go on with a release; return 0, 2 after saying what is in the way, 3 when rolled back."""
    asked = _parser().parse_args(argv)
    workspace, plan = Workspace(asked.root), change_plan()
    try:
        state = _release(asked, workspace, plan, print)
    except DdxError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return REFUSED
    print(told(state, plan))
    return STOPPED if state.phase is Phase.ROLLED_BACK else DONE


def _release(asked: argparse.Namespace, workspace: Workspace, plan: ChangePlan, say: Say) -> State:
    run = workspace.open_run(asked.run)
    journal, at = Journal(run / JOURNAL), asked.at or moment()
    state, due = journal.state(plan)
    if not state.over:
        require(standing(run, workspace, plan))
    elif not due:
        return state
    if asked.dry_run:
        say(_would(state, plan))
        return state
    fleet = workspace.fleet(asked.keys)
    if not state.over:
        _reaches_clinics(fleet, asked.clinic_root)
    operator = _operator(workspace, plan, run, fleet, at=at, say=say, ended=state.over)
    _carry_out(operator, journal, due, at)
    if state.over:
        return state
    memory, reading = Memory.of(run / TELEMETRY), read(asked.metrics, say)
    if state.phase is Phase.READY:
        journal.add(Started(at=at))
        root = f" --root {asked.clinic_root}" if asked.clinic_root else ""
        say(f"clinics get it from: vereda-cloud --repository {fleet.directory}{root}")
    else:
        lake = asked.lake or workspace.lake
        versions, severity = _versions(operator, plan), SeverityIn(workspace.current())
        counted = read_telemetry(asked.telemetry), memory.told(reading, **versions)
        journal.add(_report(lake, journal, counted, severity, versions, at=at))
    if asked.metrics:  # after the journal: a call that dies between counts an hour twice, not never
        memory.keep(reading, operator.before.version)
    state, due = journal.state(plan)
    _carry_out(operator, journal, due, at)
    return state


class _Versions(TypedDict):
    """What a report compares. share: by which the new one may take longer."""

    current: str
    new: str
    share: float


def _versions(operator: Operator, plan: ChangePlan) -> _Versions:
    return _Versions(
        current=operator.before.version,
        new=operator.release.version,
        share=plan.rollout.latency_may_rise_by_share.value,
    )


def _report(
    lake: Path | str,
    journal: Journal,
    counted: Iterable[Told],
    severity: SeverityIn,
    versions: _Versions,
    *,
    at: datetime,
) -> Reported:
    """Return what became known since the last event. counted: errors and times of the clouds."""
    since = journal.last_at()
    gold = read_cases(lake, since, at, labelled=False, clock="known_at")
    usual = _usual_times(lake, journal, versions["current"], at)
    failed = failures(Lake(str(lake)), since, at)
    devices = told_by_devices(gold, failed, usual, since, **versions)
    telemetry = together((*counted, devices))
    current, new = (
        arm_of(gold, version, telemetry, severity)
        for version in (versions["current"], versions["new"])
    )
    return Reported(at=at, current=current, new=new)


def _usual_times(lake: Path | str, journal: Journal, current: str, at: datetime) -> Usual:
    """Return what the devices told before the rollout; in it, where they told nothing before."""
    began = journal.began_at()
    month = None if began is None else began - USUAL_OF
    before = usual_times(engine_times(lake, current, month, began))
    if before.of_all is not None:
        return before
    return usual_times(engine_times(lake, current, began, at))


def take_back(
    workspace: Workspace,
    release: Release,
    event: FellShort,
    plan: ChangePlan,
    *,
    keys: Path,
    say: Say,
) -> bool:
    """Send every device with `release` back to the model before it; return whether one can.

    What is decided is kept before it is done. Where the fleet's keys are not, the next `release`
    of a machine that has them does it.
    """
    run = next((p for p in workspace.releases() if _is_of(p, release)), None)
    if run is None:
        return False
    journal = Journal(run / JOURNAL)
    if journal.state(plan)[0].may_go_back:
        journal.add(event)
    due = journal.state(plan)[1]
    if not any(keys.glob("*.pem")):
        say(f"the fleet's keys are not here: `release {run.name}` where they are takes it back")
    elif due:
        fleet = workspace.fleet(keys)
        operator = _operator(workspace, plan, run, fleet, at=event.at, say=say, ended=True)
        _carry_out(operator, journal, due, event.at)
    return True


def _is_of(run: Path, release: Release) -> bool:
    subject = subject_of(run)
    return Release(subject.version, subject.bundle) == release


def _carry_out(operator: Operator, journal: Journal, due: Sequence[Effect], at: datetime) -> None:
    operator.carry_out(due, at)
    if due:
        journal.mark()


def _reaches_clinics(fleet: Repository, clinic_root: Path | None) -> None:
    """Check that installed devices believe this repository.

    They judge it by the root their application embeds. A repository made with other keys is signed
    well and refused by all of them. Raises StepError.
    """
    try:
        root = clinic_root.read_bytes() if clinic_root else embedded_trust().root
        chain.repository_targets(fleet.directory / METADATA_FOLDER, root)
    except OSError as error:
        raise StepError(f"{clinic_root} cannot be read: {error.strerror}") from error
    except BundleError as error:
        raise StepError(
            f"no installed device would take {fleet.directory}: it does not reach the root "
            f"{clinic_root or 'this application ships'} ({error}). Remove that folder and give "
            "--keys the keys of that root; or give --clinic-root the root.json the installed "
            "applications embed"
        ) from error


def _prepared(
    fleet: Repository, workspace: Workspace, run: Path, release: Release, *, at: datetime, say: Say
) -> Release:
    """Publish the current and the new bundle where they are not yet; return the current one.

    The new one is offered to nobody before the controller says so.
    """
    offer = workspace.offer()
    if offer is not None and offer.release == release:
        if offer.rollout is None or offer.rollout.before is None:
            raise StepError(f"{release.version} is offered to everybody already")
        return offer.rollout.before
    current = workspace.current()
    if not _published(fleet, current.release):
        say(f"publishing {current.version}, the current model")
        fleet.publish(built_of(current), at=at)
    if not _published(fleet, release):
        say(f"publishing {release.version}")
        nobody = Rollout(basis_points=0, salt=release.version, before=current.release)
        fleet.publish(built_of(_candidate(run, release)), at=at, rollout=nobody)
    return current.release


def _stood_before(workspace: Workspace, release: Release) -> Release:
    """Return what a release was offered in the place of. Raises StepError: it never was."""
    for entry in reversed(workspace.ledger.entries()):
        if (entry.event, entry.release) == (Event.OFFERED, release):
            rollout = offer_of(entry).rollout
            if rollout is not None and rollout.before is not None:
                return rollout.before
    raise StepError(f"the ledger does not say what stood before {release.version}")


def _candidate(run: Path, release: Release) -> VerifiedBundle:
    """Return the candidate as it was signed. Raises StepError for another digest."""
    folders = sorted((run / "steps").glob("*-signed-*/repository"))
    for folder in folders:
        root = (folder / "metadata" / "1.root.json").read_bytes()
        found = open_verified(folder, Trust(root), channel=CANDIDATE)
        if found.release == release:
            return found
    raise StepError(f"{run.name} holds no signed candidate {release.digest[:12]}")


def built_of(bundle: VerifiedBundle) -> BuiltBundle:
    """Return a verified bundle ready to be published elsewhere. Raises StepError."""
    built = build_bundle(
        {name: bundle.peek(name) for name in bundle.members},
        bundle.version,
        bundle.created_at,
        min_app_version=bundle.manifest.min_app_version,
    )
    if built.digest != bundle.digest:
        raise StepError(f"{bundle.version} is not what its members give")
    return built


def _published(fleet: Repository, release: Release) -> bool:
    try:
        return fleet.release(release.version) == release
    except BundleWithdrawnError:
        return False


def _operator(
    workspace: Workspace,
    plan: ChangePlan,
    run: Path,
    fleet: Repository,
    *,
    at: datetime,
    say: Say,
    ended: bool,
) -> Operator:
    """Return who carries out the release of a run, its bundles published.

    ended: the release only goes back now, to what stood before it when it was offered; another one
    may be on its way out by then.
    """
    from training.publish.registry import Registry  # noqa: PLC0415 (MLflow takes seconds to import)

    subject = subject_of(run)
    release = Release(subject.version, subject.bundle)
    if ended:
        before = _stood_before(workspace, release)
    else:
        before = _prepared(fleet, workspace, run, release, at=at, say=say)
    return Operator(
        repository=fleet,
        ledger=workspace.ledger,
        registry=Registry(workspace.tracking),
        notifier=notifier(plan),
        release=release,
        before=before,
        say=say,
    )


def _would(state: State, plan: ChangePlan) -> str:
    if state.over:
        return "would do what was decided and not done: see the state below"
    if state.phase is Phase.READY:
        return f"would publish and offer to {plan.rollout.ab_percent.value} % of the devices"
    return "would read the fleet's reports and go on, hold or roll back"


def told(state: State, plan: ChangePlan) -> str:
    """Return where a rollout stands, for a terminal."""
    steps = (plan.rollout.ab_percent.value, *plan.rollout.stages_percent.value)
    lines = [f"{state.phase.value}: {steps[state.stage]} % of the devices"]
    if state.entered_at is not None and not state.over:
        hours = plan.rollout.stage_hours if state.stage else plan.rollout.ab_hours
        due = state.entered_at + timedelta(hours=hours.value)
        lines.append(f"since {state.entered_at:%Y-%m-%d %H:%M}, next stage {due:%Y-%m-%d %H:%M}")
    for signal, test in state.watched():
        if isinstance(test, SafeTest):
            arms = "   ".join(
                f"{name} {arm.bad}/{arm.cases}"
                for name, arm in (("current", test.current), ("new", test.new))
            )
        else:
            arms = f"missed {test.seen.bad}/{test.seen.cases}, at most {test.ceiling:.0%}"
        lines.append(f"{signal.value:<16}{arms}   evidence {test.log_evidence:+.1f}")
    if state.reason is not None:
        lines.append(f"because of {state.reason.value}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training release",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("run", nargs="?", default="latest", help="name of the run; default: the newest")
    add("--lake", help="folder or address of the lake (VEREDA_LAKE)")
    add(
        "--telemetry",
        type=Path,
        help="cases, errors and slow cases told of by no cloud and no device, by version (JSON)",
    )
    add(
        "--metrics",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="/metrics of a cloud that answers with either model; repeatable",
    )
    add("--root", type=Path, default=ROOT, help="workspace (VEREDA_LEARNING)")
    add("--keys", type=Path, default=KEYS, help="signing keys of the fleet (VEREDA_KEYS)")
    add("--clinic-root", type=Path, help="root.json installed devices embed; default: the shipped")
    add("--at", type=datetime.fromisoformat, help="as if it were this time")
    add("--dry-run", action="store_true", help="say what would be done")
    return parser


if __name__ == "__main__":
    sys.exit(main())
