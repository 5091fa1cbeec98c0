"""The controller of a rollout: (state, event) -> (state, effects). Pure: no clock, disk or socket.

A release is tried on 10 % of the devices for a day, then goes up in stages. At every report of the
fleet four signals are compared between the devices with the new model and the others: errors,
diagnoses that took too long, proposals clinicians overrode, and which diseases come first. A fifth
is compared with the plan alone: critical diseases the new model did not rank first. Strong evidence
rolls back, some holds, none lets time pass. After its end one thing still takes a release back: the
monitor that finds its critical recall below the plan's floor.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import log
from typing import Final

from training.change_plan import ChangePlan
from training.monitor.drift import column_drift
from training.rollout.sequential import CeilingTest, Counted, SafeTest


class Signal(StrEnum):
    """What is compared between the two arms."""

    ERRORS = "errors"
    LATENCY = "latency"
    FEEDBACK = "feedback"
    DISTRIBUTION = "distribution"
    TELEMETRY = "telemetry"  # nobody told of errors and times
    CRITICAL_RECALL = "critical_recall"
    EVIDENCE = "evidence"  # too few cases, or a hold that did not end


class Severity(StrEnum):
    """How loud an alert is; whom it reaches stands in docs/pccp.yaml."""

    CRITICAL = "critical"
    HIGH = "high"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What one group of devices reported since the last report.

    slow: of `cases`, those that took longer than the allowed time: the median before the rollout
    for devices with the current model, that plus the allowed share for those with the new one. A
    model slower by no more than the share is then slow no more often. feedback, overridden:
    decisions of clinicians, and those that set the proposal aside. first: disease -> cases in
    which it was ranked first. told: whether errors and slow are known; zero errors nobody counted
    are no good news. critical, missed: confirmed cases of a critical disease (severity 1 or 2), and
    those of them in which it was not ranked first.
    """

    told: bool = True
    cases: int = 0
    errors: int = 0
    slow: int = 0
    feedback: int = 0
    overridden: int = 0
    first: Mapping[str, int] = field(default_factory=dict)
    critical: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The release is signed and approved; the A/B test begins."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The fleet's reports up to a time."""

    at: datetime
    current: Arm
    new: Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class FellShort:
    """The monitor is sure that the release's critical recall lies below the plan's floor.

    recall: what was confirmed, 0..1. floor: of the plan.
    """

    at: datetime
    recall: float
    floor: float


Event = Started | Reported | FellShort


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Offer the release to this share of the devices."""

    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """Offer the current model to everybody and send the devices with the new one back."""

    signal: Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote:
    """The release is the production model; the one before is archived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Tell the team. figure: what was seen, against `limit`."""

    severity: Severity
    code: str
    signal: Signal | None = None
    figure: float = 0.0
    limit: float = 0.0


Effect = Offer | RollBack | Promote | Alert


class Phase(StrEnum):
    """Where a rollout stands."""

    READY = "ready"
    RUNNING = "running"
    HELD = "held"
    ROLLED_BACK = "rolled_back"
    COMPLETE = "complete"


EXPECTED: Final[Mapping[Signal, float]] = {
    Signal.ERRORS: 0.001,  # SLO of the reference architecture: error rate below 0.1 %
    Signal.LATENCY: 0.5,  # half of the cases are above a median
    Signal.FEEDBACK: 0.2,  # estimate; the current arm's own rate takes over within a day
}
"""Rates before the current arm has shown its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A rollout. stage: index into the percentages. stage_cases: of the new arm in this stage.

    held_since: when the hold began that is on now. missed: critical diseases the new model missed.
    """

    phase: Phase = Phase.READY
    stage: int = 0
    entered_at: datetime | None = None
    held_since: datetime | None = None
    stage_cases: int = 0
    tests: Mapping[Signal, SafeTest] = field(
        default_factory=lambda: {s: SafeTest(expected=rate) for s, rate in EXPECTED.items()}
    )
    missed: CeilingTest | None = None
    first_current: Mapping[str, int] = field(default_factory=dict)
    first_new: Mapping[str, int] = field(default_factory=dict)
    reason: Signal | None = None

    @property
    def over(self) -> bool:
        """Whether reports change nothing any more."""
        return self.phase in {Phase.ROLLED_BACK, Phase.COMPLETE}

    @property
    def may_go_back(self) -> bool:
        """Whether devices have the release, and so can be sent back."""
        return self.phase in {Phase.RUNNING, Phase.HELD, Phase.COMPLETE}

    def watched(self) -> tuple[tuple[Signal, SafeTest | CeilingTest], ...]:
        """Return every running test with its signal."""
        alone = () if self.missed is None else ((Signal.CRITICAL_RECALL, self.missed),)
        return (*self.tests.items(), *alone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """The most worrying signal. stop: roll back at once; otherwise hold."""

    signal: Signal
    figure: float
    limit: float
    stop: bool


def step(state: State, event: Event, plan: ChangePlan) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what has to be done, in order."""
    match event:
        case Started(at=at) if state.phase is Phase.READY:
            begun = replace(state, phase=Phase.RUNNING, entered_at=at)
            return begun, (
                Offer(percent=_percent(plan, 0)),
                Alert(severity=Severity.INFORMATION, code="rollout.started"),
            )
        case Reported() if state.phase in {Phase.RUNNING, Phase.HELD}:
            seen = _seen(state, event, plan)
            concern = _concern(seen, plan) or _untold(event)
            if concern is not None and concern.stop:
                return _rolled_back(seen, concern)
            if concern is not None:
                return _held(seen, event.at, concern, plan)
            return _advanced(seen, event.at, plan)
        case FellShort(recall=recall, floor=floor) if state.may_go_back:
            return _rolled_back(
                state,
                Concern(signal=Signal.CRITICAL_RECALL, figure=recall, limit=floor, stop=True),
            )
        case _:
            return state, ()


