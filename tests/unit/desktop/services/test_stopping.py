"""Long work of a clinic, ended in the middle: nothing half done, and then run to its end."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text
from support.courses import ended_at_call, ended_in_the_middle, ended_once

from ddx.domain.audit import AuditAction
from ddx.domain.course import Course, StoppedError
from ddx.domain.roles import Role
from desktop.services.keeping import CHECKED_AT
from desktop.services.session import Session
from desktop.settings import Settings
from desktop.store.ledger import NAME

PASSPHRASE = "llama del altiplano"
NEW = "quinua y cañihua"


@pytest.fixture
def large(session):
    """The session over a store of 4 MiB: its copies take more than one step."""
    with session._desk.store.write() as unit:
        unit.settings.put("ballast", "x" * 4_000_000)
    return session


@pytest.fixture
def chained(session):
    """An auditor's session over a chain of 60 entries and more."""
    with session._desk.store.write() as unit:
        for _ in range(60):
            session._desk.journal.record(unit, AuditAction.PATIENT_VIEWED, "p-1")
    card = replace(session.clinician, role=Role.AUDITOR)
    return Session(replace(session._desk, clinician=card), Settings())


def files_of(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_backup_ended_in_the_middle_leaves_no_file_and_the_earlier_one(large, clinic):
    place = large.keeping.place
    first = large.keeping.back_up()
    with pytest.raises(StoppedError):
        large.keeping.back_up(ended_in_the_middle())
    assert [name for name in files_of(place) if name != NAME] == [first.folder.name]
    again = large.keeping.back_up()
    assert {b.folder for b in large.keeping.backups()} == {again.folder, first.folder}


def test_a_backup_that_is_whole_is_not_ended_any_more(large):
    told = []
    course = Course(lambda done, total: told.append((done, total, course.in_last_step)))
    large.keeping.back_up(course)
    copied = [total for done, total, last in told if done and not last]
    assert copied
    assert told[-1] == (0, 0, True)
    assert not course.may_stop


def test_a_check_ended_in_the_middle_is_in_the_chain_as_not_finished(large, entries):
    with pytest.raises(StoppedError):
        large.keeping.check(ended_at_call(1))
    last = entries(large)[-1]
    assert (last.action, dict(last.detail)) == (AuditAction.STORE_CHECKED, {"finished": False})
    with large._desk.store.read() as unit:
        assert unit.settings.get(CHECKED_AT) is None
    large.keeping.check()
    assert entries(large)[-1].detail == {"sound": True}


def test_the_upkeep_of_the_day_ended_early_stays_due(large):
    with pytest.raises(StoppedError):
        large.keeping.upkeep(ended_in_the_middle())
    assert large.keeping.backups() == ()
    large.keeping.upkeep()
    assert len(large.keeping.backups()) == 1


@pytest.mark.parametrize("bytes_read", [1, 5_000_000], ids=["hashing", "copying"])
def test_a_restore_ended_early_leaves_the_store_of_now(
    large, clinic, zenobia, tmp_path, bytes_read
):
    """The first bytes are hashed; after about 4 MiB of those, they are copied."""
    backup = large.keeping.back_up()
    large.patients.create(zenobia)
    large.close()
    read, before = 0, 0

    def reached(done, total):
        nonlocal read, before
        read, before = read + max(0, done - before), done
        return read >= bytes_read

    with pytest.raises(StoppedError):
        clinic.restore(backup.folder, PASSPHRASE, ended_once(reached))
    assert [p.name for p in tmp_path.iterdir() if ".building" in p.name] == []
    again = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    assert [p.given_name for p in again.patients.search()] == ["Zenobia"]
    again.close()
    clinic.restore(backup.folder, PASSPHRASE)
    back = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    assert back.patients.search() == ()
    back.close()


def test_ending_a_restore_again_and_again_locks_nobody_out(large, clinic):
    backup = large.keeping.back_up()
    for _ in range(8):
        with pytest.raises(StoppedError):
            clinic.restore(backup.folder, PASSPHRASE, ended_in_the_middle())
    clinic.restore(backup.folder, PASSPHRASE)


def test_a_new_data_key_ended_early_leaves_the_old_one(large, clinic, tmp_path):
    who = large.clinician.id
    large.close()
    with pytest.raises(StoppedError):
        clinic.change_data_key(who, PASSPHRASE, ended_in_the_middle())
    assert [p.name for p in tmp_path.iterdir() if ".building" in p.name] == []
    clinic.reset_passphrase(clinic.recovery_key, who, PASSPHRASE)  # the old recovery key opens
    new = clinic.change_data_key(who, PASSPHRASE)
    clinic.reset_passphrase(new, who, NEW)
    clinic.sign_in(who, NEW).close()


@pytest.mark.parametrize("call", [1, 2], ids=["before the store", "before its first rows"])
def test_a_clinic_whose_creation_was_ended_is_not_there(new_clinic, tmp_path, call):
    clinic = new_clinic()
    details = {"clinic_name": "Posta", "display_name": "Ana", "passphrase": PASSPHRASE}
    with pytest.raises(StoppedError):
        clinic.create(**details, course=ended_at_call(call))
    assert not clinic.is_set_up()
    assert files_of(tmp_path) == []
    clinic.create(**details)
    clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE).close()


def test_a_verification_ended_in_the_middle_is_in_the_chain_as_not_finished(chained, entries):
    with pytest.raises(StoppedError):
        chained.audit.verify(ended_in_the_middle())
    last = entries(chained)[-1]
    assert last.action is AuditAction.STORE_CHECKED
    assert dict(last.detail) == {"what": "audit", "finished": False}
    assert chained.audit.verify() == last.sequence


@pytest.mark.parametrize("way", ["export", "export_fhir"])
def test_an_export_of_the_audit_ended_in_the_middle_is_no_entry(chained, entries, way):
    before = entries(chained)
    with pytest.raises(StoppedError):
        getattr(chained.audit, way)(ended_in_the_middle())
    assert entries(chained) == before
    assert getattr(chained.audit, way)()
    assert entries(chained)[-1].action is AuditAction.EXPORTED


@pytest.mark.parametrize(
    "work",
    [
        lambda s, d, course: s.aggregates.read(course=course),
        lambda s, d, course: s.visits.history(d.patient_id, course),
        lambda s, d, course: s.exports.fhir(d.patient_id, course),
        lambda s, d, course: s.exports.phenopacket(d.id, course),
    ],
    ids=["counts", "history", "fhir", "phenopacket"],
)
def test_a_reading_ended_early_is_no_entry(session, diagnosed, entries, work):
    before = entries(session)
    course = Course()
    course.stop()
    with pytest.raises(StoppedError):
        work(session, diagnosed, course)
    assert entries(session) == before
    assert work(session, diagnosed, Course())
    assert len(entries(session)) == len(before) + 1


def test_the_audit_is_read_to_its_end_after_a_reading_was_ended(chained, entries):
    with pytest.raises(StoppedError):
        chained.audit.entries(course=ended_in_the_middle())
    assert chained.audit.entries(course=Course()) == entries(chained)


def test_a_statement_that_runs_is_interrupted_and_the_next_one_answers(session, patient):
    count = text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )
    course = Course()
    timer = threading.Timer(0.05, course.stop)
    timer.start()
    with pytest.raises(StoppedError), session._desk.store.read(course) as unit:
        unit._session.execute(count)  # without an end
    timer.join()
    assert [p.id for p in session.patients.search("Zenobia")] == [patient.id]
