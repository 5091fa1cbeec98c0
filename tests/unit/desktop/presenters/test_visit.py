from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.differential import Band, Candidate, Differential, World
from ddx.domain.explanation import Explanation
from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId, RecordId
from ddx.intake.draft import Draft, DraftFinding
from ddx.intake.issues import CaseIssue, Level
from desktop.presenters.decision import Missing
from desktop.presenters.reducer import Refusal
from desktop.presenters.visit import step
from desktop.presenters.visit_state import (
    AUTOSAVE_MS,
    AUTOSAVE_RETRY_MS,
    CandidateSelected,
    DecisionCancelled,
    DecisionConfirmed,
    DecisionEdited,
    DecisionRecorded,
    DecisionStarted,
    Diagnose,
    DiagnoseAsked,
    Diagnosed,
    DraftChecked,
    DraftNotOpened,
    DraftOpened,
    DraftRefused,
    DraftSaved,
    Entered,
    Explain,
    Explained,
    Failed,
    FindingCycled,
    FindingMarked,
    FindingRemoved,
    Hit,
    HitsFound,
    LeaveAsked,
    OpenDraft,
    OpenPatients,
    RecordDecision,
    SaveDraft,
    SaveDue,
    SaveFailed,
    SaveSoon,
    SearchFindings,
    SearchTyped,
    VisitState,
    VitalTyped,
)

FEVER, COUGH = FindingId("HP:0001945"), FindingId("HP:0012735")
FLU, DENGUE = DiseaseId("VD:influenza"), DiseaseId("VD:dengue")
PATIENT = RecordId("patient-1")
CASE = Case(age_days=None, sex=Sex.FEMALE)
DRAFT, NEXT_DRAFT, DIAGNOSIS = RecordId("draft-1"), RecordId("draft-2"), RecordId("diagnosis-1")


@dataclass(frozen=True)
class Row:
    id: RecordId = PATIENT
    given_name: str = "Zenobia"
    family_name: str = "Quispe"
    sex: Sex = Sex.FEMALE
    birth_date: date = date(1990, 5, 1)
    visits: int = 0
    last_visit_at: None = None


@dataclass(frozen=True)
class Record:
    differential: Differential
    id: RecordId = DIAGNOSIS
    made_at: datetime = datetime(2026, 11, 23, tzinfo=UTC)
    case: Case = CASE
    short_code: str = "3fa9-12bc-77"
    feedback: tuple[Feedback, ...] = ()


def candidate(rank, disease):
    return Candidate(
        rank=rank, disease=disease, probability=0.4, band=Band.LIKELY, world=World.COMMON
    )


RECORD = Record(
    Differential(
        candidates=(candidate(1, FLU), candidate(2, DENGUE)),
        outside_probability=0.1,
        unused=(),
        alerts=(),
        bundle_version="2026.11.1",
        bundle_digest="00",
    )
)


def explanation(disease):
    return Explanation(
        disease=disease, world=World.COMMON, base=0.0, margin=0.0, contributions=(), expected=()
    )


def after(state, *events):
    """The state and the effects of the last of `events`."""
    effects = ()
    for event in events:
        state, effects = step(state, event)
    return state, effects


@pytest.fixture
def opened():
    return after(VisitState(patient=Row()), DraftOpened(DRAFT, Draft(age_text="36")))[0]


@pytest.fixture
def entered(opened):
    """Fever entered and on disk."""
    return after(opened, FindingMarked(FEVER, Presence.PRESENT), SaveDue(), DraftSaved(1))[0]


@pytest.fixture
def answered(entered):
    return after(entered, DiagnoseAsked(), Diagnosed(1, RECORD), Explained(explanation(FLU)))[0]


def test_entering_asks_for_the_draft_of_the_patient():
    assert step(VisitState(patient=Row()), Entered())[1] == (OpenDraft(Row().id),)


def test_an_unfinished_draft_is_said_to_be_restored():
    draft = Draft(findings=(DraftFinding(FEVER, Presence.PRESENT),))
    state, _ = step(VisitState(patient=Row()), DraftOpened(DRAFT, draft))
    assert (state.restored, state.draft) == (True, draft)


def test_a_group_of_key_presses_is_one_save(opened):
    state, effects = after(opened, VitalTyped("temperature_c", "3"))
    assert effects == (SaveSoon(AUTOSAVE_MS),)
    state, _ = after(state, VitalTyped("temperature_c", "38"))
    state, effects = after(state, SaveDue())
    assert effects == (SaveDraft(DRAFT, state.draft, 2),)
    assert dict(state.draft.vitals) == {"temperature_c": "38"}


