"""The patient list: search while typing, open one, or register a new one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from ddx.domain.case import Sex
from ddx.domain.identifiers import RecordId
from desktop.presenters.reducer import Reducer, Refusal, Step


class Patient(Protocol):
    """What one line of the list shows."""

    @property
    def id(self) -> RecordId:
        """Identifier of the patient on this device."""

    @property
    def given_name(self) -> str:
        """Given name."""

    @property
    def family_name(self) -> str:
        """Family name."""

    @property
    def sex(self) -> Sex:
        """Sex as registered."""

    @property
    def birth_date(self) -> date:
        """Date of birth."""

    @property
    def visits(self) -> int:
        """How many diagnoses are recorded."""

    @property
    def last_visit_at(self) -> datetime | None:
        """When the last one was made, UTC."""


class Proof(Protocol):
    """What is left of somebody who was erased."""

    @property
    def pseudonym(self) -> str:
        """What stood for them outside this clinic."""

    @property
    def proof(self) -> str:
        """Keyed hash of what was erased."""

    @property
    def diagnoses(self) -> int:
        """How many visits went."""


@dataclass(frozen=True, slots=True)
class FormIssue:
    """What is wrong with one field of the form; `code` becomes words later."""

    field: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientsState:
    """form: whether the new-patient form is open. issues: all that is wrong in it.

    leaving: the patient who is to be erased, once that is confirmed; erased: the proof of it.
    """

    text: str = ""
    patients: tuple[Patient, ...] = ()
    loading: bool = True
    form: bool = False
    registering: bool = False
    issues: tuple[FormIssue, ...] = ()
    leaving: Patient | None = None
    erasing: bool = False
    erased: Proof | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """The screen came up, or came back."""


@dataclass(frozen=True, slots=True)
class SearchTyped:
    """The search text changed."""

    text: str


@dataclass(frozen=True, slots=True)
class PatientsFound:
    """The answer to FindPatients(text)."""

    text: str
    patients: tuple[Patient, ...]


@dataclass(frozen=True, slots=True)
class FormOpened:
    """The clinician wants to register a patient (False: changed their mind)."""

    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSubmitted:
    """The new patient as typed; birth_date is None when the text is not a date."""

    given_name: str
    family_name: str
    sex: Sex
    birth_date: date | None
    national_id: str = ""


@dataclass(frozen=True, slots=True)
class FormRefused:
    """The service refused the form, with every reason."""

    issues: tuple[FormIssue, ...]


@dataclass(frozen=True, slots=True)
class PatientRegistered:
    """The patient exists."""

    patient: Patient


@dataclass(frozen=True, slots=True)
class PatientPicked:
    """A line was opened."""

    patient: Patient


@dataclass(frozen=True, slots=True)
class EraseAsked:
    """Somebody wants a patient erased; None: changed their mind."""

    patient: Patient | None


@dataclass(frozen=True, slots=True)
class EraseConfirmed:
    """They know that it cannot be undone."""


@dataclass(frozen=True, slots=True)
class PatientErased:
    """The patient is gone."""

    proof: Proof


@dataclass(frozen=True, slots=True)
class Failed:
    """Something outside did not work."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class FindPatients:
    """Effect: read the list that matches `text`."""

    text: str


@dataclass(frozen=True, slots=True)
class RegisterPatient:
    """Effect: create the patient of a submitted form."""

    form: FormSubmitted


@dataclass(frozen=True, slots=True)
class ErasePatient:
    """Effect: erase this patient."""

    patient: RecordId


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """Effect: show the visit of this patient."""

    patient: Patient


step: Reducer[PatientsState] = Reducer()


def parse_day(text: str) -> date | None:
    """Return a day typed as day/month/year (also with - . or blanks), or None if it is none.

    The year has four digits: with two, a patient of 97 and a child of 3 would be the same.
    """
    parts = re.split(r"[/\-. ]+", text.strip())
    if len(parts) != 3 or not all(p.isdecimal() for p in parts) or len(parts[2]) != 4:
        return None
    try:
        return date(int(parts[2]), int(parts[1]), int(parts[0]))
    except ValueError:
        return None


