"""A visit from the first keystroke to the replay of its receipt."""

from dataclasses import replace
from datetime import date

import pytest
from support.tiny_engine import TinyEngine

from ddx.domain.audit import AuditAction
from ddx.domain.case import Sex
from ddx.domain.engine_time import SLOWEST_S, TENTHS_S
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, new_record_id
from ddx.errors import ModelError, UnknownFindingError
from ddx.intake.check import DraftRefusedError
from ddx.intake.draft import UNDECIDED, AgeUnit, Draft, DraftFinding
from desktop.services.errors import NewPatientRefusedError, OtherBundleError
from desktop.services.journal import Journal
from desktop.services.records import Difference
from desktop.services.visits import age_on
from desktop.store.errors import RecordMissingError
from desktop.store.repositories.diagnoses import DiagnosisRepository
from desktop.store.repositories.drafts import DraftRepository
from desktop.store.repositories.outbox import OutboxRepository
from sync_service.client.outbox import EventKind

PASSPHRASE = "llama del altiplano"


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(2026, 11, 23), ("0", AgeUnit.DAYS)),
        (date(2026, 10, 27), ("27", AgeUnit.DAYS)),
        (date(2026, 10, 20), ("1", AgeUnit.MONTHS)),
        (date(2024, 11, 24), ("23", AgeUnit.MONTHS)),
        (date(2024, 11, 23), ("2", AgeUnit.YEARS)),
        (date(1990, 11, 24), ("35", AgeUnit.YEARS)),
        (date(1990, 11, 23), ("36", AgeUnit.YEARS)),
    ],
)
def test_age_is_written_in_days_months_or_years_as_on_the_ward(born, age):
    assert age_on(date(2026, 11, 23), born) == age


def test_a_new_patient_is_found_and_has_no_visit_yet(session, patient):
    (found,) = session.patients.search("mamani zeno")
    assert found == patient
    assert (found.visits, found.last_visit_at) == (0, None)


def test_everything_wrong_with_a_new_patient_is_said_at_once(session, zenobia, entries):
    wrong = replace(zenobia, given_name=" ", family_name="", birth_date=date(2027, 1, 1))
    before = len(entries(session))
    with pytest.raises(NewPatientRefusedError) as refused:
        session.patients.create(wrong)
    assert {(issue.field, issue.code) for issue in refused.value.issues} == {
        ("given_name", "patient.name_missing"),
        ("family_name", "patient.name_missing"),
        ("birth_date", "patient.birth_date_future"),
    }
    assert len(entries(session)) == before
    assert session.patients.search() == ()


def test_a_birth_date_of_two_centuries_ago_is_refused(session, zenobia):
    with pytest.raises(NewPatientRefusedError):
        session.patients.create(replace(zenobia, birth_date=date(1826, 1, 1)))


def test_a_new_draft_knows_age_and_sex_and_is_the_same_until_diagnosed(session, patient, flu):
    first = session.visits.open_draft(patient.id)
    assert (first.draft.age_text, first.draft.age_unit) == ("36", AgeUnit.YEARS)
    assert first.draft.sex is Sex.FEMALE
    session.visits.save_draft(first.id, flu)
    again = session.visits.open_draft(patient.id)
    assert (again.id, again.draft) == (first.id, flu)


def test_a_saved_draft_is_there_for_the_next_session(clinic, session, patient, flu):
    draft = session.visits.open_draft(patient.id)
    session.visits.save_draft(draft.id, flu)
    session.close()
    later = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    assert later.visits.open_draft(patient.id).draft == flu
    later.close()


def test_a_diagnosis_is_recorded_with_its_receipt_and_the_draft_is_gone(
    session, patient, diagnosed, entries, events
):
    assert diagnosed.differential.candidates[0].disease == "VD:influenza"
    assert session.visits.history(patient.id) == (diagnosed,)
    receipt = session.visits.receipt(diagnosed.id)
    assert receipt.short_code == diagnosed.short_code
    assert session.patients.search()[0].visits == 1
    assert session.visits.open_draft(patient.id).draft.findings == ()
    entry = next(e for e in entries(session) if e.action is AuditAction.DIAGNOSED)
    assert entry.subject == diagnosed.id
    assert entry.detail["receipt"] == receipt.digest
    diagnosis, audit = events(session)
    assert (diagnosis.kind, audit.kind) == (EventKind.DIAGNOSIS, EventKind.AUDIT)
    assert diagnosis.payload["receipt_digest"] == receipt.digest
    assert audit.payload["entries"][-1]["hash"] == entry.hash == audit.payload["head"]