def _seen(state: State, event: Reported, plan: ChangePlan) -> State:
    new, current = event.new, event.current
    m, n = (arm.cases if arm.told else 0 for arm in (current, new))
    counts = {
        Signal.ERRORS: (m, current.errors, n, new.errors),
        Signal.LATENCY: (m, current.slow, n, new.slow),
        Signal.FEEDBACK: (current.feedback, current.overridden, new.feedback, new.overridden),
    }
    tests = {
        signal: state.tests[signal].after(Counted(cases=m, bad=b), Counted(cases=n, bad=a))
        for signal, (m, b, n, a) in counts.items()
    }
    missed = state.missed or CeilingTest(ceiling=1.0 - plan.monitor.critical_recall_rollback.value)
    return replace(
        state,
        tests=tests,
        missed=missed.after(Counted(cases=new.critical, bad=new.missed)),
        stage_cases=state.stage_cases + new.cases,
        first_current=dict(Counter(state.first_current) + Counter(current.first)),
        first_new=dict(Counter(state.first_new) + Counter(new.first)),
    )


def _concern(state: State, plan: ChangePlan) -> Concern | None:
    """Return what speaks most against going on, None when nothing does."""
    rollout = plan.rollout
    stop, hold = (-log(c.value) for c in (rollout.false_rollback_chance, rollout.false_hold_chance))
    found = [
        Concern(signal=signal, figure=evidence, limit=stop, stop=evidence >= stop)
        for signal, test in state.watched()
        if (evidence := test.log_evidence) >= hold
    ]
    moved = _distribution(state, plan)
    if moved > rollout.distribution_hold.value:
        most = rollout.distribution_rollback.value
        found.append(
            Concern(signal=Signal.DISTRIBUTION, figure=moved, limit=most, stop=moved > most)
        )
    return max(found, key=lambda c: (c.stop, c.figure / c.limit), default=None)


def _untold(event: Reported) -> Concern | None:
    """Return that errors and times of an arm are not known: what is not watched does not go on."""
    if event.current.told and event.new.told:
        return None
    return Concern(signal=Signal.TELEMETRY, figure=0.0, limit=1.0, stop=False)


def _distribution(state: State, plan: ChangePlan) -> float:
    if not state.first_current or sum(state.first_new.values()) < 1:
        return 0.0
    watch = plan.monitor
    chance, half = watch.drift_noise_chance.value, watch.drift_half_psi.value
    return column_drift("first", state.first_current, state.first_new, chance, half).score


def _rolled_back(state: State, concern: Concern) -> tuple[State, tuple[Effect, ...]]:
    alert = Alert(
        severity=Severity.CRITICAL,
        code="rollout.rolled_back",
        signal=concern.signal,
        figure=concern.figure,
        limit=concern.limit,
    )
    ended = replace(state, phase=Phase.ROLLED_BACK, reason=concern.signal)
    return ended, (RollBack(signal=concern.signal), alert)


def _held(
    state: State, at: datetime, concern: Concern, plan: ChangePlan
) -> tuple[State, tuple[Effect, ...]]:
    since = state.held_since or at
    longest = timedelta(hours=plan.rollout.longest_hold_hours.value)
    if at - since >= longest:
        return _rolled_back(state, replace(concern, stop=True))
    held = replace(state, phase=Phase.HELD, held_since=since, reason=concern.signal)
    if state.phase is Phase.HELD:
        return held, ()
    alert = Alert(
        severity=Severity.HIGH,
        code="rollout.held",
        signal=concern.signal,
        figure=concern.figure,
        limit=concern.limit,
    )
    return held, (alert,)


def _advanced(state: State, at: datetime, plan: ChangePlan) -> tuple[State, tuple[Effect, ...]]:
    going = replace(state, phase=Phase.RUNNING, held_since=None, reason=None)
    entered = going.entered_at or at
    hours = plan.rollout.stage_hours if going.stage else plan.rollout.ab_hours
    due = entered + timedelta(hours=hours.value)
    if at < due:
        return going, ()
    short = _short(going)
    if short is not None:
        return _held(state, at, short, plan)
    if going.stage_cases < plan.rollout.least_cases_per_stage.value:
        if at < due + timedelta(hours=plan.rollout.longest_hold_hours.value):
            return going, ()
        return _rolled_back(
            going, Concern(signal=Signal.EVIDENCE, figure=going.stage_cases, limit=0.0, stop=True)
        )
    if going.stage == len(plan.rollout.stages_percent.value):
        done = replace(going, phase=Phase.COMPLETE)
        return done, (Promote(), Alert(severity=Severity.INFORMATION, code="rollout.complete"))
    following = replace(going, stage=going.stage + 1, entered_at=at, stage_cases=0)
    return following, (Offer(percent=_percent(plan, following.stage)),)


def _short(state: State) -> Concern | None:
    """Return that critical recall so far lies below the floor: no further clinic gets the release.

    At the end of a stage only, where it is looked at once: no test, a precaution. A good model is
    held by it for want of cases, until more of them have come.
    """
    test = state.missed
    if test is None or test.seen.bad <= test.ceiling * test.seen.cases:
        return None
    recall = 1.0 - test.seen.bad / test.seen.cases
    return Concern(
        signal=Signal.CRITICAL_RECALL, figure=recall, limit=1.0 - test.ceiling, stop=False
    )


def _percent(plan: ChangePlan, stage: int) -> int:
    return (plan.rollout.ab_percent.value, *plan.rollout.stages_percent.value)[stage]
