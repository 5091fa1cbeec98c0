"""The visit: findings in, differential and reasons out, a decision recorded.

Nothing typed is lost: an edit moves `revision`, a pause writes it, and leaving waits for it.
A differential is made from a draft on disk; an edit after it marks it as out of date.
"""

from dataclasses import replace

from ddx.domain.differential import Differential
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
    Detail,
    DetailCycled,
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
    FindingGraded,
    FindingMarked,
    FindingRemoved,
    FindingsMarked,
    FindingWeighed,
    HitsFound,
    LeaveAsked,
    OnsetTyped,
    OpenDraft,
    OpenPatients,
    OpinionCancelled,
    OpinionGiven,
    RecordDecision,
    ReferralAsked,
    SaveDraft,
    SaveDue,
    SaveFailed,
    SaveSoon,
    SearchFindings,
    SearchTyped,
    SexChosen,
    TrialDropped,
    TrialKept,
    TrialStarted,
    Tried,
    TryDraft,
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
    return replace(state, opening=True), (OpenDraft(state.patient.id),)


@step.on(DraftOpened)
def draft_opened(state: VisitState, event: DraftOpened) -> Step[VisitState]:
    """Show the draft on disk; what was typed before it was there joins it.

    After a list the draft on disk is a new one, and all there is is on screen.
    """
    state = replace(state, opening=False)
    if state.revision:
        whole = state.draft if state.diagnosis else entry.join(event.draft, state.draft)
        opened, save = _save(replace(state, draft_id=event.draft_id, draft=whole))
        wanted = (Diagnose(event.draft_id, state.revision),) if state.diagnosing else ()
        return opened, (*save, *wanted)
    return replace(
        state,
        draft_id=event.draft_id,
        draft=event.draft,
        restored=bool(event.draft.findings),
        save_refusal=None,
    ), ()


@step.on(DraftNotOpened)
def draft_not_opened(state: VisitState, event: DraftNotOpened) -> Step[VisitState]:
    """Stay, say so, and try again: what was typed has nowhere to go yet."""
    kept = replace(
        state, opening=False, diagnosing=False, leaving=False, save_refusal=event.refusal
    )
    return kept, (SaveSoon(AUTOSAVE_RETRY_MS),)


def _edited(state: VisitState, draft: Draft) -> Step[VisitState]:
    if draft == state.considered:
        return state, ()
    if state.trial is not None:
        tried = replace(state, trial=draft, refusal=None)
        return tried, _try(tried)
    changed = replace(state, draft=draft, revision=state.revision + 1, restored=False, refusal=None)
    return changed, (SaveSoon(AUTOSAVE_MS), *_try(changed))


def _try(state: VisitState) -> tuple[Effect, ...]:
    """Ask what the list would be, once there is a recorded one to compare with."""
    known = state.tried_draft == state.considered
    return () if state.diagnosis is None or known else (TryDraft(state.considered),)


def _save(state: VisitState) -> Step[VisitState]:
    if not state.unsaved:
        return state, ()
    if state.opening:  # goes on when the draft is there
        return state, ()
    if state.draft_id is None:  # the last draft became a diagnosis: ask for the next one
        return replace(state, opening=True), (OpenDraft(state.patient.id),)
    return replace(state, saving=True), (SaveDraft(state.draft_id, state.draft, state.revision),)


@step.on(SaveDue)
def save_due(state: VisitState, _event: SaveDue) -> Step[VisitState]:
    """Write the group of key presses; a diagnosis under way goes first, it spends the draft.

    Where the first draft could not be opened, it is asked for again even if nothing was typed.
    """
    if state.diagnosing:
        return state, ()
    never_opened = state.draft_id is None and state.diagnosis is None and not state.opening
    return entered(state, Entered()) if never_opened else _save(state)


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
    """Leave at once when everything is on disk, otherwise after the save; a what-if is dropped."""
    state = replace(state, trial=None)
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
    return _edited(cleared, entry.mark(state.considered, event.finding, event.presence))


@step.on(FindingsMarked)
def findings_marked(state: VisitState, event: FindingsMarked) -> Step[VisitState]:
    """Put the whole answer on the list as one edit."""
    draft = state.considered
    for finding, presence in event.states:
        draft = entry.mark(draft, finding, presence)
    return _edited(state, draft)


@step.on(FindingCycled)
def finding_cycled(state: VisitState, event: FindingCycled) -> Step[VisitState]:
    """Walk to the next of the three states."""
    return _edited(state, entry.cycle(state.considered, event.finding))


@step.on(FindingGraded)
def finding_graded(state: VisitState, event: FindingGraded) -> Step[VisitState]:
    """Set the intensity."""
    return _edited(state, entry.grade(state.considered, event.finding, event.grade))


@step.on(FindingWeighed)
def finding_weighed(state: VisitState, event: FindingWeighed) -> Step[VisitState]:
    """Walk to the next severity."""
    return _edited(state, entry.weigh(state.considered, event.finding))


@step.on(OnsetTyped)
def onset_typed(state: VisitState, event: OnsetTyped) -> Step[VisitState]:
    """Set how long ago it began."""
    return _edited(state, entry.begin(state.considered, event.finding, event.days))


@step.on(FindingRemoved)
def finding_removed(state: VisitState, event: FindingRemoved) -> Step[VisitState]:
    """Take the finding off the list."""
    draft = state.considered
    for finding in (event.finding, *event.others):
        draft = entry.remove(draft, finding)
    return _edited(state, draft)