@pytest.mark.parametrize(
    "fails_after",
    [
        (DiagnosisRepository, "add"),
        (DraftRepository, "delete"),
        (Journal, "record"),
        (OutboxRepository, "add"),
        (Journal, "send_audit"),
    ],
)
def test_a_failure_after_any_step_of_a_diagnosis_leaves_none_of_it(
    session, ready, everything, monkeypatch, fails_after
):
    before, original = everything(), getattr(*fails_after)

    def does_it_and_fails(*args, **kwargs):
        original(*args, **kwargs)
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(*fails_after, does_it_and_fails)
        with pytest.raises(ZeroDivisionError):
            session.visits.diagnose(ready.id)
    assert everything() == before
    assert session.visits.open_draft(ready.patient_id).draft.findings
    assert session.visits.history(ready.patient_id) == ()


def test_what_is_typed_while_the_engine_runs_is_diagnosed_too(
    session, ready, flu, shelf, monkeypatch
):
    later = replace(flu, findings=flu.findings[:1])
    at_once, runs = shelf.engine.diagnose, []

    def types_on(case, *args):
        if not runs:
            session.visits.save_draft(ready.id, later)
        runs.append(case)
        return at_once(case, *args)

    monkeypatch.setattr(shelf.engine, "diagnose", types_on)
    recorded = session.visits.diagnose(ready.id)
    assert [len(case.findings) for case in runs] == [3, 1]
    assert recorded.case == runs[-1]
    assert len(session.visits.history(ready.patient_id)) == 1


def test_a_diagnosis_tells_in_steps_how_long_the_engine_took(session, ready, shelf, events):
    session.visits.diagnose(ready.id)
    (sent,) = (event for event in events(session) if event.kind is EventKind.DIAGNOSIS)
    assert sent.payload["engine_s"] in (*TENTHS_S, SLOWEST_S)


@pytest.mark.parametrize("error", [ModelError("a leaf is missing"), ZeroDivisionError()])
def test_a_model_that_fails_is_told_of_without_a_word_of_the_case(
    session, ready, shelf, events, error
):
    def fails(_case, *_args):
        raise error

    shelf.engine.diagnose = fails
    with pytest.raises(type(error)):
        session.visits.diagnose(ready.id)
    (sent,) = events(session)
    assert (sent.kind, sent.payload["bundle_digest"]) == ("model_failure", shelf.engine.digest)
    assert sent.payload.keys() == {"bundle_version", "bundle_digest", "failed_at"}
    assert session.visits.open_draft(ready.patient_id).draft.findings  # and is not lost


def test_what_was_asked_wrongly_is_no_failure_of_the_model(
    session, ready, shelf, events, monkeypatch
):
    def refuses(_case, *_args):
        raise UnknownFindingError("HP:0000000")

    monkeypatch.setattr(shelf.engine, "diagnose", refuses)
    with pytest.raises(UnknownFindingError):
        session.visits.diagnose(ready.id)
    assert events(session) == ()


def test_one_draft_gives_one_diagnosis(session, ready):
    session.visits.diagnose(ready.id)
    with pytest.raises(RecordMissingError):
        session.visits.diagnose(ready.id)
    assert len(session.visits.history(ready.patient_id)) == 1


def test_a_contradictory_draft_is_refused_and_kept(session, patient, flu, events):
    wrong = replace(
        flu,
        age_text="-3",
        findings=(
            *flu.findings,
            DraftFinding(id="HP:0001945", presence=Presence.EXCLUDED),
            DraftFinding(id="HP:9999999", presence=Presence.PRESENT),
        ),
    )
    draft = session.visits.open_draft(patient.id)
    session.visits.save_draft(draft.id, wrong)
    assert len(session.visits.check(wrong)) >= 3
    with pytest.raises(DraftRefusedError) as refused:
        session.visits.diagnose(draft.id)
    assert len(refused.value.issues) >= 3
    assert session.visits.open_draft(patient.id).draft == wrong
    assert events(session) == ()


