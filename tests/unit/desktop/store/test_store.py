"""The open store: units of work, search, append-only audit, encryption at rest."""

import sqlite3
from datetime import timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from support.records import NOON, a_diagnosis, a_patient

from ddx.domain.audit import AuditAction, AuditChainError
from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.identifiers import DiseaseId, RecordId, new_record_id
from desktop.store.errors import RecordMissingError, StoreClosedError, StoreError
from desktop.store.records import StoredDraft
from desktop.store.store import ClinicStore


def add_patient(store, **changes):
    patient = a_patient(**changes)
    with store.write() as unit:
        unit.patients.add(patient)
    return patient


def test_what_was_written_is_read_back_after_reopening(store, path, data_key, clinician):
    patient = add_patient(store)
    diagnosis = a_diagnosis(patient.id, clinician.id)
    feedback = Feedback(
        id=new_record_id(),
        diagnosis_id=diagnosis.id,
        verb=Verb.CUSTOM,
        disease=DiseaseId("VD:dengue"),
        reason=OverrideReason.OTHER,
        outcome_at=NOON,
        note="viene de Puerto Maldonado",
    )
    draft = StoredDraft(
        id=new_record_id(), patient_id=patient.id, content={"age": "36"}, updated_at=NOON
    )
    with store.write() as unit:
        unit.diagnoses.add(diagnosis)
        unit.drafts.add(draft)
        unit.settings.put("last_contact_at", "2026-11-23")
    with store.write() as unit:
        unit.feedback.add(feedback, clinician.id)
    store.close()
    again = ClinicStore.open(path, data_key)
    with again.read() as unit:
        assert unit.diagnoses.of_patient(patient.id) == (diagnosis,)
        assert unit.feedback.of_diagnoses((diagnosis.id,)) == (feedback,)
        assert unit.drafts.of_patient(patient.id) == draft
        assert unit.clinic.clinician(clinician.id) == clinician
        assert unit.settings.get("last_contact_at") == "2026-11-23"
        found = unit.patients.get(patient.id)
        assert (found.given_name, found.visits, found.last_visit_at) == ("Zenobia", 1, NOON)
    again.close()


def test_a_failure_in_the_middle_leaves_nothing_of_the_unit(store):
    def add_and_fail():
        patient = a_patient()
        with store.write() as unit:
            unit.patients.add(patient)
            unit.audit.append(
                at=NOON,
                actor=new_record_id(),
                action=AuditAction.PATIENT_CREATED,
                subject=patient.pseudonym,
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    with store.read() as unit:
        assert unit.patients.search("", 10) == ()
        assert unit.audit.head() is None


def test_who_waits_to_write_keeps_nobody_from_the_audit(store, clinician):
    """The upkeep of the day and a visit write one after the other; each opens the chain."""

    def entry(unit):
        unit.audit.append(
            at=NOON, actor=clinician.id, action=AuditAction.PATIENT_CREATED, subject="p"
        )

    asked, failures = Event(), []

    def write_later():
        try:
            with store.write() as unit:
                asked.set()
                entry(unit)
        except StoreError as error:
            failures.append(error)

    waiting = Thread(target=write_later)
    with store.write() as unit:
        unit.settings.put("upkeep_at", "2026-11-26")
        waiting.start()
        assert asked.wait(60)
        waiting.join(0.3)  # it is at its BEGIN now, for which this unit has to end first
        entry(unit)
    waiting.join()
    assert failures == []
    with store.read() as unit:
        assert unit.audit.head().sequence == 2


def test_reading_never_writes(store):
    with store.read() as unit:
        unit.patients.add(a_patient())
    with store.read() as unit:
        assert unit.patients.search("", 10) == ()


def test_a_diagnosis_of_nobody_is_refused_by_the_database(store, clinician):
    with pytest.raises(StoreError) as refused, store.write() as unit:
        unit.diagnoses.add(a_diagnosis(new_record_id(), clinician.id))
    assert isinstance(refused.value.__cause__, IntegrityError)


def test_a_refused_statement_does_not_print_the_patient(store):
    patient = add_patient(store)
    with pytest.raises(StoreError) as refused, store.write() as unit:
        unit.patients.add(a_patient(pseudonym=patient.pseudonym))
    assert "Zenobia" not in f"{refused.value!r} {refused.value.__cause__}"


def test_patients_are_found_by_any_part_of_the_name_without_accents(store):
    add_patient(store, given_name="José", family_name="Núñez Peña")
    add_patient(store, given_name="Josefina", family_name="100%_Real")
    with store.read() as unit:

        def names(words):
            return [p.given_name for p in unit.patients.search(words, 10)]

        assert names("nunez JOSE") == ["José"]
        assert sorted(names("jose")) == ["Josefina", "José"]
        assert names("%") == ["Josefina"]
        assert names("ruiz") == []


def test_the_patient_seen_last_comes_first(store, clinician):
    early, late = add_patient(store, given_name="A"), add_patient(store, given_name="B")
    visits = [(late, 1), (early, 2), (early, -48)]
    with store.write() as unit:
        for patient, hours in visits:
            at = NOON + timedelta(hours=hours)
            unit.diagnoses.add(a_diagnosis(patient.id, clinician.id, at))
            unit.patients.seen(patient.id, at)
    with store.read() as unit:
        found = unit.patients.search("", 10)
    assert [(p.given_name, p.visits) for p in found] == [("A", 2), ("B", 1)]
    assert found[0].last_visit_at == NOON + timedelta(hours=2)


def test_a_draft_is_diagnosed_only_once(store):
    patient = add_patient(store)
    draft = StoredDraft(id=new_record_id(), patient_id=patient.id, content={}, updated_at=NOON)
    with store.write() as unit:
        unit.drafts.add(draft)
    with store.write() as unit:
        unit.drafts.delete(draft.id)
    with pytest.raises(RecordMissingError), store.write() as unit:
        unit.drafts.delete(draft.id)


def append(store, number):
    with store.write() as unit:
        for _ in range(number):
            unit.audit.append(
                at=NOON, actor=RecordId("a"), action=AuditAction.EXPLAINED, subject="s"
            )


def test_the_audit_chain_verifies_and_refuses_to_be_rewritten(store):
    append(store, 5)
    with store.read() as unit:
        assert unit.audit.verify() == 5
    for statement in ("UPDATE audit_entry SET subject = 'x'", "DELETE FROM audit_entry"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            store._writers.begin() as connection,
        ):
            connection.execute(text(statement))


def test_an_entry_edited_behind_the_triggers_is_named(store):
    append(store, 5)
    with store._writers.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_entry_no_update"))
        connection.execute(text("UPDATE audit_entry SET subject = 'x' WHERE sequence = 3"))
    with store.read() as unit, pytest.raises(AuditChainError) as broken:
        unit.audit.verify()
    assert broken.value.sequence == 3


def test_no_planted_name_is_in_any_file_of_the_store(store, path):
    planted = [add_patient(store, given_name=f"Planteada{i}").given_name for i in range(50)]
    files = sorted(path.parent.iterdir())
    assert any(f.name.endswith("-wal") and f.stat().st_size for f in files)
    content = b"".join(f.read_bytes() for f in files)
    assert b"SQLite format 3" not in content
    assert not [name for name in planted if name.encode() in content]


def test_plain_sqlite_cannot_open_the_store(store, path):
    store.close()
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(path).execute("SELECT * FROM patient")


def test_a_closed_store_says_so(store):
    store.close()
    with pytest.raises(StoreClosedError), store.read():
        pass


def test_commits_are_durable_and_the_log_is_write_ahead(store):
    with store._readers.connect() as connection:
        pragma = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
