"""The head of the chain, shown to a real cloud on loopback: countersigned, or found out."""

import shutil

import pytest
from support.cloud_server import cloud_in_thread

from ddx.domain.audit import AuditAction
from ddx.domain.audit_verdict import AuditVerdict, verify_log
from desktop.commands.audit import heads_of
from desktop.services.audit import sealed_log
from desktop.signatures import ed25519_check
from sync_service.protocol.checkpoints import CheckpointAnswer, CheckpointRequest

PASSPHRASE = "llama del altiplano"


@pytest.fixture
def cloud(tmp_path_factory):
    with cloud_in_thread(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def linked(session, cloud):
    session.sync.link(cloud.url, cloud.code())
    return session


def export_of(session):
    """The sealed log, past the permission check."""
    with session._desk.store.read() as unit:
        return list(sealed_log(session._desk, unit))


def checkpoints_of(session):
    with session._desk.store.read() as unit:
        return unit.audit.checkpoints()


def test_a_sync_brings_a_countersigned_head_that_verifies_offline(linked, cloud, diagnosed):
    linked.sync.run_once()
    (checkpoint,) = checkpoints_of(linked)
    assert ed25519_check(checkpoint.server_key, checkpoint.signature, checkpoint.statement)
    report = verify_log(export_of(linked), check=ed25519_check, server_key=checkpoint.server_key)
    assert (report.holds, report.checkpoints) == (True, 1)
    (row,) = cloud.rows("SELECT epoch, sequence, head FROM audit_head")
    assert (row["epoch"], row["head"]) == (1, checkpoint.head)


def test_a_head_that_stands_still_is_shown_once(linked, cloud, diagnosed):
    for _ in range(4):
        linked.sync.run_once()
    assert len(cloud.rows("SELECT 1 FROM audit_head")) == len(checkpoints_of(linked)) == 2


def test_a_lost_countersignature_is_not_an_alarm(linked, cloud, patient, diagnosed):
    linked.sync.run_once()
    with linked._desk.store.write() as unit:  # the answer never arrived
        unit._session.connection().exec_driver_sql("DELETE FROM audit_checkpoint")
    linked.visits.history(patient.id)
    assert linked.sync.run_once().audit_alarm == ""
    assert len(checkpoints_of(linked)) == 1
    assert cloud.rows("SELECT 1 FROM alarm") == []


@pytest.fixture
def backup(clinic, linked, tmp_path, diagnosed, patient):
    """The store as it was after one sync; the clinic then worked and synced on."""
    linked.sync.run_once()
    linked.close()
    shutil.copytree(tmp_path / "store", tmp_path / "backup")
    ahead = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    for _ in range(9):
        ahead.visits.history(patient.id)
    ahead.sync.run_once()
    newest = export_of(ahead)
    ahead.close()
    shutil.rmtree(tmp_path / "store")
    shutil.copytree(tmp_path / "backup", tmp_path / "store")
    return newest


def test_a_restored_backup_is_found_out_and_lives_on_in_another_epoch(
    clinic, backup, cloud, patient
):
    restored = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    status = restored.sync.run_once()
    assert (status.audit_alarm, status.pending, status.quarantined) == ("restored_backup", 0, 0)
    with restored._desk.store.read() as unit:
        first = unit.audit.after(0)[0]
        assert unit.audit.epoch == 2
    assert first.action is AuditAction.EPOCH_OPENED
    assert first.detail["reason"] == "restored_backup"
    (alarm,) = cloud.rows("SELECT kind FROM alarm")
    assert alarm["kind"] == "audit_restored_backup"
    mine = export_of(restored)
    assert verify_log(mine, check=ed25519_check).holds
    witnessed = verify_log(mine, check=ed25519_check, witness=heads_of(backup))
    assert witnessed.finding.verdict is AuditVerdict.RESTORED_BACKUP
    restored.close()


def test_a_restored_backup_that_worked_past_the_known_head_is_a_fork(
    clinic, backup, cloud, patient
):
    restored = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    for _ in range(30):
        restored.visits.history(patient.id)
    assert restored.sync.run_once().audit_alarm == "fork"
    (alarm,) = cloud.rows("SELECT kind FROM alarm")
    assert alarm["kind"] == "audit_fork"
    restored.close()


def test_a_server_with_another_key_is_not_believed(linked, diagnosed):
    with linked._desk.store.write() as unit:
        unit.settings.put("audit.server_key", "00" * 32)
    status = linked.sync.run_once()
    assert status.audit_alarm == "server_key"
    assert status.pending == 0  # records still go up: the head is what is not believed
    assert checkpoints_of(linked) == ()


def test_a_wrong_clock_does_not_keep_the_head_from_being_shown(linked, cloud, diagnosed):
    linked.sync.line()._transport._now_s = lambda: 1_000_000_000.0
    assert linked.sync.run_once().pending == 0
    assert len(cloud.rows("SELECT 1 FROM audit_head")) == 1


def test_fields_of_a_newer_version_survive_on_the_wire():
    raw = b'{"schema_version":1,"verdict":"countersigned","from_2027":{"a":1}}'
    assert b'"from_2027":{"a":1}' in CheckpointAnswer.model_validate_json(raw).wire_bytes()
    assert "signature" in CheckpointRequest.model_fields