def test_a_save_that_is_overtaken_by_typing_is_not_taken_for_the_last(opened):
    state, _ = after(opened, VitalTyped("temperature_c", "3"), SaveDue())
    state, _ = after(state, VitalTyped("temperature_c", "38"), DraftSaved(1))
    assert state.unsaved


def test_a_failed_save_is_told_and_tried_again(opened):
    typed, _ = after(opened, VitalTyped("weight_kg", "60"), SaveDue())
    state, effects = step(typed, SaveFailed(Refusal("store.full")))
    assert (state.unsaved, state.save_refusal) == (True, Refusal("store.full"))
    assert [type(e) for e in effects] == [SaveSoon]
    saved, _ = after(state, SaveDue(), DraftSaved(1))
    assert (saved.unsaved, saved.save_refusal) == (False, None)


def test_leaving_waits_until_everything_is_on_disk(opened):
    typed, _ = after(opened, VitalTyped("weight_kg", "60"))
    leaving, effects = step(typed, LeaveAsked())
    assert [type(e) for e in effects] == [SaveDraft]
    assert step(leaving, DraftSaved(1))[1] == (OpenPatients(),)


def test_leaving_after_a_failed_save_stays_with_what_was_typed(opened):
    leaving, _ = after(opened, VitalTyped("weight_kg", "60"), LeaveAsked())
    state, effects = step(leaving, SaveFailed(Refusal("store.full")))
    assert OpenPatients() not in effects
    assert dict(state.draft.vitals) == {"weight_kg": "60"}


def test_results_of_older_text_are_not_shown(opened):
    typing, effects = after(opened, SearchTyped("fie"))
    assert effects == (SearchFindings("fie"),)
    hit = Hit(FEVER, "calentura")
    assert step(typing, HitsFound("fi", (hit,))) == (typing, ())
    shown, _ = step(typing, HitsFound("fie", (hit,)))
    assert (shown.hits, shown.hits_for) == ((hit,), "fie")


def test_marking_a_finding_clears_the_search(opened):
    typing, _ = after(opened, SearchTyped("fie"), HitsFound("fie", (Hit(FEVER, "Fiebre"),)))
    state, _ = step(typing, FindingMarked(FEVER, Presence.EXCLUDED))
    assert (state.search_text, state.hits) == ("", ())
    assert state.draft.findings == (DraftFinding(FEVER, Presence.EXCLUDED),)


def test_one_key_walks_through_the_three_states(entered):
    seen = []
    state = entered
    for _ in range(3):
        state, _ = step(state, FindingCycled(FEVER))
        seen.append(state.draft.findings[0].presence)
    assert seen == [Presence.EXCLUDED, Presence.UNKNOWN, Presence.PRESENT]


def test_marking_again_the_same_way_is_no_edit(entered):
    assert step(entered, FindingMarked(FEVER, Presence.PRESENT))[0].revision == entered.revision


def test_removing_a_finding_takes_it_off(entered):
    assert step(entered, FindingRemoved(FEVER))[0].draft.findings == ()


def test_diagnosing_saves_first_what_is_unsaved(opened):
    typed, _ = after(opened, FindingMarked(FEVER, Presence.PRESENT))
    state, effects = step(typed, DiagnoseAsked())
    assert effects == (SaveDraft(DRAFT, state.draft, 1), Diagnose(DRAFT, 1))
    assert step(state, DiagnoseAsked()) == (state, ())


def test_while_diagnosing_nothing_is_saved_into_the_draft_that_will_be_spent(entered):
    asked, _ = after(entered, DiagnoseAsked(), FindingMarked(COUGH, Presence.PRESENT))
    assert step(asked, SaveDue()) == (asked, ())
    state, effects = step(asked, Diagnosed(1, RECORD))
    assert state.stale
    assert SaveSoon(AUTOSAVE_MS) in effects


def test_the_first_candidate_is_explained_at_once(entered):
    state, effects = after(entered, DiagnoseAsked(), Diagnosed(1, RECORD))
    assert (state.selected, state.stale, state.draft_id) == (FLU, False, None)
    assert effects == (Explain(DIAGNOSIS, FLU),)