@step.on(AgeTyped)
def age_typed(state: VisitState, event: AgeTyped) -> Step[VisitState]:
    """Keep the age as typed; the check says whether it is one."""
    return _edited(state, replace(state.considered, age_text=event.text, age_unit=event.unit))


@step.on(SexChosen)
def sex_chosen(state: VisitState, event: SexChosen) -> Step[VisitState]:
    """Set the sex."""
    return _edited(state, replace(state.considered, sex=event.sex))


@step.on(VitalTyped)
def vital_typed(state: VisitState, event: VitalTyped) -> Step[VisitState]:
    """Keep the vital sign as typed."""
    return _edited(state, entry.write_vital(state.considered, event.vital, event.text))


# What if: a draft beside the draft.


@step.on(TrialStarted)
def trial_started(state: VisitState, _event: TrialStarted) -> Step[VisitState]:
    """Let the keys act on a copy; there has to be a list to compare with."""
    if state.diagnosis is None:
        return replace(state, refusal=Refusal("visit.no_list")), ()
    if state.trial is not None:
        return state, ()
    return replace(state, trial=state.draft, before=state.shown, refusal=None), ()


@step.on(TrialKept)
def trial_kept(state: VisitState, _event: TrialKept) -> Step[VisitState]:
    """Make what was tried the draft."""
    if state.trial is None:
        return state, ()
    return _edited(replace(state, trial=None), state.trial)


@step.on(TrialDropped)
def trial_dropped(state: VisitState, _event: TrialDropped) -> Step[VisitState]:
    """Forget what was tried."""
    if state.trial is None:
        return state, ()
    back = replace(state, trial=None, before=None, refusal=None)
    return back, (_try(back) if back.stale else ())


@step.on(Tried)
def tried(state: VisitState, event: Tried) -> Step[VisitState]:
    """Show the list on trial, unless the findings have moved on."""
    if event.draft != state.considered or event.told is None:
        return state, ()
    before = state.before if state.trial is not None else state.shown
    return replace(state, tried_draft=event.draft, tried=event.told, before=before), ()


# The differential and its reasons.


@step.on(OpinionGiven)
def opinion_given(state: VisitState, event: OpinionGiven) -> Step[VisitState]:
    """Keep what the clinician thinks with the draft, then show the list."""
    if not state.asking_opinion:
        return state, ()
    told = replace(state, asking_opinion=False)
    kept, save = _edited(told, replace(told.draft, opinion=event.opinion))
    asked, effects = diagnose_asked(kept, DiagnoseAsked())
    return asked, (*save, *effects)


@step.on(OpinionCancelled)
def opinion_cancelled(state: VisitState, _event: OpinionCancelled) -> Step[VisitState]:
    """Back to the findings."""
    return replace(state, asking_opinion=False), ()


@step.on(DetailCycled)
def detail_cycled(state: VisitState, _event: DetailCycled) -> Step[VisitState]:
    """Sentences, then bars, then numbers, then sentences again."""
    steps = tuple(Detail)
    return replace(state, detail=steps[(steps.index(state.detail) + 1) % len(steps)]), ()


@step.on(DiagnoseAsked)
def diagnose_asked(state: VisitState, _event: DiagnoseAsked) -> Step[VisitState]:
    """Save what is unsaved, then diagnose it; a list that is up to date stays."""
    if state.trial is not None:
        return replace(state, refusal=Refusal("visit.trial")), ()
    up_to_date = state.draft_id is None and not state.unsaved
    if state.diagnosing or up_to_date:
        return state, ()
    if state.commit_first and state.diagnosis is None and not state.draft.opinion:
        return replace(state, asking_opinion=True, refusal=None), ()
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
        draft=replace(state.draft, opinion=""),  # of this list; the next one of the visit has none
        before=_before(state, event.diagnosis.differential),
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


def _before(state: VisitState, now: Differential) -> Differential | None:
    """Return the list to compare with: recording what was on trial moves nothing."""
    shown = state.shown
    if shown is not None and shown.candidates == now.candidates:
        return state.before
    return shown


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
    if (refused := _undecidable(state)) is not None:
        return replace(state, refusal=refused), ()
    form = decision.start(state.decision, event.verb, state.selected)
    return replace(state, decision=form, refusal=None), ()


@step.on(DecisionEdited)
def decision_edited(state: VisitState, event: DecisionEdited) -> Step[VisitState]:
    """Keep the form as it stands; what was missing and is there now stops being asked."""
    form = replace(
        state.decision,
        disease=event.disease,
        reason=event.reason,
        note=event.note,
        plan=event.plan,
    )
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
            plan=form.plan.strip(),
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
def referral_asked(state: VisitState, event: ReferralAsked) -> Step[VisitState]:
    """Show the letter of what is recorded; a list that no longer answers has none."""
    if (refused := _undecidable(state)) is not None or state.diagnosis is None:
        return replace(state, refusal=refused), ()
    return replace(state, refusal=None), (WriteReferral(state.diagnosis.id, event.summary),)


def _undecidable(state: VisitState) -> Refusal | None:
    """Return why nothing can be decided or written on the list on screen, if so."""
    if state.diagnosis is None:
        return Refusal("visit.no_list")
    if state.trial is not None:
        return Refusal("visit.trial")
    return Refusal("visit.stale") if state.stale else None


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
