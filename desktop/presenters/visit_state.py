"""State, events and effects of the visit screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ddx.domain.case import Case, Sex
from ddx.domain.differential import Differential
from ddx.domain.explanation import Explanation
from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId, RecordId
from ddx.intake.draft import AgeUnit, Draft
from ddx.intake.issues import CaseIssue
from desktop.presenters.decision import DecisionForm
from desktop.presenters.patients import Patient
from desktop.presenters.reducer import Refusal

AUTOSAVE_MS = 400  # long enough to group a word, short enough that a power cut costs a word
AUTOSAVE_RETRY_MS = 5_000


class Diagnosis(Protocol):
    """A recorded diagnosis as the service returns it."""

    @property
    def id(self) -> RecordId:
        """Identifier of the record."""

    @property
    def made_at(self) -> datetime:
        """When it was made, UTC."""

    @property
    def case(self) -> Case:
        """What was known."""

    @property
    def differential(self) -> Differential:
        """What was answered."""

    @property
    def short_code(self) -> str:
        """Code of the receipt, for reading aloud."""

    @property
    def feedback(self) -> tuple[Feedback, ...]:
        """Decisions taken on it."""

    @property
    def not_excluded(self) -> frozenset[DiseaseId] | None:
        """What cannot be set aside; None where nothing is said of it."""

    @property
    def opinion(self) -> str:
        """What the clinician thought before it: a disease, UNDECIDED, or empty."""


class Trial(Protocol):
    """The list a draft would get; nothing of it is recorded."""

    @property
    def differential(self) -> Differential:
        """The list."""

    @property
    def not_excluded(self) -> frozenset[DiseaseId] | None:
        """What cannot be set aside; None where nothing is said of it."""


class Sentence(Protocol):
    """One reason, as `ddx.explain.narrate` has it."""

    @property
    def code(self) -> str:
        """Message id of what is said."""

    @property
    def direction(self) -> StrEnum:
        """What it does to the candidate: raises, lowers or balanced."""

    @property
    def share(self) -> float:
        """Part, 0..1, of everything that moved it."""

    @property
    def subject(self) -> str | None:
        """A finding, "age", "sex", or None."""

    @property
    def frequency(self) -> float | None:
        """Share of described patients with the finding."""


class Guideline(Protocol):
    """A published guideline."""

    def cite(self) -> str:
        """Return it as one line."""


class Action(Protocol):
    """What to do first when a disease is suspected."""

    @property
    def text(self) -> str:
        """The action."""

    @property
    def guideline(self) -> Guideline:
        """Where it is from."""


class WhyNot(Protocol):
    """What would bring a disease among the first three."""

    @property
    def disease(self) -> DiseaseId:
        """The disease asked about."""


class Detail(StrEnum):
    """How much of the reasons is shown: plain sentences come first."""

    SENTENCES = "sentences"
    BARS = "bars"
    NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result. matched: the name that was found, perhaps a lay word for it."""

    finding: FindingId
    matched: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitState:
    """One visit.

    hits answer the search text `hits_for`, so that Enter never takes a result of older text.
    opening: a draft was asked for; asked twice, it would be diagnosed twice.
    revision counts edits of the draft; saved_revision is the last one on disk and
    answered_revision the one the differential on screen answers.
    sentences, actions: of the explanation; actions by language code. why_not answers why_not_of.
    commit_first: the clinician says what they think before the first list; asking_opinion: now.
    trial: the draft of a what-if, kept nowhere. tried: the list of `tried_draft`, not recorded.
    before: the list that was on screen before the one that is.
    """

    patient: Patient
    commit_first: bool = False
    asking_opinion: bool = False
    trial: Draft | None = None
    tried_draft: Draft | None = None
    tried: Trial | None = None
    before: Differential | None = None
    detail: Detail = Detail.SENTENCES
    draft_id: RecordId | None = None
    opening: bool = False
    draft: Draft = field(default_factory=Draft)
    restored: bool = False
    revision: int = 0
    saved_revision: int = 0
    saving: bool = False
    save_refusal: Refusal | None = None
    leaving: bool = False
    search_text: str = ""
    hits: tuple[Hit, ...] = ()
    hits_for: str = ""
    issues: tuple[CaseIssue, ...] = ()
    diagnosing: bool = False
    diagnosis: Diagnosis | None = None
    answered_revision: int = 0
    selected: DiseaseId | None = None
    explanation: Explanation | None = None
    sentences: tuple[Sentence, ...] = ()
    actions: Mapping[str, tuple[Action, ...]] = field(default_factory=dict)
    why_not_of: DiseaseId | None = None
    why_not: WhyNot | None = None
    decision: DecisionForm = field(default_factory=DecisionForm)
    refusal: Refusal | None = None

    @property
    def unsaved(self) -> bool:
        """Whether something typed is not on disk yet."""
        return self.revision != self.saved_revision

    @property
    def stale(self) -> bool:
        """Whether the differential on screen is older than the last edit."""
        return self.diagnosis is not None and self.revision != self.answered_revision

    @property
    def considered(self) -> Draft:
        """The findings the keys act on: those of the what-if while there is one."""
        return self.draft if self.trial is None else self.trial

    @property
    def on_trial(self) -> bool:
        """Whether the list on screen is one that was not recorded."""
        unrecorded = self.stale or self.trial is not None
        return unrecorded and self.tried is not None and self.tried_draft == self.considered

    @property
    def shown(self) -> Differential | None:
        """The list on screen: the recorded one, or the one on trial."""
        if self.on_trial and self.tried is not None:
            return self.tried.differential
        return None if self.diagnosis is None else self.diagnosis.differential


