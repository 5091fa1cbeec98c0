"""The audit grows old, with a real cloud on loopback that countersigned it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from support.cloud_server import cloud_in_thread

from ddx.domain.audit import AuditAction
from ddx.domain.audit_retention import LEAST_DAYS
from ddx.domain.audit_verdict import AuditVerdict, verify_log
from ddx.domain.course import Course, StoppedError
from ddx.domain.roles import Role
from desktop.commands.audit import heads_of
from desktop.services.audit import sealed_log
from desktop.services.retention import retire_audit
from desktop.services.session import Session
from desktop.settings import Settings
from desktop.signatures import ed25519_check
from desktop.store.errors import StoreError
from sync_service.client.outbox import EventKind


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with cloud_in_thread(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def synced(session, cloud, diagnosed, patient):
    """Three heads countersigned by a server, with work between them."""
    session.sync.link(cloud.url, cloud.code())
    for _ in range(3):
        session.visits.history(patient.id)
        session.sync.run_once()
    return session


@pytest.fixture
def aged(synced, monkeypatch, clock):
    """As `synced`, when the first two heads are 400 and 200 days old."""
    clock.advance(days=500)
    heads = heads_in(synced)
    days = {heads[0].head: 400, heads[1].head: 200}

    def time_of(checkpoint):
        return clock.moment - timedelta(days=days.get(checkpoint.head, 0))

    # The server's signature covers its time: what it says stays, what is read of it grows old.
    monkeypatch.setattr("ddx.domain.audit_retention._time", time_of)
    return synced


def heads_in(session):
    with session._desk.store.read() as unit:
        return unit.audit.checkpoints()


def log_of(session):
    with session._desk.store.read() as unit:
        return sealed_log(session._desk, unit)


def held(session, **pins):
    return verify_log(log_of(session), check=ed25519_check, **pins)


def auditor_of(session):
    card = replace(session.clinician, role=Role.AUDITOR)
    return Session(replace(session._desk, clinician=card), Settings())


def test_what_is_left_begins_at_a_countersigned_entry_and_holds(aged, entries):
    before, beginning = entries(aged), heads_in(aged)[1]
    gone = retire_audit(aged._desk, 183)
    after = entries(aged)
    assert gone == beginning.sequence - 1 > 0
    assert after[0].hash == beginning.head
    assert after[:-1] == before[gone:]
    told = after[-1]
    assert (told.action, told.detail["entries"]) == (AuditAction.AUDIT_RETIRED, gone)
    assert (told.detail["sequence"], told.detail["head"]) == (beginning.sequence, beginning.head)
    report = held(aged, server_key=beginning.server_key)
    assert report.finding is None
    assert report.begins == (1, beginning.sequence)
    assert auditor_of(aged).audit.verify() == len(after)


def test_an_export_kept_from_before_still_agrees(aged):
    earlier = log_of(aged)
    retire_audit(aged._desk, 183)
    assert held(aged, witness=heads_of(earlier)).finding is None


def test_the_segments_that_carried_what_went_are_gone_too(aged):
    def carried():
        with aged._desk.store.read() as unit:
            sent = [e for e in unit.outbox.sent(1000) if e.kind == EventKind.AUDIT]
            return {entry["sequence"] for event in sent for entry in event.payload["entries"]}

    first = heads_in(aged)[1].sequence
    assert 1 in carried()
    retire_audit(aged._desk, 183)
    kept = carried()
    assert 1 not in kept
    assert kept >= set(range(first + 1, max(kept) + 1))


def test_the_clinic_works_and_syncs_on(aged, patient, cloud):
    retire_audit(aged._desk, 183)
    aged.visits.history(patient.id)
    status = aged.sync.run_once()
    assert (status.pending, status.quarantined, status.audit_alarm) == (0, 0, "")
    assert held(aged).finding is None
    assert cloud.rows("SELECT 1 FROM alarm") == []
    assert retire_audit(aged._desk, 183) == 0


def test_what_the_server_has_not_acknowledged_keeps_everything(aged, patient):
    aged.visits.history(patient.id)
    with aged._desk.store.write() as unit:
        aged._desk.journal.send_audit(unit)
    assert retire_audit(aged._desk, 183) == 0
    aged.sync.run_once()
    assert retire_audit(aged._desk, 183) > 0


def test_a_clinic_without_a_server_keeps_everything(session, clock, diagnosed):
    clock.advance(days=9_000)
    assert retire_audit(session._desk, 183) == 0


def test_a_chain_that_does_not_hold_is_evidence_and_stays(aged, entries):
    with aged._desk.store.write() as unit:
        connection = unit._session.connection()
        connection.exec_driver_sql("DROP TRIGGER audit_entry_no_update")
        connection.execute(text("UPDATE audit_entry SET subject = 'x' WHERE sequence = 2"))
    assert retire_audit(aged._desk, 183) == 0
    with aged._desk.store.read() as unit:
        assert unit.audit.at(1) is not None


def test_ended_before_its_last_step_nothing_went(aged, entries):
    before = entries(aged)
    course = Course()
    course.stop()
    with pytest.raises(StoppedError):
        retire_audit(aged._desk, 183, course)
    assert entries(aged) == before


def test_afterwards_the_chain_refuses_to_lose_an_entry_as_before(aged):
    retire_audit(aged._desk, 183)
    with pytest.raises(StoreError, match="CONSTRAINT"), aged._desk.store.write() as unit:
        unit._session.connection().exec_driver_sql("DELETE FROM audit_entry")


@pytest.mark.parametrize(
    "without",
    [
        lambda row: row.get("action") == AuditAction.AUDIT_RETIRED,
        lambda row: row["kind"] == "checkpoint",
    ],
    ids=["the device's word", "the server's word"],
)
def test_a_log_without_its_beginning_needs_the_word_of_both(aged, without):
    retire_audit(aged._desk, 183)
    lines = [line for line in log_of(aged) if not without(json.loads(line))]
    finding = verify_log(lines, check=ed25519_check).finding
    assert (finding.verdict, finding.sequence) == (AuditVerdict.GAP, 1)


def test_cutting_further_than_was_said_is_a_gap(aged):
    retire_audit(aged._desk, 183)
    lines = list(log_of(aged))
    del lines[1]
    finding = verify_log(lines, check=ed25519_check).finding
    assert finding.verdict is AuditVerdict.GAP


def test_the_upkeep_lets_go_of_what_the_settings_say(aged, entries):
    aged.keeping._audit_days = LEAST_DAYS
    first = entries(aged)[0].sequence
    aged.keeping.upkeep()
    assert first == 1 < entries(aged)[0].sequence
    assert len(aged.keeping.backups()) == 1
