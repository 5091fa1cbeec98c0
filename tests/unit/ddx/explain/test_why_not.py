"""What would bring a disease to the top three, on wards small enough to count by hand."""

from itertools import count

import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.differential import Band, Candidate, Differential, World
from ddx.domain.explanation import Explanation
from ddx.domain.finding import Finding, Presence
from ddx.explain.why_not import (
    MAX_CALLS,
    MAX_CANDIDATES,
    MIDDLE_GRADE,
    Answer,
    Outcome,
    Standing,
    answered,
    open_answers,
    standing_in,
    why_not,
)

DISEASE = "VD:dengue"
COUGH, RASH, EYES, GUMS, FEVER = (f"HP:000000{n}" for n in range(1, 6))


def case(*present, excluded=(), unknown=()):
    states = (
        *((f, Presence.PRESENT) for f in present),
        *((f, Presence.EXCLUDED) for f in excluded),
        *((f, Presence.UNKNOWN) for f in unknown),
    )
    findings = tuple(Finding(id=f, presence=p) for f, p in states)
    return Case(age_days=9000, sex=Sex.MALE, findings=findings)


def yes(*findings):
    return tuple(Answer(finding=f, presence=Presence.PRESENT) for f in findings)


def ward(start, **steps):
    """Rank = start - sum of the steps of the present findings (their absence counts as no_...)."""

    def rank_of(patient, disease):
        assert disease == DISEASE
        moved = sum(steps.get(f.id[-1], 0) for f in patient.present)
        moved += sum(steps.get(f"no_{f.id[-1]}", 0) for f in patient.excluded)
        rank = max(1, start - moved)
        return Standing(rank=rank, probability=1 / (1 + rank))

    return rank_of


def steps(**by_name):
    ids = {"cough": "1", "rash": "2", "eyes": "3", "gums": "4", "fever": "5"}
    return {
        name.replace(word, ids[word]): move
        for name, move in by_name.items()
        for word in ids
        if name.endswith(word)
    }


def test_one_answer_that_suffices_is_the_whole_answer():
    rank_of = ward(9, **steps(cough=1, rash=6, eyes=7))
    told = why_not(case(FEVER), DISEASE, yes(COUGH, RASH, EYES), rank_of)
    assert (told.outcome, told.changes) == (Outcome.REACHED, yes(EYES))
    assert (told.before.rank, told.after.rank) == (9, 2)
    assert told.calls == 4  # as it is, and one per answer


def test_two_answers_are_given_when_no_single_one_suffices():
    rank_of = ward(9, **steps(cough=1, rash=3, eyes=4))
    told = why_not(case(), DISEASE, yes(COUGH, RASH, EYES), rank_of)
    assert set(told.changes) == set(yes(RASH, EYES))
    assert told.after.rank == 2


def test_an_answer_that_later_ones_made_needless_is_taken_back():
    def rank_of(patient, _):
        present = {f.id for f in patient.present}
        both, alone = {RASH, GUMS} <= present, COUGH in present
        rank = 2 if both else 6 if alone else 7 if RASH in present else 9
        return Standing(rank=rank, probability=0.0)

    told = why_not(case(), DISEASE, yes(COUGH, RASH, GUMS), rank_of)
    assert told.outcome is Outcome.NOT_ENOUGH  # greedy: cough leads, then nothing lifts it
    assert told.changes == yes(COUGH)

    def gentler(patient, _):
        present = {f.id for f in patient.present}
        both = {RASH, GUMS} <= present
        rank = 2 if both else 9 - 3 * (COUGH in present) - (RASH in present)
        return Standing(rank=rank, probability=0.0)

    told = why_not(case(), DISEASE, yes(COUGH, RASH, GUMS), gentler)
    assert told.outcome is Outcome.REACHED
    assert set(told.changes) == set(yes(RASH, GUMS))  # cough came first and was taken back


def test_when_three_answers_do_not_suffice_the_best_attempt_is_shown_as_such():
    rank_of = ward(40, **steps(cough=1, rash=2, eyes=3, gums=4))
    told = why_not(case(), DISEASE, yes(COUGH, RASH, EYES, GUMS), rank_of)
    assert told.outcome is Outcome.NOT_ENOUGH
    assert (told.changes, told.after.rank) == (yes(GUMS, EYES, RASH), 31)


def test_when_nothing_lifts_the_disease_no_answer_is_shown():
    told = why_not(case(), DISEASE, yes(COUGH, RASH), ward(40))
    assert (told.outcome, told.changes, told.after) == (Outcome.NOT_ENOUGH, (), told.before)


@pytest.mark.parametrize(
    ("patient", "outcome"),
    [(case(COUGH), Outcome.ALREADY), (case(excluded=[COUGH]), Outcome.NOTHING_TO_ASK)],
)
def test_what_was_asked_is_not_asked_again(patient, outcome):
    told = why_not(patient, DISEASE, yes(COUGH), ward(9, **steps(cough=8)))
    assert (told.outcome, told.changes, told.calls) == (outcome, (), 1)


