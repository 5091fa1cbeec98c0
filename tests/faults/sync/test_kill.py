"""kill -9 of the server while a clinic pushes: nothing lost, nothing twice."""

import json
import sqlite3
import threading

import pytest
from support.cloud_server import Clinic, CloudProcess
from support.sync_records import a_diagnosis, a_refusal

from sync_service.client.outbox import EventKind
from sync_service.client.runner import Phase


@pytest.fixture
def cloud(tmp_path):
    process = CloudProcess(tmp_path / "cloud")
    process.start()
    yield process
    process.kill()


def stored(cloud):
    database = sqlite3.connect(cloud.data / "cloud.db")
    rows = database.execute(
        "SELECT id, sequence, payload, server_sequence FROM event ORDER BY server_sequence"
    ).fetchall()
    database.close()
    return rows


@pytest.mark.slow
def test_a_server_killed_again_and_again_mid_batch_loses_and_repeats_nothing(cloud):
    clinic = Clinic(cloud.url).enrol(cloud.code)
    clinic.runner.wake_after = lambda seconds: None
    for _ in range(20):
        clinic.outbox.add(a_diagnosis())
        for _ in range(29):
            clinic.outbox.add(a_refusal(), EventKind.FEEDBACK)
    reached = []
    for kills in range(4):
        assassin = threading.Timer(0.05 + 0.06 * kills, cloud.kill)
        assassin.start()
        report = clinic.push()
        assassin.join()
        reached.append(report.phase)
        cloud.start()
    assert Phase.OFFLINE in reached  # at least one push died half-way
    assert clinic.push().phase is Phase.IDLE

    rows = stored(cloud)
    sent = {event.id: event for event in clinic.outbox.events}
    assert len(rows) == len(sent) == 600
    assert {row[0] for row in rows} == set(sent)
    assert [row[1] for row in rows] == list(range(1, 601))
    assert {row[0]: row[3] for row in rows} == clinic.outbox.receipts
    assert all(json.loads(payload) == dict(sent[name].payload) for name, _, payload, _ in rows)
    assert clinic.outbox.counts().quarantined == 0


def test_a_restarted_server_still_knows_device_and_records(cloud):
    clinic = Clinic(cloud.url).enrol(cloud.code)
    clinic.outbox.add(a_diagnosis())
    clinic.push()
    acknowledged = dict(clinic.outbox.receipts)
    cloud.kill()
    clinic.outbox.receipts.clear()  # the clinic died before it wrote the receipt down
    assert clinic.push().phase is Phase.OFFLINE
    cloud.start()
    assert clinic.push().phase is Phase.IDLE
    assert clinic.outbox.receipts == acknowledged
    assert len(stored(cloud)) == 1
