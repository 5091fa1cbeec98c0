from dataclasses import dataclass, replace
from datetime import date
from types import SimpleNamespace

import pytest

from ddx.domain.case import Sex
from ddx.domain.identifiers import RecordId
from desktop.presenters.patients import (
    Entered,
    EraseAsked,
    EraseConfirmed,
    ErasePatient,
    Failed,
    FindPatients,
    FormIssue,
    FormOpened,
    FormRefused,
    FormSubmitted,
    OpenVisit,
    PatientErased,
    PatientRegistered,
    PatientsFound,
    PatientsState,
    RegisterPatient,
    SearchTyped,
    parse_day,
    step,
)
from desktop.presenters.reducer import Refusal


@dataclass(frozen=True)
class Row:
    id: RecordId
    given_name: str = "Zenobia"
    family_name: str = "Quispe"
    sex: Sex = Sex.FEMALE
    birth_date: date = date(1990, 5, 1)
    visits: int = 0
    last_visit_at: None = None


ZENOBIA = Row(RecordId("1"))
FORM = FormSubmitted(
    given_name="Zenobia", family_name="Quispe", sex=Sex.FEMALE, birth_date=date(1990, 5, 1)
)


def test_an_answer_to_older_text_is_not_shown():
    typing, effects = step(PatientsState(), SearchTyped("qui"))
    assert effects == (FindPatients("qui"),)
    assert step(typing, PatientsFound("q", (ZENOBIA,))) == (typing, ())
    assert step(typing, PatientsFound("qui", (ZENOBIA,)))[0].patients == (ZENOBIA,)


def test_coming_back_reads_the_list_again_with_the_same_text():
    assert step(PatientsState(text="qui"), Entered())[1] == (FindPatients("qui"),)


def test_an_incomplete_form_shows_every_gap_and_registers_nobody():
    empty = replace(FORM, given_name=" ", family_name="", birth_date=None)
    state, effects = step(PatientsState(form=True), empty)
    assert [issue.field for issue in state.issues] == ["given_name", "family_name", "birth_date"]
    assert effects == ()


def test_a_form_the_service_refuses_stays_open_with_its_issues():
    sent, effects = step(PatientsState(form=True), FORM)
    assert effects == (RegisterPatient(FORM),)
    assert step(sent, FORM) == (sent, ())
    future = FormIssue("birth_date", "patient.birth_date_future")
    state, _ = step(sent, FormRefused((future,)))
    assert (state.form, state.registering, state.issues) == (True, False, (future,))


def test_a_registered_patient_goes_straight_to_the_visit():
    state, effects = step(PatientsState(form=True, registering=True), PatientRegistered(ZENOBIA))
    assert (state.form, effects) == (False, (OpenVisit(ZENOBIA),))


def test_closing_the_form_forgets_its_issues():
    wrong = PatientsState(form=True, issues=(FormIssue("birth_date", "x"),))
    assert step(wrong, FormOpened(False))[0].issues == ()


@pytest.mark.parametrize("text", ["7/3/1984", "07-03-1984", " 07.03.1984 ", "7 3 1984"])
def test_a_day_can_be_typed_with_any_separator(text):
    assert parse_day(text) == date(1984, 3, 7)


@pytest.mark.parametrize("text", ["", "1984", "7/3/84", "31/2/1984", "a/b/1984", "7/3/1984/1"])
def test_what_is_not_a_day_is_not_guessed(text):
    assert parse_day(text) is None


def test_nobody_is_erased_without_being_named_first():
    state = PatientsState(patients=(ZENOBIA,))
    assert step(state, EraseConfirmed()) == (state, ())
    asked, effects = step(state, EraseAsked(ZENOBIA))
    assert (asked.leaving, effects) == (ZENOBIA, ())
    kept, effects = step(asked, EraseAsked(None))
    assert (kept.leaving, effects) == (None, ())


def test_an_erasure_runs_once_and_its_proof_is_shown():
    asked, _ = step(PatientsState(text="q", patients=(ZENOBIA,)), EraseAsked(ZENOBIA))
    begun, effects = step(asked, EraseConfirmed())
    assert effects == (ErasePatient(ZENOBIA.id),)
    assert step(begun, EraseConfirmed()) == (begun, ())
    assert step(begun, EraseAsked(None)) == (begun, ())
    proof = SimpleNamespace(pseudonym="p", proof="f", diagnoses=1)
    done, effects = step(begun, PatientErased(proof))
    assert (done.erased, done.leaving, done.erasing) == (proof, None, False)
    assert effects == (FindPatients("q"),)


def test_an_erasure_that_failed_may_be_tried_again():
    begun, _ = step(PatientsState(leaving=ZENOBIA), EraseConfirmed())
    failed, _ = step(begun, Failed(Refusal("store.full")))
    assert (failed.refusal, failed.leaving) == (Refusal("store.full"), ZENOBIA)
    _, effects = step(failed, EraseConfirmed())
    assert effects == (ErasePatient(ZENOBIA.id),)
