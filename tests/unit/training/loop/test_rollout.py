"""Good models reach everybody, bad ones do not get past the A/B test."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.change_plan import change_plan
from training.rollout.control import (
    Alert,
    Arm,
    FellShort,
    Offer,
    Phase,
    Promote,
    Reported,
    RollBack,
    Severity,
    Signal,
    Started,
    State,
    step,
)
from training.rollout.journal import Journal
from training.rollout.sequential import ODDS, CeilingTest, Counted, SafeTest
from training.rollout.simulate import ACCEPTABLE, MODELS, rollout

PLAN = change_plan()
T0 = datetime(2026, 11, 26, 8, tzinfo=UTC)
FIRST = {f"VD:{n}": 40 for n in range(20)}


def hour(n, new=None, current=None):
    """Return the reports of hour n; 40 quiet cases of the new model unless said otherwise."""
    quiet = {"cases": 40, "slow": 20, "feedback": 24, "overridden": 4, "first": {"VD:0": 40}}
    return Reported(
        at=T0 + timedelta(hours=n),
        current=Arm(**{**quiet, "cases": 360, "slow": 180, "feedback": 216, "overridden": 36})
        if current is None
        else current,
        new=Arm(**{**quiet, **(new or {})}),
    )


def run(events):
    state, effects = step(State(), Started(at=T0), PLAN)
    for event in events:
        state, more = step(state, event, PLAN)
        effects += more
    return state, effects


def test_a_quiet_release_rises_by_the_plan_and_is_promoted():
    state, effects = run(hour(n) for n in range(1, 41))
    offers = [e.percent for e in effects if isinstance(e, Offer)]
    assert offers == [10, 25, 50, 75, 100]
    assert state.phase is Phase.COMPLETE
    assert Promote() in effects


def test_the_first_stage_lasts_a_day_and_the_others_four_hours():
    offered = {}
    state, effects = step(State(), Started(at=T0), PLAN)
    for n in range(1, 41):
        state, effects = step(state, hour(n), PLAN)
        offered |= {e.percent: n for e in effects if isinstance(e, Offer)}
    assert offered == {25: 24, 50: 28, 75: 32, 100: 36}


@pytest.mark.parametrize(
    ("bad", "signal"),
    [
        ({"errors": 4}, Signal.ERRORS),
        ({"slow": 38}, Signal.LATENCY),
        ({"overridden": 18}, Signal.FEEDBACK),
        ({"first": {"VD:9": 30, "VD:0": 10}}, Signal.DISTRIBUTION),
        ({"critical": 6, "missed": 4}, Signal.CRITICAL_RECALL),
    ],
)
def test_each_signal_rolls_back_alarms_and_says_why(bad, signal):
    state, effects = run(hour(n, bad) for n in range(1, 24))
    assert (state.phase, state.reason) == (Phase.ROLLED_BACK, signal)
    assert RollBack(signal=signal) in effects
    alarm = effects[-1]
    assert isinstance(alarm, Alert)
    assert (alarm.severity, alarm.code) == (Severity.CRITICAL, "rollout.rolled_back")
    assert [e.percent for e in effects if isinstance(e, Offer)] == [10]


def test_a_passing_doubt_holds_and_then_goes_on():
    events = [hour(1, {"overridden": 12}), *(hour(n) for n in range(2, 60))]
    state, effects = run(events)
    codes = [e.code for e in effects if isinstance(e, Alert)]
    assert codes == ["rollout.started", "rollout.held", "rollout.complete"]
    assert state.phase is Phase.COMPLETE


def test_a_release_below_the_floor_of_critical_recall_goes_no_further_and_then_back():
    """One an hour, a quarter of them missed: no proof within a day, and no further clinic."""
    events = [hour(n, {"critical": 1, "missed": int(n % 4 == 0)}) for n in range(1, 80)]
    state, effects = run(events)
    assert [e.percent for e in effects if isinstance(e, Offer)] == [10]
    codes = [e.code for e in effects if isinstance(e, Alert)]
    assert codes == ["rollout.started", "rollout.held", "rollout.rolled_back"]
    assert (state.phase, state.reason) == (Phase.ROLLED_BACK, Signal.CRITICAL_RECALL)


def test_a_release_above_the_floor_rises_though_it_missed_some():
    state, _ = run(hour(n, {"critical": 3, "missed": int(n % 4 == 0)}) for n in range(1, 41))
    assert state.phase is Phase.COMPLETE


def fell_short(n):
    return FellShort(at=T0 + timedelta(hours=n), recall=0.7, floor=0.8)


@pytest.mark.parametrize("hours", [10, 41])
def test_what_the_monitor_finds_too_low_goes_back_during_the_rollout_and_after_it(hours):
    state, effects = run([*(hour(n) for n in range(1, hours)), fell_short(hours)])
    assert effects[-2] == RollBack(signal=Signal.CRITICAL_RECALL)
    assert (effects[-1].severity, effects[-1].figure) == (Severity.CRITICAL, 0.7)
    assert step(state, fell_short(hours + 1), PLAN) == (state, ())


def test_a_release_nobody_has_cannot_go_back():
    assert step(State(), fell_short(1), PLAN) == (State(), ())


def test_a_ceiling_is_a_fair_bet_on_any_rate_at_it_and_a_losing_one_below():
    """The mean of the product over every outcome of ten cases: 1 at the ceiling, less below."""

    def mean(rate):
        return sum(
            math.comb(10, bad)
            * rate**bad
            * (1 - rate) ** (10 - bad)
            * math.exp(CeilingTest(ceiling=0.2).after(Counted(cases=10, bad=bad)).log_evidence)
            for bad in range(11)
        )

    assert mean(0.2) == pytest.approx(1.0)
    assert mean(0.1) < 0.9
    assert mean(0.4) > 2.0


def test_a_hold_that_does_not_end_rolls_back():
    doubtful = Arm(cases=0)
    events = [hour(1, {"errors": 4}), *(hour(n, vars_of(doubtful)) for n in range(2, 40))]
    state, _ = run(events)
    assert state.phase is Phase.ROLLED_BACK


def vars_of(arm):
    return {"cases": arm.cases, "slow": 0, "feedback": 0, "overridden": 0, "first": {}}


def test_without_cases_there_is_no_promotion():
    state, effects = run(hour(n, vars_of(Arm())) for n in range(1, 60))
    assert (state.phase, state.reason) == (Phase.ROLLED_BACK, Signal.EVIDENCE)
    assert [e.percent for e in effects if isinstance(e, Offer)] == [10]


def test_after_the_end_nothing_happens():
    state, _ = run(hour(n) for n in range(1, 41))
    assert step(state, hour(50, {"errors": 40}), PLAN) == (state, ())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(0, 400), st.floats(0.01, 0.9))
def test_the_evidence_of_one_block_is_on_average_one_when_both_are_alike(n, m, rate):
    """The defining property of an e-variable, by summing over every outcome of a small block."""
    n, m = n % 5, m % 5
    test = SafeTest(expected=min(max(rate, 0.05), 0.95))
    total = 0.0
    for a in range(n + 1):
        for b in range(m + 1):
            chance = math.comb(n, a) * math.comb(m, b) * rate ** (a + b)
            chance *= (1 - rate) ** (n + m - a - b)
            after = test.after(Counted(cases=m, bad=b), Counted(cases=n, bad=a))
            total += chance * math.exp(after.log_evidence)
    assert total <= 1.0 + 1e-9


def test_looking_every_hour_raises_no_false_alarm_beyond_its_chance():
    """400 rollouts of equal models, 40 looks each: at most 2 % may ever reach 1/0.02."""
    rng = np.random.default_rng(1)
    ever = 0
    for _ in range(400):
        test, most = SafeTest(expected=0.2), 0.0
        for _ in range(40):
            block = rng.binomial((216, 24), 0.15)
            test = test.after(
                Counted(cases=216, bad=int(block[0])), Counted(cases=24, bad=int(block[1]))
            )
            most = max(most, test.log_evidence)
        ever += most >= -math.log(0.02)
    assert ever / 400 <= 0.02
    assert len(ODDS) > 3


GOOD_NAMES, BAD_NAMES = list(MODELS)[:ACCEPTABLE], list(MODELS)[ACCEPTABLE:]


def test_a_bad_canary_is_rolled_back_before_25_percent_in_100_of_100_fleets():
    """Twenty fleets for each fault; `python -m training simulate` runs 100 for each."""
    runs = [rollout(MODELS[name], PLAN, seed) for name in BAD_NAMES for seed in range(20)]
    ended = Counter((run.phase, run.most_percent) for run in runs)
    assert ended == {(Phase.ROLLED_BACK, 10): 20 * len(BAD_NAMES)}


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_good_model_reaches_everybody(name):
    runs = [rollout(MODELS[name], PLAN, seed) for seed in range(100, 104)]
    assert {run.phase for run in runs} == {Phase.COMPLETE}


def test_a_journal_gives_the_state_back_and_the_effects_nobody_marked(tmp_path):
    journal = Journal(tmp_path / "rollout.jsonl")
    journal.add(Started(at=T0))
    assert journal.state(PLAN)[1][0] == Offer(percent=10)
    journal.mark()
    for n in range(1, 24):
        journal.add(hour(n))
    journal.mark()
    journal.add(hour(24))
    state, due = journal.state(PLAN)
    assert due == (Offer(percent=25),)
    assert state == run(hour(n) for n in range(1, 25))[0]
    journal.mark()
    journal.add(fell_short(30))
    state, due = journal.state(PLAN)
    assert state.reason is Signal.CRITICAL_RECALL
    assert due[0] == RollBack(signal=Signal.CRITICAL_RECALL)
    with (tmp_path / "rollout.jsonl").open("a") as handle:
        handle.write('{"event": {"kin')
    assert journal.state(PLAN) == (state, due)