def test_an_edit_after_the_list_makes_it_stale_and_opens_the_next_draft(answered):
    state, _ = after(answered, FindingMarked(COUGH, Presence.PRESENT))
    assert state.stale
    waiting, effects = step(state, SaveDue())
    assert effects == (OpenDraft(Row().id),)
    fresh = DraftOpened(NEXT_DRAFT, Draft(age_text="36"))
    state, effects = step(waiting, fresh)
    assert effects == (SaveDraft(NEXT_DRAFT, state.draft, 2),)
    assert {f.id for f in state.draft.findings} == {FEVER, COUGH}


def test_asking_again_right_after_an_edit_goes_on_when_the_next_draft_is_open(answered):
    asked, effects = after(answered, FindingMarked(COUGH, Presence.PRESENT), DiagnoseAsked())
    assert effects == (OpenDraft(Row().id),)
    state, effects = step(asked, DraftOpened(NEXT_DRAFT, Draft()))
    assert effects == (SaveDraft(NEXT_DRAFT, state.draft, 2), Diagnose(NEXT_DRAFT, 2))


def test_a_draft_is_asked_for_once_however_many_wait_for_it(answered):
    waiting, effects = after(answered, FindingMarked(COUGH, Presence.PRESENT), SaveDue())
    assert effects == (OpenDraft(Row().id),)
    for wish in (DiagnoseAsked(), SaveDue(), LeaveAsked()):
        waiting, effects = step(waiting, wish)
        assert effects == ()
    state, effects = step(waiting, DraftOpened(NEXT_DRAFT, Draft()))
    assert effects == (SaveDraft(NEXT_DRAFT, state.draft, 2), Diagnose(NEXT_DRAFT, 2))


def test_what_was_typed_before_the_draft_was_read_joins_it():
    stored = Draft(
        age_text="36",
        sex=Sex.FEMALE,
        findings=(DraftFinding(COUGH, Presence.PRESENT), DraftFinding(FEVER, Presence.EXCLUDED)),
        vitals={"weight_kg": "60", "temperature_c": "37"},
    )
    state, _ = after(
        VisitState(patient=Row()),
        Entered(),
        FindingMarked(FEVER, Presence.PRESENT),
        VitalTyped("temperature_c", "39"),
    )
    state, effects = step(state, DraftOpened(DRAFT, stored))
    assert {f.id: f.presence for f in state.draft.findings} == {
        COUGH: Presence.PRESENT,
        FEVER: Presence.PRESENT,
    }
    assert (state.draft.age_text, state.draft.sex) == ("36", Sex.FEMALE)
    assert dict(state.draft.vitals) == {"weight_kg": "60", "temperature_c": "39"}
    assert effects == (SaveDraft(DRAFT, state.draft, 2),)


def test_a_first_draft_that_cannot_be_opened_is_asked_for_again_and_shown():
    state, _ = step(VisitState(patient=Row()), Entered())
    state, effects = step(state, DraftNotOpened(Refusal("store.busy")))
    assert effects == (SaveSoon(AUTOSAVE_RETRY_MS),)
    state, effects = step(state, SaveDue())
    assert effects == (OpenDraft(Row().id),)
    stored = Draft(findings=(DraftFinding(FEVER, Presence.PRESENT),))
    state, _ = step(state, DraftOpened(DRAFT, stored))
    assert (state.restored, state.draft, state.save_refusal) == (True, stored, None)


def test_who_asks_before_the_first_draft_is_there_is_diagnosed_once():
    state, _ = step(VisitState(patient=Row()), Entered())
    state, _ = after(state, FindingMarked(FEVER, Presence.PRESENT))
    state, effects = after(state, SaveDue(), DiagnoseAsked())
    assert effects == ()
    state, effects = step(state, DraftOpened(DRAFT, Draft(age_text="36")))
    assert effects == (SaveDraft(DRAFT, state.draft, 1), Diagnose(DRAFT, 1))


def test_a_draft_that_cannot_be_opened_is_told_and_asked_for_again(answered):
    waiting, _ = after(answered, FindingMarked(COUGH, Presence.PRESENT), DiagnoseAsked())
    state, effects = step(waiting, DraftNotOpened(Refusal("store.busy")))
    assert effects == (SaveSoon(AUTOSAVE_RETRY_MS),)
    assert (state.save_refusal, state.diagnosing) == (Refusal("store.busy"), False)
    assert {f.id for f in state.draft.findings} == {FEVER, COUGH}
    again, effects = step(state, SaveDue())
    assert effects == (OpenDraft(Row().id),)
    assert step(again, DraftOpened(NEXT_DRAFT, Draft()))[1][0] == SaveDraft(
        NEXT_DRAFT, again.draft, 2
    )


