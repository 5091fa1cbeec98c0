"""The visits of one patient on a line of time, and what changed between two of them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from ddx.domain.case import Case, VitalSigns
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId, RecordId
from desktop.presenters.moves import Move, moves
from desktop.presenters.patients import Patient
from desktop.presenters.reducer import Reducer, Refusal, Step
from desktop.presenters.visit_state import Diagnosis


@dataclass(frozen=True, slots=True)
class Answer:
    """One finding at the earlier and at the later visit; None where it was not mentioned."""

    finding: FindingId
    before: Finding | None
    after: Finding | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One vital sign at both visits; None where it was not taken."""

    vital: str
    before: float | bool | None
    after: float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What changed from an earlier visit to a later one, in the order of the later one.

    moved: of the later list's candidates.
    """

    earlier: Diagnosis
    later: Diagnosis
    answers: tuple[Answer, ...]
    measurements: tuple[Measurement, ...]
    moved: dict[DiseaseId, Move]


def compare(one: Diagnosis, other: Diagnosis) -> Comparison:
    """Return what changed between two visits, whichever of them is given first."""
    earlier, later = sorted((one, other), key=lambda visit: visit.made_at)
    return Comparison(
        earlier=earlier,
        later=later,
        answers=_answers(earlier.case, later.case),
        measurements=_measurements(earlier.case.vitals, later.case.vitals),
        moved=moves(earlier.differential, later.differential),
    )


def _answers(before: Case, after: Case) -> tuple[Answer, ...]:
    old = {f.id: f for f in before.findings}
    new = {f.id: f for f in after.findings}
    changed = (Answer(f, old.get(f), new.get(f)) for f in dict.fromkeys((*new, *old)))
    return tuple(a for a in changed if a.before != a.after and _told(a))


def _told(answer: Answer) -> bool:
    """Whether either side says something: "not asked" and "not known" are the same silence."""
    sides = (side for side in (answer.before, answer.after) if side is not None)
    return any(side.presence is not Presence.UNKNOWN for side in sides)


def _measurements(before: VitalSigns, after: VitalSigns) -> tuple[Measurement, ...]:
    names = (field.name for field in fields(VitalSigns))
    pairs = (Measurement(name, getattr(before, name), getattr(after, name)) for name in names)
    return tuple(pair for pair in pairs if pair.before != pair.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryState:
    """visits: newest first. chosen: shown on the right. beside: compared with it, None if none.

    saved: where the last export went; leaving: one is being written.
    """

    patient: Patient
    visits: tuple[Diagnosis, ...] = ()
    loading: bool = True
    chosen: RecordId | None = None
    beside: RecordId | None = None
    leaving: bool = False
    saved: str = ""
    refusal: Refusal | None = None

    def visit(self, id: RecordId | None) -> Diagnosis | None:
        """Return one of the visits, None for none."""
        return next((visit for visit in self.visits if visit.id == id), None)

    @property
    def comparison(self) -> Comparison | None:
        """What changed between the two visits chosen; None while there is one."""
        one, other = self.visit(self.chosen), self.visit(self.beside)
        return None if one is None or other is None else compare(one, other)


# Events.


@dataclass(frozen=True, slots=True)
class Entered:
    """The history came up."""


@dataclass(frozen=True, slots=True)
class HistoryRead:
    """The visits, newest first."""

    visits: Sequence[Diagnosis]


@dataclass(frozen=True, slots=True)
class VisitChosen:
    """A visit was selected."""

    visit: RecordId


@dataclass(frozen=True, slots=True)
class BesideMarked:
    """The selected visit is to be compared with those selected next; again: no longer."""


@dataclass(frozen=True, slots=True)
class ExportAsked:
    """A file was chosen for an export; an empty path when none was. kind: phenopacket or fhir."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Exported:
    """The file is written."""

    path: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Something did not work."""

    refusal: Refusal


# Effects.


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """Read the visits of `patient`."""

    patient: RecordId


@dataclass(frozen=True, slots=True)
class WriteExport:
    """Write the entry, then the file."""

    kind: str
    path: str
    visit: RecordId


step: Reducer[HistoryState] = Reducer()


@step.on(Entered)
def entered(state: HistoryState, _event: Entered) -> Step[HistoryState]:
    """Read the visits."""
    return replace(state, loading=True), (ReadHistory(state.patient.id),)


@step.on(HistoryRead)
def history_read(state: HistoryState, event: HistoryRead) -> Step[HistoryState]:
    """Show them, the newest selected."""
    visits = tuple(event.visits)
    first = visits[0].id if visits else None
    return replace(state, visits=visits, loading=False, chosen=first), ()


@step.on(VisitChosen)
def visit_chosen(state: HistoryState, event: VisitChosen) -> Step[HistoryState]:
    """Show another visit."""
    return replace(state, chosen=event.visit, saved=""), ()


@step.on(BesideMarked)
def beside_marked(state: HistoryState, _event: BesideMarked) -> Step[HistoryState]:
    """Keep the selected visit to compare with, or stop comparing with it."""
    return replace(state, beside=None if state.beside == state.chosen else state.chosen), ()


@step.on(ExportAsked)
def export_asked(state: HistoryState, event: ExportAsked) -> Step[HistoryState]:
    """Let it leave, once at a time."""
    if not event.path or state.leaving or state.chosen is None:
        return state, ()
    leaving = replace(state, leaving=True, saved="", refusal=None)
    return leaving, (WriteExport(event.kind, event.path, state.chosen),)


@step.on(Exported)
def exported(state: HistoryState, event: Exported) -> Step[HistoryState]:
    """Say where it is."""
    return replace(state, leaving=False, saved=event.path), ()


@step.on(Failed)
def failed(state: HistoryState, event: Failed) -> Step[HistoryState]:
    """Say what to do; what is on screen stays."""
    return replace(state, loading=False, leaving=False, refusal=event.refusal), ()
