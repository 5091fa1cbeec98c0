"""The visit: findings in, differential and reasons out, a decision recorded.

Nothing typed is lost: an edit moves `revision`, a pause writes it, and leaving waits for it.
A differential is made from a draft on disk; an edit after it marks it as out of date.
"""

from dataclasses import replace

from ddx.intake.draft import Draft
from ddx.intake.issues import Level
from desktop.presenters import decision, entry
from desktop.presenters.reducer import Effect, Reducer, Refusal, Step
from desktop.presenters.visit_state import (
    AUTOSAVE_MS,
    AUTOSAVE_RETRY_MS,
    AgeTyped,
    AskWhyNot,
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
    DraftOpened,
    DraftRefused,
    DraftSaved,
    Entered,
    Explain,
    Explained,
    Failed,
    FindingCycled,
    FindingGraded,
    FindingMarked,
    FindingRemoved,
    FindingsMarked,
    HitsFound,
    LeaveAsked,
    OpenDraft,
    OpenPatients,
    RecordDecision,
    ReferralAsked,
    SaveDraft,
    SaveDue,
    SaveFailed,
    SaveSoon,
    SearchFindings,
    SearchTyped,
    SexChosen,
    VisitState,
    VitalTyped,
    WhyNotAsked,
    WhyNotTold,
    WriteReferral,
)

step: Reducer[VisitState] = Reducer()


# The draft and its way to disk.


@step.on(Entered)
def entered(state: VisitState, _event: Entered) -> Step[VisitState]:
    """Ask for the draft of this patient."""
    return state, (OpenDraft(state.patient.id),)


@step.on(DraftOpened)
def draft_opened(state: VisitState, event: DraftOpened) -> Step[VisitState]:
    """Show the draft on disk, unless something newer is already on screen."""
    if state.revision:
        opened, save = _save(replace(state, draft_id=event.draft_id))
        wanted = (Diagnose(event.draft_id, state.revision),) if state.diagnosing else ()
        return opened, (*save, *wanted)
    return replace(
        state,
        draft_id=event.draft_id,
        draft=event.draft,
        restored=bool(event.draft.findings),
    ), ()


def _edited(state: VisitState, draft: Draft) -> Step[VisitState]:
    if draft == state.draft:
        return state, ()
    changed = replace(state, draft=draft, revision=state.revision + 1, restored=False, refusal=None)
    return changed, (SaveSoon(AUTOSAVE_MS),)


def _save(state: VisitState) -> Step[VisitState]:
    if not state.unsaved:
        return state, ()
    if state.draft_id is None:  # the last draft became a diagnosis: ask for the next one
        return state, (OpenDraft(state.patient.id),)
    return replace(state, saving=True), (SaveDraft(state.draft_id, state.draft, state.revision),)


@step.on(SaveDue)
def save_due(state: VisitState, _event: SaveDue) -> Step[VisitState]:
    """Write the group of key presses; a diagnosis under way goes first, it spends the draft."""
    return (state, ()) if state.diagnosing else _save(state)


@step.on(DraftSaved)
def draft_saved(state: VisitState, event: DraftSaved) -> Step[VisitState]:
    """Note what is on disk; leave now if the clinician was waiting to."""
    saved = replace(state, saved_revision=event.revision, saving=False, save_refusal=None)
    if saved.leaving and not saved.unsaved:
        return saved, (OpenPatients(),)
    return saved, ()


@step.on(DraftChecked)
def draft_checked(state: VisitState, event: DraftChecked) -> Step[VisitState]:
    """Show the issues of the draft as it is now."""
    return (replace(state, issues=event.issues) if event.revision == state.revision else state), ()


@step.on(SaveFailed)
def save_failed(state: VisitState, event: SaveFailed) -> Step[VisitState]:
    """Stay, say so, and try again."""
    kept = replace(state, saving=False, leaving=False, save_refusal=event.refusal)
    return kept, (SaveSoon(AUTOSAVE_RETRY_MS),)


@step.on(LeaveAsked)
def leave_asked(state: VisitState, _event: LeaveAsked) -> Step[VisitState]:
    """Leave at once when everything is on disk, otherwise after the save."""
    if not state.unsaved:
        return state, (OpenPatients(),)
    leaving = replace(state, leaving=True)
    return (leaving, ()) if state.diagnosing else _save(leaving)


# Entering findings.


