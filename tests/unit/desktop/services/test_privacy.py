"""What leaves the clinic and what its files show to somebody without a key."""

import logging

from ddx.domain.feedback import Verb
from ddx.domain.identifiers import DiseaseId
from desktop.services.outgoing import patient_pseudonym
from sync_service.protocol.allowlist import objection_to_sending

NAMES = ("Zenobia", "Quispe", "Mamani", "45678912")


def test_every_event_passes_the_allow_list_and_names_nobody(
    clinic, session, patient, diagnosed, events
):
    session.decisions.record(diagnosed.id, Verb.AGREE, DiseaseId("VD:influenza"), note="Zenobia")
    session.visits.explain(diagnosed.id, DiseaseId("VD:influenza"))
    session.decisions.record(diagnosed.id, Verb.AGREE, DiseaseId("VD:influenza"))
    sent = events(session)
    assert {event.kind for event in sent} == {"diagnosis", "feedback", "audit"}
    for event in sent:
        assert objection_to_sending(event.kind, event.payload, event.payload_sha256) is None
        for word in (*NAMES, patient.id):
            assert word not in str(event.payload)


def test_the_audit_segments_join_without_a_gap(session, diagnosed, events, entries):
    for _ in range(3):
        session.decisions.record(diagnosed.id, Verb.AGREE, DiseaseId("VD:influenza"))
    sent = [
        e["hash"] for ev in events(session) if ev.kind == "audit" for e in ev.payload["entries"]
    ]
    assert sent == [entry.hash for entry in entries(session)]


def test_weeks_of_reading_leave_in_segments_the_protocol_takes(session, ready, events):
    for _ in range(250):
        session.visits.history(ready.patient_id)
    session.visits.diagnose(ready.id)
    segments = [event for event in events(session) if event.kind == "audit"]
    assert [len(event.payload["entries"]) for event in segments[:2]] == [100, 100]
    for event in segments:
        assert objection_to_sending(event.kind, event.payload, event.payload_sha256) is None


def test_the_same_patient_has_another_pseudonym_in_another_clinic(
    session, patient, diagnosed, events
):
    payload = events(session)[0].payload
    with session._desk.store.read() as unit:
        key = unit.clinic.get().pseudonym_key
    assert payload["patient_pseudonym"] == patient_pseudonym(key, patient.id)
    assert patient_pseudonym(b"another clinic's key".ljust(32), patient.id) not in str(payload)


def test_age_leaves_in_whole_years_and_made_at_with_its_zone(session, diagnosed, events):
    payload = events(session)[0].payload
    assert payload["case"]["age_days"] == 13149  # 36 x 365.25, rounded up to a whole day
    assert payload["made_at"].endswith("+00:00")


def test_no_file_and_no_log_of_the_clinic_holds_a_name_or_the_passphrase(
    session, patient, diagnosed, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG)
    session.decisions.record(diagnosed.id, Verb.AGREE, DiseaseId("VD:influenza"), note="Zenobia")
    files = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert {"clinic.db", "clinic.db-wal", "keys.json"} <= {f.name for f in files}
    content = b"".join(f.read_bytes() for f in files)
    for word in (*NAMES, "altiplano", "HP:0001945"):
        assert word.encode() not in content
        assert word not in caplog.text
