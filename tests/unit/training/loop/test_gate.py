"""The promotion rule: nothing worse on critical disease ever passes."""

import dataclasses
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddx.domain.case import Case, Sex
from ddx.domain.differential import Band, Candidate, World
from ddx.domain.identifiers import DiseaseId
from training.change_plan import change_plan
from training.evaluate import report
from training.evaluate.candidate import (
    Answers,
    Comparison,
    Figures,
    HeldOutCases,
    answer_both,
    compare,
)
from training.evaluate.common import Estimate
from training.evaluate.gate import Outcome, judge

PLAN = change_plan()
SEVERE, MILD = DiseaseId("VD:anaphylaxis"), DiseaseId("VD:influenza")
SEVERITY = {SEVERE: 1, MILD: 4}.get


def figures(**changed):
    known = {"f1": 0.88, "critical_recall": 0.95, "specificity": 0.82, "ece": 0.02, "top3": 0.97}
    estimates = {
        name: Estimate(changed.pop(name, value), 0.0, 1.0) for name, value in known.items()
    }
    rest = {"sex_gap": 1.0, "age_gap": 2.0, "parity": 1e-7, "p50_ms": 5.0, "p95_ms": 9.0}
    return Figures(**estimates, **{**rest, "p99_ms": 12.0, **changed})


def verdict(now, new, slower=1.0, foreign=()):
    nothing = HeldOutCases(ids=(), cases=(), truth=())
    silent = Answers(version="1", digest="0", top=(), seconds=np.ones(1))
    compared = Comparison(
        held_out=nothing,
        current=silent,
        new=silent,
        figures_current=now,
        figures_new=new,
        slower=slower,
    )
    return judge(compared, PLAN, foreign)


def test_the_example_of_the_reference_architecture_is_promoted():
    """F1 0.88 -> 0.90, critical recall 0.95 -> 0.96, specificity 0.82 -> 0.81: promote."""
    found = verdict(figures(), figures(f1=0.90, critical_recall=0.96, specificity=0.81))
    assert found.promote
    assert found.plan == PLAN.digest


@given(
    now=st.floats(0.0, 1.0),
    loss=st.floats(1e-9, 1.0),
    f1=st.floats(0.0, 1.0),
    specificity=st.floats(0.0, 1.0),
)
def test_less_critical_recall_never_passes_whatever_else_is_better(now, loss, f1, specificity):
    new = max(0.0, now - loss)
    if new < now:
        found = verdict(
            figures(critical_recall=now),
            figures(critical_recall=new, f1=f1, specificity=specificity),
        )
        assert not found.promote
        assert "critical_recall" in found.failed


@pytest.mark.parametrize(
    ("changed", "slower", "named"),
    [
        ({"f1": 0.88}, 1.0, "f1"),
        ({"specificity": 0.80}, 1.0, "specificity"),
        ({"ece": 0.05}, 1.0, "calibration"),
        ({"parity": 1e-4}, 1.0, "parity"),
        ({"sex_gap": 4.0}, 1.0, "sex_gap"),
        ({"age_gap": 4.5}, 1.0, "age_gap"),
        ({"p99_ms": 600.0}, 1.0, "latency_p99_ms"),
        ({}, 1.2, "latency_ratio"),
    ],
)
def test_each_limit_stops_a_candidate_by_name(changed, slower, named):
    found = verdict(figures(), figures(**{"f1": 0.9, **changed}), slower)
    assert found.failed == (named,)


def test_what_was_not_measured_has_not_passed():
    found = verdict(figures(), figures(f1=0.9, critical_recall=float("nan")))
    assert found.failed == ("critical_recall", "critical_recall_least")
    assert not found.promote


def test_a_floor_under_critical_recall_holds_though_both_are_bad():
    found = verdict(figures(critical_recall=0.7), figures(f1=0.9, critical_recall=0.75))
    assert found.failed == ("critical_recall_least",)