# Events: what the clinician did.


@dataclass(frozen=True, slots=True)
class Entered:
    """The visit screen came up."""


@dataclass(frozen=True, slots=True)
class SearchTyped:
    """The search text changed."""

    text: str


@dataclass(frozen=True, slots=True)
class FindingMarked:
    """A finding was marked, from the results or in the entered list."""

    finding: str
    presence: Presence


@dataclass(frozen=True, slots=True)
class FindingsMarked:
    """One answer settled several findings at once."""

    states: tuple[tuple[str, Presence], ...]


@dataclass(frozen=True, slots=True)
class FindingCycled:
    """One key walked an entered finding to its next state."""

    finding: str


@dataclass(frozen=True, slots=True)
class FindingGraded:
    """The intensity of an entered finding, 0..10, or None to clear it."""

    finding: str
    grade: float | None


@dataclass(frozen=True, slots=True)
class FindingRemoved:
    """An entered finding was taken off the list, with those that stand on the same line."""

    finding: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FindingWeighed:
    """One key walked the severity of a present finding: none, mild, moderate, severe."""

    finding: str


@dataclass(frozen=True, slots=True)
class OnsetTyped:
    """How long ago a finding began, in days; None to clear it."""

    finding: str
    days: int | None


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """The clinician wants to see what another finding would change."""


@dataclass(frozen=True, slots=True)
class TrialKept:
    """What was tried is so."""


@dataclass(frozen=True, slots=True)
class TrialDropped:
    """What was tried is not so; the findings are as they were."""


@dataclass(frozen=True, slots=True)
class DetailCycled:
    """More of the reasons, or sentences again."""


@dataclass(frozen=True, slots=True)
class OpinionGiven:
    """What the clinician thinks before the list: a disease, or UNDECIDED."""

    opinion: str


@dataclass(frozen=True, slots=True)
class OpinionCancelled:
    """Back to the findings, without a list."""


@dataclass(frozen=True, slots=True)
class WhyNotAsked:
    """The clinician named a disease that does not stand as high as expected."""

    disease: DiseaseId


@dataclass(frozen=True, slots=True)
class AgeTyped:
    """Age text or its unit changed."""

    text: str
    unit: AgeUnit


@dataclass(frozen=True, slots=True)
class SexChosen:
    """Sex was set."""

    sex: Sex


@dataclass(frozen=True, slots=True)
class VitalTyped:
    """A vital sign changed; `vital` is the VitalSigns field."""

    vital: str
    text: str


@dataclass(frozen=True, slots=True)
class DiagnoseAsked:
    """The clinician asked for the differential."""


@dataclass(frozen=True, slots=True)
class CandidateSelected:
    """A candidate of the list was selected."""

    disease: DiseaseId