@step.on(SearchTyped)
def search_typed(state: VisitState, event: SearchTyped) -> Step[VisitState]:
    """Look for the text; an empty text empties the results."""
    if not event.text.strip():
        return replace(state, search_text=event.text, hits=(), hits_for=event.text), ()
    return replace(state, search_text=event.text), (SearchFindings(event.text),)


@step.on(HitsFound)
def hits_found(state: VisitState, event: HitsFound) -> Step[VisitState]:
    """Show the results unless the text has moved on."""
    if event.text != state.search_text:
        return state, ()
    return replace(state, hits=event.hits, hits_for=event.text), ()


@step.on(FindingMarked)
def finding_marked(state: VisitState, event: FindingMarked) -> Step[VisitState]:
    """Put the finding on the list and clear the search for the next one."""
    cleared = replace(state, search_text="", hits=(), hits_for="")
    return _edited(cleared, entry.mark(state.draft, event.finding, event.presence))


@step.on(FindingsMarked)
def findings_marked(state: VisitState, event: FindingsMarked) -> Step[VisitState]:
    """Put the whole answer on the list as one edit."""
    draft = state.draft
    for finding, presence in event.states:
        draft = entry.mark(draft, finding, presence)
    return _edited(state, draft)


@step.on(FindingCycled)
def finding_cycled(state: VisitState, event: FindingCycled) -> Step[VisitState]:
    """Walk to the next of the three states."""
    return _edited(state, entry.cycle(state.draft, event.finding))


@step.on(FindingGraded)
def finding_graded(state: VisitState, event: FindingGraded) -> Step[VisitState]:
    """Set the intensity."""
    return _edited(state, entry.grade(state.draft, event.finding, event.grade))


@step.on(FindingRemoved)
def finding_removed(state: VisitState, event: FindingRemoved) -> Step[VisitState]:
    """Take the finding off the list."""
    draft = state.draft
    for finding in (event.finding, *event.others):
        draft = entry.remove(draft, finding)
    return _edited(state, draft)


@step.on(AgeTyped)
def age_typed(state: VisitState, event: AgeTyped) -> Step[VisitState]:
    """Keep the age as typed; the check says whether it is one."""
    return _edited(state, replace(state.draft, age_text=event.text, age_unit=event.unit))


@step.on(SexChosen)
def sex_chosen(state: VisitState, event: SexChosen) -> Step[VisitState]:
    """Set the sex."""
    return _edited(state, replace(state.draft, sex=event.sex))


@step.on(VitalTyped)
def vital_typed(state: VisitState, event: VitalTyped) -> Step[VisitState]:
    """Keep the vital sign as typed."""
    return _edited(state, entry.write_vital(state.draft, event.vital, event.text))


# The differential and its reasons.


@step.on(DiagnoseAsked)
def diagnose_asked(state: VisitState, _event: DiagnoseAsked) -> Step[VisitState]:
    """Save what is unsaved, then diagnose it; a list that is up to date stays."""
    up_to_date = state.draft_id is None and not state.unsaved
    if state.diagnosing or up_to_date:
        return state, ()
    ready, save = _save(state)
    asked = replace(ready, diagnosing=True, refusal=None)
    if state.draft_id is None:  # goes on when the next draft is open
        return asked, save
    return asked, (*save, Diagnose(state.draft_id, state.revision))


@step.on(Diagnosed)
def diagnosed(state: VisitState, event: Diagnosed) -> Step[VisitState]:
    """Show the list and the reasons of its first candidate; its draft is spent."""
    candidates = event.diagnosis.differential.candidates
    first = candidates[0].disease if candidates else None
    answered = replace(
        state,
        draft_id=None,
        saved_revision=event.revision,
        answered_revision=event.revision,
        diagnosing=False,
        diagnosis=event.diagnosis,
        selected=first,
        explanation=None,
        sentences=(),
        actions={},
        why_not_of=None,
        why_not=None,
        issues=tuple(i for i in state.issues if i.level is Level.WARNING),
        decision=decision.DecisionForm(recorded=event.diagnosis.feedback),
    )
    effects: tuple[Effect, ...] = () if first is None else (Explain(event.diagnosis.id, first),)
    return answered, (*effects, *_save_what_came_meanwhile(answered))


def _save_what_came_meanwhile(state: VisitState) -> tuple[Effect, ...]:
    return (SaveSoon(AUTOSAVE_MS),) if state.unsaved else ()


@step.on(DraftRefused)
def draft_refused(state: VisitState, event: DraftRefused) -> Step[VisitState]:
    """Show every issue at once; nothing typed is lost."""
    refused = replace(
        state, diagnosing=False, issues=event.issues, refusal=Refusal("draft.refused")
    )
    return refused, _save_what_came_meanwhile(refused)


