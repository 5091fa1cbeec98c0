"""What follows a recorded list: the list on trial, the what-if, the diagnosis said before it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.differential import Band, Candidate, Differential, World
from ddx.domain.feedback import Feedback, Verb
from ddx.domain.finding import Presence, Severity
from ddx.domain.identifiers import DiseaseId, RecordId
from ddx.intake.draft import UNDECIDED, Draft, DraftFinding
from desktop.presenters.entry import days_ago
from desktop.presenters.reducer import Refusal
from desktop.presenters.visit import step
from desktop.presenters.visit_state import (
    DecisionStarted,
    Detail,
    DetailCycled,
    Diagnose,
    DiagnoseAsked,
    Diagnosed,
    DraftOpened,
    FindingCycled,
    FindingMarked,
    FindingWeighed,
    LeaveAsked,
    OnsetTyped,
    OpenPatients,
    OpinionGiven,
    ReferralAsked,
    SaveDraft,
    TrialDropped,
    TrialKept,
    TrialStarted,
    Tried,
    TryDraft,
    VisitState,
)

FEVER, COUGH = "HP:0001945", "HP:0012735"
FLU, DENGUE = DiseaseId("VD:influenza"), DiseaseId("VD:dengue")
DRAFT, PATIENT, DIAGNOSIS = map(RecordId, ("draft-1", "patient-1", "diagnosis-1"))
CASE = Case(age_days=None, sex=Sex.FEMALE)


@dataclass(frozen=True)
class Row:
    id: RecordId = PATIENT
    given_name: str = "Zenobia"
    family_name: str = "Quispe"
    sex: Sex = Sex.FEMALE
    birth_date: date = date(1990, 5, 1)
    visits: int = 0
    last_visit_at: None = None


def listed(*diseases):
    return Differential(
        candidates=tuple(
            Candidate(rank=r, disease=d, probability=0.3, band=Band.LIKELY, world=World.COMMON)
            for r, d in enumerate(diseases, start=1)
        ),
        outside_probability=0.1,
        unused=(),
        alerts=(),
        bundle_version="2026.11.1",
        bundle_digest="00",
    )


@dataclass(frozen=True)
class Record:
    differential: Differential
    id: RecordId = DIAGNOSIS
    made_at: datetime = datetime(2026, 11, 23, tzinfo=UTC)
    case: Case = CASE
    short_code: str = "3fa9-12bc-77"
    feedback: tuple[Feedback, ...] = ()
    not_excluded: frozenset[DiseaseId] | None = None
    opinion: str = ""


@dataclass(frozen=True)
class Listed:
    differential: Differential
    not_excluded: frozenset[DiseaseId] | None = None


def after(state, *events):
    effects = ()
    for event in events:
        state, effects = step(state, event)
    return state, effects


@pytest.fixture
def answered():
    """A visit with fever on a recorded list: flu, dengue."""
    opened, _ = after(
        VisitState(patient=Row()),
        DraftOpened(DRAFT, Draft()),
        FindingMarked(FEVER, Presence.PRESENT),
        DiagnoseAsked(),
    )
    state, _ = step(opened, Diagnosed(opened.revision, Record(listed(FLU, DENGUE))))
    return state


def test_before_any_list_is_on_record_none_is_asked_for():
    _, effects = after(
        VisitState(patient=Row()),
        DraftOpened(DRAFT, Draft()),
        FindingMarked(FEVER, Presence.PRESENT),
    )
    assert not any(isinstance(effect, TryDraft) for effect in effects)


def test_a_finding_after_the_list_shows_how_it_moves_and_that_it_is_not_recorded(answered):
    marked, effects = step(answered, FindingMarked(COUGH, Presence.PRESENT))
    assert TryDraft(marked.draft) in effects
    tried, _ = step(marked, Tried(marked.draft, Listed(listed(DENGUE, FLU))))
    assert tried.on_trial
    assert tried.stale
    assert tried.shown == listed(DENGUE, FLU)
    assert tried.before == listed(FLU, DENGUE)


def test_an_answer_to_older_findings_is_not_shown(answered):
    marked, _ = step(answered, FindingMarked(COUGH, Presence.PRESENT))
    older = Tried(answered.draft, Listed(listed(DENGUE)))
    assert step(marked, older) == (marked, ())


def test_recording_the_list_on_trial_keeps_what_moved(answered):
    marked, _ = step(answered, FindingMarked(COUGH, Presence.PRESENT))
    tried, _ = step(marked, Tried(marked.draft, Listed(listed(DENGUE, FLU))))
    made, _ = step(tried, Diagnosed(tried.revision, Record(listed(DENGUE, FLU))))
    assert made.before == listed(FLU, DENGUE)
    assert not made.on_trial


def test_a_what_if_changes_the_list_and_not_the_draft(answered):
    begun, _ = step(answered, TrialStarted())
    toggled, effects = step(begun, FindingCycled(FEVER))
    assert toggled.draft == answered.draft
    assert toggled.revision == answered.revision
    assert effects == (TryDraft(toggled.trial),)
    shown, _ = step(toggled, Tried(toggled.trial, Listed(listed(DENGUE, FLU))))
    assert (shown.shown, shown.before) == (listed(DENGUE, FLU), listed(FLU, DENGUE))


def test_a_dropped_what_if_leaves_everything_as_it_was(answered):
    back, effects = after(answered, TrialStarted(), FindingCycled(FEVER), TrialDropped())
    assert back == replace(answered, before=None)
    assert effects == ()


def test_a_kept_what_if_is_an_edit_like_any_other(answered):
    tried, _ = after(answered, TrialStarted(), FindingCycled(FEVER))
    kept, _ = step(tried, TrialKept())
    assert kept.trial is None
    assert kept.draft == tried.trial
    assert kept.unsaved


@pytest.mark.parametrize(
    "event", [DiagnoseAsked(), DecisionStarted(Verb.AGREE), ReferralAsked()], ids=repr
)
def test_nothing_is_recorded_or_written_during_a_what_if(answered, event):
    refused, effects = after(answered, TrialStarted(), event)
    assert (refused.refusal, effects) == (Refusal("visit.trial"), ())


def test_leaving_drops_the_what_if(answered):
    left, effects = after(answered, TrialStarted(), FindingCycled(FEVER), LeaveAsked())
    assert (left.trial, effects) == (None, (OpenPatients(),))


def test_a_what_if_needs_a_list():
    refused, _ = step(VisitState(patient=Row()), TrialStarted())
    assert refused.refusal == Refusal("visit.no_list")


@pytest.fixture
def asked():
    """A visit that asks for the clinician's own diagnosis first."""
    state, effects = after(
        VisitState(patient=Row(), commit_first=True),
        DraftOpened(DRAFT, Draft()),
        FindingMarked(FEVER, Presence.PRESENT),
        DiagnoseAsked(),
    )
    assert effects == ()
    return state