@dataclass(frozen=True, slots=True)
class DecisionStarted:
    """A decision verb was pressed."""

    verb: Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEdited:
    """The decision form as it stands."""

    disease: DiseaseId | None
    reason: OverrideReason | None
    note: str
    plan: str = ""


@dataclass(frozen=True, slots=True)
class DecisionConfirmed:
    """Record the decision."""


@dataclass(frozen=True, slots=True)
class DecisionCancelled:
    """Close the decision form."""


@dataclass(frozen=True, slots=True)
class ReferralAsked:
    """The clinician wants the letter that goes with the patient, or the summary of the visit."""

    summary: bool = False


@dataclass(frozen=True, slots=True)
class LeaveAsked:
    """Back to the patients, once everything is on disk."""


# Events: what the outside answered.


@dataclass(frozen=True, slots=True)
class DraftOpened:
    """The draft on disk: an unfinished one, or a fresh one with age and sex filled in."""

    draft_id: RecordId
    draft: Draft


@dataclass(frozen=True, slots=True)
class DraftNotOpened:
    """The draft could not be read or made."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class HitsFound:
    """The answer to SearchFindings(text), best first."""

    text: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class SaveDue:
    """The pause after a group of key presses is over."""


@dataclass(frozen=True, slots=True)
class DraftSaved:
    """`revision` is on disk."""

    revision: int


@dataclass(frozen=True, slots=True)
class DraftChecked:
    """Every issue of the draft of `revision`."""

    revision: int
    issues: tuple[CaseIssue, ...]


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """The draft could not be written."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """The differential of the draft of `revision`, already recorded."""

    revision: int
    diagnosis: Diagnosis


@dataclass(frozen=True, slots=True)
class DraftRefused:
    """The draft cannot become a case; every reason at once."""

    issues: tuple[CaseIssue, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a candidate stands where it stands, and what to do if it is that."""

    explanation: Explanation
    sentences: tuple[Sentence, ...] = ()
    actions: Mapping[str, tuple[Action, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tried:
    """The list `draft` would get; None while it is no case."""

    draft: Draft
    told: Trial | None


@dataclass(frozen=True, slots=True)
class WhyNotTold:
    """The answer to AskWhyNot."""

    told: WhyNot


@dataclass(frozen=True, slots=True)
class DecisionRecorded:
    """The decision is on disk."""

    feedback: Feedback


@dataclass(frozen=True, slots=True)
class Failed:
    """Something outside did not work."""

    refusal: Refusal


# Effects.


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """Read or create the draft of `patient`."""

    patient: RecordId


@dataclass(frozen=True, slots=True)
class SearchFindings:
    """Look for findings that match `text`."""

    text: str


@dataclass(frozen=True, slots=True)
class SaveSoon:
    """Send SaveDue after `delay_ms` without another SaveSoon."""

    delay_ms: int


@dataclass(frozen=True, slots=True)
class SaveDraft:
    """Write the draft, then check it."""

    draft_id: RecordId
    draft: Draft
    revision: int


@dataclass(frozen=True, slots=True)
class Diagnose:
    """Make and record the differential of a saved draft."""

    draft_id: RecordId
    revision: int


@dataclass(frozen=True, slots=True)
class TryDraft:
    """Ask for the list `draft` would get, without recording it."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Explain:
    """Explain one candidate of a recorded diagnosis."""

    diagnosis: RecordId
    disease: DiseaseId


@dataclass(frozen=True, slots=True)
class AskWhyNot:
    """Look for what would bring `disease` to the top of a recorded diagnosis."""

    diagnosis: RecordId
    disease: DiseaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDecision:
    """Record a decision."""

    diagnosis: RecordId
    verb: Verb
    disease: DiseaseId | None
    reason: OverrideReason | None
    note: str
    plan: str = ""


@dataclass(frozen=True, slots=True)
class WriteReferral:
    """Read what the paper of a recorded diagnosis says, and show it.

    summary: of the visit, for the patient's own file; otherwise the letter for somebody else.
    """

    diagnosis: RecordId
    summary: bool = False


@dataclass(frozen=True, slots=True)
class OpenPatients:
    """Show the patient list."""