def test_history_is_newest_first(session, patient, flu, clock):
    made = []
    for _ in range(3):
        draft = session.visits.open_draft(patient.id)
        session.visits.save_draft(draft.id, flu)
        made.append(session.visits.diagnose(draft.id).id)
        clock.advance(hours=1)
    assert [record.id for record in session.visits.history(patient.id)] == made[::-1]


def test_an_explanation_is_audited_with_the_disease(session, diagnosed, entries):
    explanation = session.visits.explain(diagnosed.id, DiseaseId("VD:influenza"))
    assert explanation.speaks_for
    last = entries(session)[-1]
    assert (last.action, last.subject) == (AuditAction.EXPLAINED, diagnosed.id)
    assert last.detail == {"disease": "VD:influenza"}


def test_an_old_record_is_explained_by_the_bundle_that_made_it(session, diagnosed, shelf):
    before = session.visits.explain(diagnosed.id, DiseaseId("VD:influenza"))
    shelf.older, shelf.engine = (shelf.engine,), TinyEngine("2027.1.1", background=0.2)
    assert session.visits.explain(diagnosed.id, DiseaseId("VD:influenza")) == before
    assert session.visits.replay(diagnosed.id).identical


def test_a_record_of_a_bundle_that_is_gone_is_not_explained_by_another(
    session, diagnosed, shelf, entries
):
    shelf.engine = TinyEngine("2027.1.1")
    before = entries(session)
    with pytest.raises(OtherBundleError):
        session.visits.explain(diagnosed.id, DiseaseId("VD:influenza"))
    assert entries(session) == before
    assert session.visits.replay(diagnosed.id).differences == (Difference.BUNDLE,)


def test_a_replay_says_what_differs(session, diagnosed, shelf):
    assert session.visits.replay(diagnosed.id).identical
    changed = TinyEngine(background=0.2)
    changed.feature_digest = lambda case: "0" * 64
    shelf.engine = changed
    report = session.visits.replay(diagnosed.id)
    assert not report.identical
    assert report.differences == (
        Difference.FEATURES,
        Difference.DIFFERENTIAL,
        Difference.CONTRIBUTIONS,
    )
    assert len(report.details) == 3


def test_opening_a_visit_of_nobody_is_refused(session):
    with pytest.raises(RecordMissingError):
        session.visits.open_draft(new_record_id())


def test_a_patient_is_found_by_what_was_recorded_in_a_visit(session, diagnosed, patient):
    code = diagnosed.short_code
    for text in ("fever", "Cough", "influenza", code, code[:4]):
        assert [p.id for p in session.patients.search(text)] == [patient.id], text
    assert session.patients.search("scoliosis") == ()


def test_a_list_on_trial_is_the_recorded_one_and_leaves_no_trace(
    session, ready, flu, entries, events
):
    before = entries(session), events(session)
    tried = session.visits.preview(flu)
    assert (entries(session), events(session)) == before
    made = session.visits.diagnose(ready.id)
    assert tried.differential == made.differential
    assert tried.not_excluded == made.not_excluded


def test_a_draft_that_is_no_case_has_no_list_on_trial(session):
    assert session.visits.preview(Draft()) is None


@pytest.mark.parametrize("opinion", ["VD:influenza", UNDECIDED])
def test_what_was_thought_before_the_list_is_kept_and_in_the_chain(
    session, patient, flu, entries, opinion
):
    draft = session.visits.open_draft(patient.id)
    session.visits.save_draft(draft.id, replace(flu, opinion=opinion))
    assert session.visits.open_draft(patient.id).draft.opinion == opinion
    made = session.visits.diagnose(draft.id)
    assert made.opinion == opinion
    assert session.visits.history(patient.id)[0].opinion == opinion
    (entry,) = [e for e in entries(session) if e.action is AuditAction.DIAGNOSED]
    assert entry.detail["opinion"] == opinion


def test_a_why_not_that_is_called_off_still_answers(session, diagnosed):
    told = session.visits.why_not(diagnosed.id, DiseaseId("VD:influenza"), lambda: False)
    assert told.disease == "VD:influenza"
