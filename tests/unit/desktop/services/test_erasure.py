"""A patient who is erased leaves a proof, a tombstone, and a chain that still holds."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from ddx.domain.audit import AuditAction
from ddx.domain.case import Sex
from ddx.domain.feedback import Verb
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId
from ddx.intake.draft import Draft, DraftFinding
from desktop.services.erasing import erasure_proof
from desktop.services.outgoing import patient_pseudonym
from desktop.services.records import NewPatient
from desktop.store.errors import RecordMissingError
from sync_service.protocol.allowlist import objection_to_sending

FLU = DiseaseId("VD:influenza")


@pytest.fixture
def erased(session, diagnosed, patient):
    session.decisions.record(diagnosed.id, Verb.AGREE, FLU, note="Zenobia")
    return session.privacy.erase(patient.id)


def test_nothing_of_the_patient_is_left_in_any_table(session, patient, erased, diagnosed):
    with pytest.raises(RecordMissingError):
        session.visits.history(patient.id)
    with session._desk.store.read() as unit:
        tables = unit._session.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'table'")
        ).scalars()
        rows = [
            str(row)
            for table in tables.all()
            for row in unit._session.execute(text(f"SELECT * FROM {table}")).all()
        ]
    for word in ("Zenobia", "Quispe", "45678912", patient.id, "HP:0001945"):
        assert not any(word in row for row in rows), word


def test_searching_no_longer_finds_the_patient(session, patient, diagnosed):
    session.decisions.record(diagnosed.id, Verb.AGREE, FLU, note="Zenobia vive en Xylofonosa")

    def found():
        people = [session.patients.search(words) for words in ("zeno", "quis mama", "4567")]
        with session._desk.store.read() as unit:
            visits = [
                unit.patients.seen_with(codes, words, 5)
                for codes, words in (
                    (("HP:0001945",), ""),
                    ((FLU,), ""),
                    ((), "xylo"),
                    ((), diagnosed.short_code.replace("-", " ")),
                )
            ]
        return [len(hits) for hits in (*people, *visits)]

    assert found() == [1] * 7
    session.privacy.erase(patient.id)
    assert found() == [0] * 7


def test_no_page_of_the_search_indexes_keeps_a_word_of_the_patient(session, diagnosed):
    """Full-text indexes may keep deleted words in older segments until they are merged."""
    with session._desk.store.read() as unit:
        other = unit.patients.search("", 5)[0].id
    xjkw = session.patients.create(
        NewPatient(
            given_name="Xjkw",
            family_name="Vocanez",
            sex=Sex.FEMALE,
            birth_date=date(1990, 5, 1),
            national_id="87654321",
        )
    )
    draft = session.visits.open_draft(xjkw.id)
    cough = DraftFinding(id="HP:0012735", presence=Presence.PRESENT)
    session.visits.save_draft(draft.id, Draft(age_text="36", sex=Sex.FEMALE, findings=(cough,)))
    made = session.visits.diagnose(draft.id)
    session.decisions.record(made.id, Verb.AGREE, FLU, note="Xylofonosa de Xjkwtambo")

    def pages():
        with session._desk.store.read() as unit:
            kept = [
                row[0]
                for index in ("patient_index", "visit_index")
                for row in unit._session.execute(text(f"SELECT block FROM {index}_data"))
            ]
            words = [
                row[0].encode()
                for table in ("patient_search", "visit_search")
                for row in unit._session.execute(text(f"SELECT words FROM {table}"))
            ]
        return b"".join((*kept, *words))

    code = made.short_code.replace("-", " ").split()[-1].encode()
    theirs = (b"xjk", b"lofonosa", b"876", b"xjkw vocanez 87654321", code)
    assert [word in pages() for word in theirs] == [True] * 5
    session.privacy.erase(xjkw.id)
    assert [word in pages() for word in theirs] == [False] * 5
    session._desk.store.check()
    assert [p.id for p in session.patients.search("zenobia")] == [other]


def test_the_chain_still_holds_and_says_so(session, erased, entries):
    last = entries(session)[-1]
    assert (last.action, last.subject) == (AuditAction.PATIENT_ERASED, erased.pseudonym)
    assert last.detail["proof"] == erased.proof
    assert session.privacy.erasures() == (erased,)


def test_the_cloud_is_told_and_nothing_else_of_the_patient_waits(session, erased, events):
    waiting = events(session)
    assert [e.kind for e in waiting if e.kind != "audit"] == ["erasure"]
    for event in waiting:
        assert objection_to_sending(event.kind, event.payload, event.payload_sha256) is None


def test_the_records_of_another_patient_still_wait_with_their_payloads(
    session, erased, events, zenobia, flu
):
    other = session.patients.create(zenobia)
    draft = session.visits.open_draft(other.id)
    session.visits.save_draft(draft.id, flu)
    made = session.visits.diagnose(draft.id)
    session.decisions.record(made.id, Verb.AGREE, FLU)
    third = session.patients.create(zenobia)
    before = [e for e in events(session) if e.kind in {"diagnosis", "feedback"}]
    session.privacy.erase(third.id)
    assert [e for e in events(session) if e.kind in {"diagnosis", "feedback"}] == before
    assert [e.kind for e in before] == ["diagnosis", "feedback"]
    session.privacy.erase(other.id)
    assert [e.kind for e in events(session) if e.kind in {"diagnosis", "feedback"}] == []


def test_the_proof_fits_the_patient_and_no_other(session, patient, diagnosed):
    with session._desk.store.read() as unit:
        key = unit.clinic.get().pseudonym_key
        person, diagnoses = unit.patients.get(patient.id), unit.diagnoses.of_patient(patient.id)
    erased = session.privacy.erase(patient.id)
    assert erased.pseudonym == patient_pseudonym(key, patient.id)
    assert erased.proof == erasure_proof(key, person, diagnoses)
    assert erased.proof != erasure_proof(key, person, ())
    assert erased.proof != erasure_proof(bytes(32), person, diagnoses)


def test_retention_names_only_who_was_not_seen_since(session, patient, clock):
    now = clock()
    assert session.privacy.due(now) == ()
    assert session.privacy.due(now + timedelta(days=1)) == (patient.id,)


def test_what_was_sent_is_shown_letter_by_letter(session, diagnosed, events):
    shown = session.privacy.sent()
    assert [record.payload_sha256 for record in shown[::-1]] == [
        event.payload_sha256 for event in events(session)
    ]
    assert '"patient_pseudonym"' in shown[-1].payload_json