def test_asking_again_without_an_edit_keeps_the_list(answered):
    assert step(answered, DiagnoseAsked()) == (answered, ())


def test_a_refused_draft_shows_every_issue_and_keeps_what_was_typed(entered):
    issues = (
        CaseIssue(Level.ERROR, "age", "age.negative", {"text": "-3"}),
        CaseIssue(Level.ERROR, "weight_kg", "vital.not_a_number", {}),
    )
    state, _ = after(entered, DiagnoseAsked(), DraftRefused(issues))
    assert (state.issues, state.diagnosing) == (issues, False)
    assert state.draft == entered.draft


def test_issues_of_an_older_draft_are_not_shown(entered):
    issue = CaseIssue(Level.ERROR, "age", "age.negative", {})
    assert step(entered, DraftChecked(0, (issue,)))[0].issues == ()
    assert step(entered, DraftChecked(1, (issue,)))[0].issues == (issue,)


def test_reasons_of_a_candidate_no_longer_selected_are_not_shown(answered):
    moved, effects = step(answered, CandidateSelected(DENGUE))
    assert effects == (Explain(DIAGNOSIS, DENGUE),)
    assert step(moved, Explained(explanation(FLU)))[0].explanation is None
    assert step(moved, Explained(explanation(DENGUE)))[0].explanation is not None


def test_a_stale_list_cannot_be_decided_on(answered):
    stale, _ = after(answered, FindingMarked(COUGH, Presence.PRESENT))
    state, _ = step(stale, DecisionStarted(Verb.AGREE))
    assert (state.decision.verb, state.refusal) == (None, Refusal("visit.stale"))


def test_there_is_nothing_to_decide_before_a_list(opened):
    assert step(opened, DecisionStarted(Verb.AGREE))[0].refusal == Refusal("visit.no_list")


def test_agreeing_is_about_the_selected_candidate(answered):
    selected, _ = after(answered, CandidateSelected(DENGUE), DecisionStarted(Verb.AGREE))
    _, effects = step(selected, DecisionConfirmed())
    assert effects == (
        RecordDecision(diagnosis=DIAGNOSIS, verb=Verb.AGREE, disease=DENGUE, reason=None, note=""),
    )


def test_an_incomplete_decision_asks_for_all_it_lacks(answered):
    state, effects = after(answered, DecisionStarted(Verb.ADD), DecisionConfirmed())
    assert (state.decision.missing, effects) == ({Missing.REASON, Missing.DISEASE}, ())
    edited = DecisionEdited(disease=None, reason=OverrideReason.OTHER, note="")
    assert step(state, edited)[0].decision.missing == {Missing.DISEASE}


def test_a_decision_is_recorded_once_and_shown(answered):
    form = DecisionEdited(disease=None, reason=OverrideReason.NOT_MY_JUDGEMENT, note=" no ")
    started, _ = after(answered, DecisionStarted(Verb.REFUSE), form)
    sent, effects = step(started, DecisionConfirmed())
    (recorded,) = effects
    assert isinstance(recorded, RecordDecision)
    assert recorded.note == "no"
    assert step(sent, DecisionConfirmed())[1] == ()
    feedback = Feedback(
        id=RecordId("f"),
        diagnosis_id=DIAGNOSIS,
        verb=Verb.REFUSE,
        disease=None,
        reason=OverrideReason.NOT_MY_JUDGEMENT,
        outcome_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    state, _ = step(sent, DecisionRecorded(feedback))
    assert (state.decision.verb, state.decision.recorded) == (None, (feedback,))


def test_a_decision_that_fails_can_be_sent_again(answered):
    sent, _ = after(answered, DecisionStarted(Verb.AGREE), DecisionConfirmed())
    state, _ = step(sent, Failed(Refusal("store.busy")))
    assert state.refusal == Refusal("store.busy")
    assert step(state, DecisionConfirmed())[1] != ()


def test_cancelling_closes_the_form_and_keeps_the_list(answered):
    state, _ = after(answered, DecisionStarted(Verb.ADD), DecisionCancelled())
    assert state.decision.verb is None
    assert replace(state, decision=answered.decision) == answered