def _missing(form: FormSubmitted) -> Iterator[FormIssue]:
    if not form.given_name.strip():
        yield FormIssue("given_name", "patient.given_name_missing")
    if not form.family_name.strip():
        yield FormIssue("family_name", "patient.family_name_missing")
    if form.birth_date is None:
        yield FormIssue("birth_date", "patient.birth_date_unreadable")


@step.on(Entered)
def entered(state: PatientsState, _event: Entered) -> Step[PatientsState]:
    """Read the list again: a visit may have been added."""
    return replace(state, loading=True, refusal=None), (FindPatients(state.text),)


@step.on(SearchTyped)
def search_typed(state: PatientsState, event: SearchTyped) -> Step[PatientsState]:
    """Look for the new text."""
    return replace(state, text=event.text, loading=True), (FindPatients(event.text),)


@step.on(PatientsFound)
def patients_found(state: PatientsState, event: PatientsFound) -> Step[PatientsState]:
    """Show the answer unless the text has moved on."""
    if event.text != state.text:
        return state, ()
    return replace(state, patients=event.patients, loading=False), ()


@step.on(FormOpened)
def form_opened(state: PatientsState, event: FormOpened) -> Step[PatientsState]:
    """Open or close the new-patient form."""
    return replace(state, form=event.open, issues=(), refusal=None), ()


@step.on(FormSubmitted)
def form_submitted(state: PatientsState, event: FormSubmitted) -> Step[PatientsState]:
    """Register the patient, or show all that is missing; a second press does nothing."""
    if state.registering:
        return state, ()
    issues = tuple(_missing(event))
    if issues:
        return replace(state, issues=issues, refusal=None), ()
    return replace(state, registering=True, issues=(), refusal=None), (RegisterPatient(event),)


@step.on(FormRefused)
def form_refused(state: PatientsState, event: FormRefused) -> Step[PatientsState]:
    """Keep the form and show every issue."""
    return replace(state, registering=False, issues=event.issues), ()


@step.on(PatientRegistered)
def patient_registered(state: PatientsState, event: PatientRegistered) -> Step[PatientsState]:
    """Go straight to the visit."""
    return replace(state, registering=False, form=False), (OpenVisit(event.patient),)


@step.on(PatientPicked)
def patient_picked(state: PatientsState, event: PatientPicked) -> Step[PatientsState]:
    """Open the visit."""
    return state, (OpenVisit(event.patient),)


@step.on(EraseAsked)
def erase_asked(state: PatientsState, event: EraseAsked) -> Step[PatientsState]:
    """Ask again, by name, before anybody is erased; one that has begun cannot be called off."""
    if state.erasing:
        return state, ()
    return replace(state, leaving=event.patient, erased=None, refusal=None), ()


@step.on(EraseConfirmed)
def erase_confirmed(state: PatientsState, _event: EraseConfirmed) -> Step[PatientsState]:
    """Erase who was named; a second press does nothing."""
    if state.leaving is None or state.erasing:
        return state, ()
    return replace(state, erasing=True, refusal=None), (ErasePatient(state.leaving.id),)


@step.on(PatientErased)
def patient_erased(state: PatientsState, event: PatientErased) -> Step[PatientsState]:
    """Show the proof and read the list again."""
    gone = replace(state, leaving=None, erasing=False, erased=event.proof, loading=True)
    return gone, (FindPatients(state.text),)


@step.on(Failed)
def failed(state: PatientsState, event: Failed) -> Step[PatientsState]:
    """Say what did not work; the list stays."""
    stopped = replace(state, loading=False, registering=False, erasing=False)
    return replace(stopped, refusal=event.refusal), ()