def test_a_member_outside_the_plan_stops_a_candidate():
    assert verdict(figures(), figures(f1=0.9), foreign=["models/rare_index.npz"]).failed == (
        "changes_outside_plan",
    )


def test_a_gap_nobody_can_measure_is_left_to_the_reviewers():
    found = verdict(figures(), figures(f1=0.9, age_gap=float("nan")))
    check = next(c for c in found.checks if c.name == "age_gap")
    assert (check.outcome, found.promote) == (Outcome.UNMEASURED, True)


def top(disease, probability):
    return (
        Candidate(
            rank=1,
            disease=disease,
            probability=probability,
            band=Band.LIKELY,
            world=World.COMMON,
        ),
    )


def test_figures_by_hand():
    """Four patients, two severe. Said: S right, M for S, M right, S for M.

    Recall of severe 1/2; of the two mild ones one is called severe, so specificity 1/2; F1 of both
    diseases 1/2. All at 0.75: half right, so the calibration error is 0.25.
    """
    truth, said = (SEVERE, SEVERE, MILD, MILD), (SEVERE, MILD, MILD, SEVERE)
    held_out = HeldOutCases(
        ids=tuple("abcd"),
        cases=tuple(Case(age_days=9000, sex=Sex.FEMALE) for _ in truth),
        truth=truth,
    )
    answers = Answers(
        version="1",
        digest="0",
        top=tuple(top(disease, 0.75) for disease in said),
        seconds=np.array([0.010, 0.010, 0.010, 0.050]),
    )
    found = compare(held_out, answers, answers, SEVERITY, parity=0.0).figures_new
    assert found.critical_recall.value == 0.5
    assert found.specificity.value == 0.5
    assert found.f1.value == 0.5
    assert found.ece.value == pytest.approx(0.25)
    assert found.p50_ms == pytest.approx(10.0)


def test_both_engines_see_every_case_and_the_clock_of_each_is_its_own():
    class Slow:
        def __init__(self, name, seconds):
            self.version, self.digest, self.seconds = name, name, seconds

        def diagnose(self, case):
            ticks[0] += self.seconds
            return dataclasses.make_dataclass("Found", ["candidates"])(top(MILD, 0.9))

    ticks = [0.0]
    held_out = HeldOutCases(
        ids=("a", "b"), cases=(Case(age_days=1, sex=Sex.MALE),) * 2, truth=(MILD, MILD)
    )
    current, new = answer_both(Slow("1", 0.1), Slow("2", 0.3), held_out, lambda: ticks[0])
    assert current.seconds == pytest.approx([0.1, 0.1])
    assert new.seconds == pytest.approx([0.3, 0.3])
    assert new.said == (MILD, MILD)


@pytest.mark.parametrize(
    ("now", "new", "outcome", "promote"),
    [
        (0.88, 0.91, Outcome.SHORT, True),  # refused, the worse one would go on serving
        (0.96, 0.94, Outcome.SHORT, False),  # it fell
        (0.94, 0.95, Outcome.PASSED, True),
        (0.70, 0.79, Outcome.SHORT, False),  # dangerous, whatever it replaces
    ],
)
def test_a_candidate_short_of_the_objective_passes_only_as_the_better_one(
    now, new, outcome, promote
):
    found = verdict(figures(critical_recall=now), figures(f1=0.9, critical_recall=new))
    (line,) = [c for c in found.checks if c.name == "critical_recall_objective"]
    assert (line.outcome, line.limit) == (outcome, 0.95)
    assert found.promote is promote


def test_every_line_of_a_verdict_and_every_outcome_has_words_for_the_reviewers():
    words = tomllib.loads((Path(report.__file__).parent / "templates/words.toml").read_text())
    found = verdict(figures(), figures(f1=0.9))
    for language in ("es", "en"):
        assert {c.name for c in found.checks} <= set(words[language]["checks"])
        assert {o.value for o in Outcome} <= set(words[language])
