"""A patient who is erased leaves a proof, a tombstone, and a chain that still holds."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from ddx.domain.audit import AuditAction
from ddx.domain.feedback import Verb
from ddx.domain.identifiers import DiseaseId
from desktop.services.outgoing import patient_pseudonym
from desktop.services.privacy import erasure_proof
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
