"""The guide follows the draft, never shows the answer to an older one, and asks nothing twice."""

from dataclasses import dataclass

import pytest

from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId
from ddx.inquiry.stop import StopReason
from ddx.intake.draft import Draft, DraftFinding
from desktop.presenters.guide import (
    LOOK_AFTER_MS,
    DraftMoved,
    Equipment,
    EquipmentChosen,
    Failed,
    Guided,
    GuideState,
    Look,
    LookDue,
    LookSoon,
    answers,
    step,
)
from desktop.presenters.reducer import Refusal

FEVER, COUGH, FACE, TRUNK = (FindingId(f) for f in ("HP:0001945", "HP:0012735", "VF:a", "VF:b"))


@dataclass(frozen=True)
class Asked:
    findings: tuple
    subject: str = "q"
    means: str = "question"


@dataclass(frozen=True)
class Inquiry:
    questions: tuple = ()
    stop: StopReason | None = None


@dataclass(frozen=True)
class Said:
    inquiry: Inquiry
    triage: object = None


def draft(*findings):
    lines = tuple(DraftFinding(id=f, presence=Presence.PRESENT) for f in findings)
    return Draft(findings=lines)


@pytest.fixture
def following():
    """A guide that has seen a draft with fever and proposes cough."""
    state, _ = step(GuideState(draft=Draft()), DraftMoved(draft(FEVER)))
    said = Said(Inquiry(questions=(Asked((COUGH,)),)))
    return step(state, Guided(draft(FEVER), said))[0]


def test_typing_is_looked_at_once_after_a_pause():
    state, effects = step(GuideState(draft=Draft()), DraftMoved(draft(FEVER)))
    assert effects == (LookSoon(LOOK_AFTER_MS),)
    _, effects = step(state, LookDue())
    assert effects == (Look(draft(FEVER), Equipment.RURAL),)


def test_an_answer_given_here_is_looked_at_without_a_pause(following):
    _, effects = step(following, DraftMoved(draft(FEVER, COUGH), at_once=True))
    assert effects == (Look(draft(FEVER, COUGH), Equipment.RURAL),)


def test_a_pause_after_which_nothing_is_new_looks_at_nothing(following):
    assert step(following, LookDue())[1] == ()


def test_the_answer_to_an_older_draft_is_not_shown(following):
    moved, _ = step(following, DraftMoved(draft(FEVER, FACE)))
    late, effects = step(moved, Guided(draft(FEVER), Said(Inquiry(stop=StopReason.SETTLED))))
    assert (late, effects) == (moved, ())


def test_a_question_the_draft_answers_meanwhile_is_taken_down(following):
    assert following.question.findings == (COUGH,)
    moved, _ = step(following, DraftMoved(draft(FEVER, COUGH)))
    assert moved.question is None


def test_other_equipment_is_another_look(following):
    changed, effects = step(following, EquipmentChosen(Equipment.WORDS))
    assert effects == (Look(draft(FEVER), Equipment.WORDS),)
    assert step(changed, EquipmentChosen(Equipment.WORDS))[1] == ()


def test_a_failed_look_is_told_and_shows_no_old_question(following):
    failed, _ = step(following, Failed(Refusal("internal")))
    assert failed.question is None
    assert failed.refusal == Refusal("internal")


@pytest.mark.parametrize("presence", list(Presence))
def test_one_key_answers_a_question_of_yes_or_no(presence):
    assert answers(Asked((COUGH,)), presence, COUGH) == ((COUGH, presence),)


def test_a_value_of_a_choice_rules_the_others_out():
    assert answers(Asked((FACE, TRUNK)), Presence.PRESENT, TRUNK) == (
        (FACE, Presence.EXCLUDED),
        (TRUNK, Presence.PRESENT),
    )


def test_none_of_a_choice_rules_all_out_and_not_known_marks_one():
    both = Asked((FACE, TRUNK))
    assert answers(both, Presence.EXCLUDED, FACE) == (
        (FACE, Presence.EXCLUDED),
        (TRUNK, Presence.EXCLUDED),
    )
    assert answers(both, Presence.UNKNOWN, TRUNK) == ((FACE, Presence.UNKNOWN),)