@pytest.mark.parametrize("opinion", [DENGUE, UNDECIDED])
def test_the_own_diagnosis_is_on_disk_before_the_list_is_made(asked, opinion):
    assert asked.asking_opinion
    told, effects = step(asked, OpinionGiven(opinion))
    kept = replace(asked.draft, opinion=opinion)
    wanted = [e for e in effects if isinstance(e, SaveDraft | Diagnose)]
    assert wanted == [SaveDraft(DRAFT, kept, told.revision), Diagnose(DRAFT, told.revision)]


def test_the_own_diagnosis_is_asked_once_a_visit(asked):
    told, _ = step(asked, OpinionGiven(DENGUE))
    made, _ = step(told, Diagnosed(told.revision, Record(listed(FLU), opinion=DENGUE)))
    assert made.draft.opinion == ""
    again, _ = after(made, FindingMarked(COUGH, Presence.PRESENT), DiagnoseAsked())
    assert not again.asking_opinion


def test_one_key_walks_the_severity_of_what_is_present():
    state, _ = after(VisitState(patient=Row()), FindingMarked(FEVER, Presence.PRESENT))
    seen = []
    for _ in range(4):
        state, _ = step(state, FindingWeighed(FEVER))
        seen.append(state.draft.findings[0].severity)
    assert seen == [Severity.MILD, Severity.MODERATE, Severity.SEVERE, None]
    absent, _ = after(state, FindingMarked(FEVER, Presence.EXCLUDED), FindingWeighed(FEVER))
    assert absent.draft.findings[0].severity is None


def test_when_a_finding_began_is_kept_with_it():
    state, _ = after(
        VisitState(patient=Row()), FindingMarked(FEVER, Presence.PRESENT), OnsetTyped(FEVER, 3)
    )
    assert state.draft.findings == (
        DraftFinding(id=FEVER, presence=Presence.PRESENT, onset_days=3),
    )


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("3", 3),
        (" 3 d ", 3),
        ("2 semanas", 14),
        ("2 weeks", 14),
        ("1 mes", 30),
        ("6m", 180),
        ("1 año", 365),
        ("2 y", 730),
        ("0", 0),
        ("", None),
        ("ayer", None),
        ("3,5 d", None),
        ("-2", None),
    ],
)
def test_a_span_is_read_as_people_write_it(text, days):
    assert days_ago(text) == days


def test_reasons_show_sentences_first_then_bars_then_numbers(answered):
    seen = [answered.detail]
    for _ in range(3):
        answered, _ = step(answered, DetailCycled())
        seen.append(answered.detail)
    assert seen == [Detail.SENTENCES, Detail.BARS, Detail.NUMBERS, Detail.SENTENCES]
