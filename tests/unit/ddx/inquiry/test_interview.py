"""A visit played from a record: nothing leaks, nothing is asked twice, draws repeat."""

import pytest

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.inquiry.effort import Means
from ddx.inquiry.inquirer import Question
from ddx.inquiry.interview import (
    Choice,
    Visit,
    draw_opening,
    interview,
    may_open,
    rng_of,
    with_budget,
)
from ddx.inquiry.stop import StopReason

FEVER, COUGH, RASH = (FindingId(f) for f in ("HP:0001945", "HP:0012735", "HP:0000988"))
SMOKER = FindingId("VF:habit.smoker")
RECORD = Case(
    age_days=9_000,
    sex=Sex.MALE,
    findings=(
        Finding(id=FEVER, presence=Presence.PRESENT, onset_days=4),
        Finding(id=COUGH, presence=Presence.PRESENT),
        Finding(id=RASH, presence=Presence.EXCLUDED),
    ),
    vitals=VitalSigns(temperature_c=39.0),
)
VISIT = Visit(record=RECORD, opening=FEVER)


def question(finding, gain_bits=1.0):
    return Question(
        subject=finding,
        findings=(finding,),
        gain_bits=gain_bits,
        worth=gain_bits,
        chance=0.5,
        means=Means.QUESTION,
        cost=1.0,
    )


def script(*findings, gain_bits=1.0):
    """Ask `findings` in order, each once."""

    def choose(case):
        told = {f.id for f in case.findings}
        left = [f for f in findings if f not in told]
        return Choice((left[0],), (question(left[0], gain_bits),)) if left else None

    return choose


def no_list(_case):
    raise AssertionError("the list decides nothing here")


def test_a_visit_opens_with_the_complaint_and_no_measurement():
    opened = VISIT.opened
    assert [f.id for f in opened.findings] == [FEVER]
    assert opened.findings[0].onset_days == 4
    assert opened.vitals == VitalSigns()
    assert opened.age_days == RECORD.age_days


def test_answers_come_from_the_record_and_what_it_lacks_stays_unknown():
    last = list(interview(VISIT, script(COUGH, RASH, SMOKER), no_list, 3))[-1]
    states = {f.id: f.presence for f in last.case.findings}
    assert states[COUGH] is Presence.PRESENT
    assert states[RASH] is Presence.EXCLUDED
    assert states[SMOKER] is Presence.UNKNOWN
    assert last.asked == 3


def test_it_asks_no_more_than_allowed_and_says_nothing_of_stopping_then():
    moments = list(interview(VISIT, script(COUGH, RASH, SMOKER), no_list, 2))
    assert [(m.asked, m.stop) for m in moments] == [(0, None), (1, None), (2, None)]


def test_it_ends_when_nothing_is_left():
    moments = list(interview(VISIT, script(COUGH), no_list, 5))
    assert [(m.asked, m.stop) for m in moments] == [(0, None), (1, StopReason.NOTHING_LEFT)]


def test_a_question_that_tells_nothing_is_a_reason_to_stop():
    first = next(iter(interview(VISIT, script(COUGH, gain_bits=1e-6), lambda _case: None, 5)))
    assert first.stop is StopReason.LITTLE_TO_GAIN


def test_draws_depend_on_the_case_and_the_seed_only():
    def drawn(seed, case_id):
        return rng_of(seed, case_id).integers(1 << 60)

    assert drawn(1, "a") == drawn(1, "a")
    assert len({drawn(1, "a"), drawn(2, "a"), drawn(1, "b"), drawn(11, "a")}) == 4


def test_an_opening_is_a_symptom_where_there_is_one():
    drawn = {draw_opening(RECORD, {COUGH}.__contains__, rng_of(n, "x")) for n in range(20)}
    assert drawn == {COUGH}
    drawn = {draw_opening(RECORD, set().__contains__, rng_of(n, "x")) for n in range(20)}
    assert drawn == {FEVER, COUGH}
    empty = Case(age_days=1, sex=Sex.MALE)
    assert draw_opening(empty, {COUGH}.__contains__, rng_of(1, "x")) is None
    assert Visit(record=empty, opening=None).opened.findings == ()


@pytest.mark.parametrize(
    ("finding", "opens"), [(FEVER, True), (SMOKER, False), ("VF:pain-site.forehead", False)]
)
def test_habits_and_values_of_a_choice_open_no_visit(catalogue, finding, opens):
    assert may_open(catalogue.term(FindingId(finding))) is opens


def test_a_budget_counts_both_kinds_apart():
    kept = with_budget(RECORD, present=1, excluded=5, rng=rng_of(1, "x"))
    assert len(kept.present) == 1
    assert [f.id for f in kept.excluded] == [RASH]