@step.on(CandidateSelected)
def candidate_selected(state: VisitState, event: CandidateSelected) -> Step[VisitState]:
    """Explain the candidate."""
    if state.diagnosis is None or event.disease == state.selected:
        return state, ()
    chosen = replace(state, selected=event.disease, explanation=None, sentences=(), actions={})
    return chosen, (Explain(state.diagnosis.id, event.disease),)


@step.on(Explained)
def explained(state: VisitState, event: Explained) -> Step[VisitState]:
    """Show the reasons unless another candidate was selected meanwhile."""
    if event.explanation.disease != state.selected:
        return state, ()
    return replace(
        state,
        explanation=event.explanation,
        sentences=event.sentences,
        actions=event.actions,
    ), ()


@step.on(WhyNotAsked)
def why_not_asked(state: VisitState, event: WhyNotAsked) -> Step[VisitState]:
    """Look for the smallest change; there has to be a list."""
    if state.diagnosis is None:
        return replace(state, refusal=Refusal("visit.no_list")), ()
    asked = replace(state, why_not_of=event.disease, why_not=None, refusal=None)
    return asked, (AskWhyNot(state.diagnosis.id, event.disease),)


@step.on(WhyNotTold)
def why_not_told(state: VisitState, event: WhyNotTold) -> Step[VisitState]:
    """Show it unless another disease was named meanwhile."""
    if event.told.disease != state.why_not_of:
        return state, ()
    return replace(state, why_not=event.told), ()


# The decision.


@step.on(DecisionStarted)
def decision_started(state: VisitState, event: DecisionStarted) -> Step[VisitState]:
    """Open the form; a list that no longer answers the findings cannot be decided on."""
    if state.diagnosis is None:
        return replace(state, refusal=Refusal("visit.no_list")), ()
    if state.stale:
        return replace(state, refusal=Refusal("visit.stale")), ()
    form = decision.start(state.decision, event.verb, state.selected)
    return replace(state, decision=form, refusal=None), ()


@step.on(DecisionEdited)
def decision_edited(state: VisitState, event: DecisionEdited) -> Step[VisitState]:
    """Keep the form as it stands; what was missing and is there now stops being asked."""
    form = replace(state.decision, disease=event.disease, reason=event.reason, note=event.note)
    return replace(state, decision=replace(form, missing=form.missing & decision.missing(form))), ()


@step.on(DecisionConfirmed)
def decision_confirmed(state: VisitState, _event: DecisionConfirmed) -> Step[VisitState]:
    """Record the decision, or show what it lacks."""
    form, complete = decision.confirm(state.decision)
    changed = replace(state, decision=form, refusal=None)
    if not complete or state.diagnosis is None or form.verb is None:
        return changed, ()
    return changed, (
        RecordDecision(
            diagnosis=state.diagnosis.id,
            verb=form.verb,
            disease=form.disease,
            reason=form.reason,
            note=form.note.strip(),
        ),
    )


@step.on(DecisionCancelled)
def decision_cancelled(state: VisitState, _event: DecisionCancelled) -> Step[VisitState]:
    """Close the form."""
    form = decision.DecisionForm(recorded=state.decision.recorded)
    return replace(state, decision=form, refusal=None), ()


@step.on(DecisionRecorded)
def decision_recorded(state: VisitState, event: DecisionRecorded) -> Step[VisitState]:
    """Show that it is on disk."""
    return replace(state, decision=decision.recorded(state.decision, event.feedback)), ()


# The letter.


@step.on(ReferralAsked)
def referral_asked(state: VisitState, _event: ReferralAsked) -> Step[VisitState]:
    """Show the letter of what is recorded; a list that no longer answers has none."""
    if state.diagnosis is None:
        return replace(state, refusal=Refusal("visit.no_list")), ()
    if state.stale:
        return replace(state, refusal=Refusal("visit.stale")), ()
    return replace(state, refusal=None), (WriteReferral(state.diagnosis.id),)


@step.on(Failed)
def failed(state: VisitState, event: Failed) -> Step[VisitState]:
    """Say what did not work; everything on screen stays."""
    stopped = replace(
        state,
        diagnosing=False,
        why_not_of=None if state.why_not is None else state.why_not_of,
        leaving=False,
        refusal=event.refusal,
        decision=replace(state.decision, recording=False),
    )
    return stopped, _save_what_came_meanwhile(stopped)