def test_a_disease_already_on_top_needs_nothing():
    told = why_not(case(), DISEASE, yes(COUGH), ward(3))
    assert (told.outcome, told.calls) == (Outcome.ALREADY, 1)


def test_a_finding_marked_unknown_can_be_answered():
    told = why_not(case(unknown=[COUGH]), DISEASE, yes(COUGH), ward(9, **steps(cough=8)))
    assert told.changes == yes(COUGH)


def test_the_absence_of_a_rivals_finding_can_be_the_answer():
    no_cough = Answer(finding=COUGH, presence=Presence.EXCLUDED)
    rank_of = ward(9, **steps(no_cough=7, rash=1))
    assert why_not(case(), DISEASE, (*yes(RASH), no_cough), rank_of).changes == (no_cough,)


def test_a_disease_off_the_list_can_come_back_to_it():
    def rank_of(patient, _):
        present = len(patient.present)
        return Standing(rank=None if not present else 4 - present, probability=present / 10)

    told = why_not(case(), DISEASE, yes(COUGH, RASH), rank_of)
    assert (told.before.rank, told.after.rank, told.outcome) == (None, 3, Outcome.REACHED)


def test_a_disease_no_single_answer_brings_back_is_tried_with_its_most_typical_ones():
    def rank_of(patient, _):
        enough = {RASH, EYES} <= {f.id for f in patient.present}
        return Standing(rank=1 if enough else None, probability=0.0)

    told = why_not(case(), DISEASE, yes(RASH, COUGH, EYES), rank_of)
    assert (told.outcome, set(told.changes)) == (Outcome.REACHED, set(yes(RASH, EYES)))
    lost = why_not(case(), DISEASE, yes(GUMS, COUGH, FEVER, RASH), rank_of)
    assert (lost.outcome, lost.changes, lost.after.rank) == (Outcome.NOT_ENOUGH, (), None)


def test_no_search_costs_more_diagnoses_than_allowed():
    many = yes(*(f"HP:00001{n:02d}" for n in range(40)))
    made = count()

    def rank_of(patient, _):
        next(made)
        return Standing(rank=90 - len(patient.present), probability=0.0)

    told = why_not(case(), DISEASE, many, rank_of)
    assert told.calls == next(made) <= MAX_CALLS
    assert told.outcome is Outcome.NOT_ENOUGH
    assert 1 + sum(MAX_CANDIDATES - n for n in range(3)) + 3 <= MAX_CALLS


def test_a_search_cut_short_says_so():
    rank_of = ward(40, **steps(cough=1, rash=2))
    told = why_not(case(), DISEASE, yes(COUGH, RASH), rank_of, max_calls=2)
    assert (told.outcome, told.changes, told.calls) == (Outcome.STOPPED, yes(COUGH), 2)
    ticks = iter([True, False, False, False])
    told = why_not(case(), DISEASE, yes(COUGH, RASH), rank_of, may_go_on=lambda: next(ticks))
    assert (told.outcome, told.calls) == (Outcome.STOPPED, 2)


def test_an_answered_case_keeps_what_it_said_before():
    graded = Answer(finding=COUGH, presence=Presence.PRESENT, graded=True)
    no_rash = Answer(finding=RASH, presence=Presence.EXCLUDED, graded=True)
    after = answered(case(FEVER, unknown=[COUGH]), (graded, no_rash))
    assert [f.id for f in after.findings] == [FEVER, COUGH, RASH]
    assert [f.grade for f in after.findings] == [None, MIDDLE_GRADE, None]
    assert after.age_days == 9000


def test_own_findings_are_tried_present_and_those_of_rivals_excluded():
    def explained(*expected):
        return Explanation(
            disease=DISEASE,
            world=World.COMMON,
            base=0.0,
            margin=0.0,
            contributions=(),
            expected=expected,
        )

    tried = open_answers(explained(RASH, EYES), [explained(COUGH, RASH)], lambda f: f == EYES)
    assert [(a.finding, a.presence, a.graded) for a in tried] == [
        (RASH, Presence.PRESENT, False),
        (EYES, Presence.PRESENT, True),
        (COUGH, Presence.EXCLUDED, False),
    ]


def test_the_standing_on_a_differential_is_that_of_its_candidate():
    listed = Differential(
        candidates=(
            Candidate(
                rank=1,
                disease=DISEASE,
                probability=0.7,
                band=Band.LIKELY,
                world=World.COMMON,
            ),
        ),
        outside_probability=0.1,
        unused=(),
        alerts=(),
        bundle_version="2026.1.1",
        bundle_digest="0" * 64,
    )
    assert standing_in(listed, DISEASE) == Standing(rank=1, probability=0.7)
    assert standing_in(listed, "VD:other") == Standing(rank=None, probability=0.0)
