"""Records go up over real HTTP: once, each with its own result, as they were."""

import json

import pytest
from support.cloud_server import Clinic, cloud_in_thread
from support.memory_outbox import MemoryOutbox
from support.sync_records import (
    NOON,
    SOFTWARE,
    a_diagnosis,
    a_visit,
)

from ddx.domain.canonical import canonical_json, digest_of
from ddx.domain.identifiers import new_record_id
from sync_service.client import transport
from sync_service.client.errors import ServerRefusedError
from sync_service.client.outbox import EventKind, OutboxCounts
from sync_service.client.outgoing import model_failure_payload
from sync_service.client.runner import Phase
from sync_service.protocol.messages import SyncBatch, SyncEvent


@pytest.fixture
def cloud(tmp_path, database_address):
    """A cloud on each kind of database."""
    with cloud_in_thread(tmp_path / "cloud", database_url=database_address) as running:
        yield running


def a_batch(clinic, payloads, **fields):
    events = tuple(
        SyncEvent(
            id=new_record_id(),
            sequence=number,
            kind="diagnosis",
            created_at=NOON,
            payload=payload,
            payload_sha256=digest_of(payload),
        )
        for number, payload in enumerate(payloads, start=1)
    )
    return SyncBatch(
        device_id=clinic.identity.device_id,
        epoch=1,
        batch_id="b1",
        app_version="0.1.0",
        sent_at=NOON,
        events=events,
        **fields,
    )


def test_a_visit_arrives_whole_and_the_queue_is_empty(cloud, clinic):
    visit, _ = a_visit()
    for kind, payload in visit:
        clinic.outbox.add(payload, kind)
    report = clinic.push()
    assert report.phase is Phase.IDLE
    assert report.last_contact_at is not None
    assert clinic.outbox.counts() == OutboxCounts(pending=0, quarantined=0, acknowledged=3)
    rows = cloud.rows("SELECT * FROM event ORDER BY server_sequence")
    assert [row["kind"] for row in rows] == ["diagnosis", "feedback", "audit"]
    assert [json.loads(row["payload"]) for row in rows] == [
        json.loads(canonical_json(payload)) for _, payload in visit
    ]
    assert list(clinic.outbox.receipts.values()) == [row["server_sequence"] for row in rows]
    assert rows[0]["bundle_version"] == SOFTWARE.bundle


def test_more_records_than_fit_one_batch_all_arrive_in_order(cloud, clinic):
    for _ in range(120):
        clinic.outbox.add(a_diagnosis())
    clinic.push()
    rows = cloud.rows("SELECT sequence FROM event ORDER BY server_sequence")
    assert [row["sequence"] for row in rows] == list(range(1, 121))


def test_the_same_batch_twice_is_stored_once(cloud, clinic):
    batch = a_batch(clinic, [a_diagnosis(), a_diagnosis()])
    first = clinic.transport.push(batch)
    second = clinic.transport.push(batch)
    assert [result.status for result in first.results] == ["stored", "stored"]
    assert [result.status for result in second.results] == ["duplicate", "duplicate"]
    numbers = [result.server_sequence for result in first.results]
    assert [result.server_sequence for result in second.results] == numbers
    assert len(cloud.rows("SELECT 1 FROM event")) == 2


def test_one_record_twice_in_a_batch_is_stored_once(cloud, clinic):
    batch = a_batch(clinic, [a_diagnosis()])
    doubled = batch.model_copy(update={"events": batch.events * 2})
    results = clinic.transport.push(doubled).results
    assert [result.status for result in results] == ["stored", "duplicate"]
    assert results[0].server_sequence == results[1].server_sequence
    assert len(cloud.rows("SELECT 1 FROM event")) == 1


def test_half_of_a_batch_is_bad_and_the_other_half_is_stored(cloud, clinic):
    batch = a_batch(clinic, [a_diagnosis() for _ in range(6)])
    named = a_diagnosis() | {"name": "Zenobia Quispe"}
    torn = batch.events[1].model_copy(update={"payload_sha256": "0" * 64})
    free_text = batch.events[3].model_copy(
        update={"payload": named, "payload_sha256": digest_of(named)}
    )
    no_kind = batch.events[5].model_copy(update={"kind": "a kind of thing"})
    events = [*batch.events]
    events[1], events[3], events[5] = torn, free_text, no_kind
    results = clinic.transport.push(batch.model_copy(update={"events": tuple(events)})).results
    assert [(result.status, result.reason) for result in results] == [
        ("stored", None),
        ("rejected", "payload.hash_mismatch"),
        ("stored", None),
        ("rejected", "payload.not_allowed_out"),
        ("stored", None),
        ("rejected", "record.malformed"),
    ]
    stored = cloud.rows("SELECT id, payload FROM event ORDER BY server_sequence")
    assert [row["id"] for row in stored] == [batch.events[i].id for i in (0, 2, 4)]
    assert "Zenobia" not in str(stored)


def test_a_model_that_fails_at_a_device_raises_one_alarm_a_batch(cloud, clinic):
    failure = model_failure_payload(version="2026.11.7", digest="a" * 64, failed_at=NOON)
    batch = a_batch(clinic, [failure] * 3)
    events = tuple(e.model_copy(update={"kind": "model_failure"}) for e in batch.events)
    for status in ("stored", "duplicate"):  # the receipt was lost: the same again
        results = clinic.transport.push(batch.model_copy(update={"events": events})).results
        assert {result.status for result in results} == {status}
    (alarm,) = cloud.rows("SELECT kind, event_id FROM alarm")
    assert (alarm["kind"], alarm["event_id"]) == ("model_failure", events[0].id)
    assert cloud.metric('vereda_sync_alarms_total{kind="model_failure"}') == 1


def test_another_payload_under_a_known_id_is_refused_with_one_alarm(cloud, clinic):
    batch = a_batch(clinic, [a_diagnosis()])
    clinic.transport.push(batch)
    other = a_diagnosis()
    changed = batch.events[0].model_copy(
        update={"payload": other, "payload_sha256": digest_of(other), "sequence": 2}
    )
    beside = a_batch(clinic, [a_diagnosis()]).events[0].model_copy(update={"sequence": 3})
    both = batch.model_copy(update={"events": (changed, beside)})
    for _ in range(2):
        conflict, sound = clinic.transport.push(both).results
        assert (conflict.status, conflict.reason) == ("rejected", "record.conflict")
        assert sound.status in {"stored", "duplicate"}
    (alarm,) = cloud.rows("SELECT * FROM alarm")
    assert alarm["stored_sha256"] == batch.events[0].payload_sha256
    assert alarm["offered_sha256"] == changed.payload_sha256
    assert cloud.metric('vereda_sync_alarms_total{kind="conflict"}') == 1
    assert len(cloud.rows("SELECT 1 FROM event")) == 2


def test_a_batch_of_nothing_but_conflicts_is_a_409_with_its_alarms(cloud, clinic):
    batch = a_batch(clinic, [a_diagnosis(), a_diagnosis()])
    clinic.transport.push(batch)
    others = [
        event.model_copy(update={"payload": other, "payload_sha256": digest_of(other)})
        for event in batch.events
        for other in [a_diagnosis()]
    ]
    with pytest.raises(ServerRefusedError) as refused:
        clinic.transport.push(batch.model_copy(update={"events": tuple(others)}))
    assert (refused.value.status, refused.value.problem) == (409, "sync.conflict")
    assert len(cloud.rows("SELECT 1 FROM alarm")) == 2
    assert len(cloud.rows("SELECT 1 FROM event")) == 2


@pytest.fixture
def as_it_came(monkeypatch):
    """Receipts as they were on the wire."""
    monkeypatch.setattr(transport, "unfolded", lambda receipt, _batch: receipt)


@pytest.mark.usefixtures("as_it_came")
def test_a_client_of_version_one_is_answered_record_by_record(cloud, clinic):
    batch = a_batch(clinic, [a_diagnosis(), a_diagnosis()], schema_version=1)
    receipt = clinic.transport.push(batch)
    assert [result.status for result in receipt.results] == ["stored", "stored"]
    assert (receipt.schema_version, receipt.runs) == (1, None)
    other = a_diagnosis()
    changed = batch.events[0].model_copy(
        update={"payload": other, "payload_sha256": digest_of(other)}
    )
    (result,) = clinic.transport.push(batch.model_copy(update={"events": (changed,)})).results
    assert (result.status, result.reason) == ("rejected", "record.conflict")


def test_a_full_page_is_answered_in_few_bytes(cloud, clinic):
    sizes = []
    clinic.http.event_hooks = {
        "response": [lambda answer: sizes.append(int(answer.headers["Content-Length"]))]
    }
    results = clinic.transport.push(a_batch(clinic, [a_diagnosis() for _ in range(100)])).results
    assert [result.status for result in results] == ["stored"] * 100
    assert [result.server_sequence for result in results] == list(range(1, 101))
    assert sizes[0] < 300


def test_a_restored_backup_is_noticed_and_its_records_are_kept_aside(cloud, clinic):
    clinic.outbox.add(a_diagnosis())
    clinic.push()
    restored = MemoryOutbox()  # yesterday's backup: the same numbers are given again
    restored.add(a_diagnosis())
    again = Clinic(cloud.url, restored, clinic.identity)
    again.push()
    assert set(restored.quarantined.values()) == {"record.conflict"}
    assert len(cloud.rows("SELECT 1 FROM alarm")) == 1


def test_records_of_an_earlier_epoch_arrive_under_their_own_epoch(cloud, clinic):
    clinic.outbox.add(a_diagnosis())
    clinic.outbox.epoch = 2
    clinic.outbox.add(a_diagnosis())
    clinic.push()
    rows = cloud.rows("SELECT epoch, sequence FROM event ORDER BY server_sequence")
    assert [(row["epoch"], row["sequence"]) for row in rows] == [(1, 1), (2, 1)]


def test_fields_nobody_knows_yet_reach_the_database(cloud, clinic):
    payload = a_diagnosis() | {"travel": "VF:travel-lowland"}
    batch = a_batch(clinic, [payload], link="satellite")
    event = SyncEvent(**dict(batch.events[0]) | {"urgency": 3})
    clinic.transport.push(batch.model_copy(update={"events": (event,)}))
    (row,) = cloud.rows("SELECT payload, extra FROM event")
    assert json.loads(row["payload"])["travel"] == "VF:travel-lowland"
    assert json.loads(row["extra"]) == {"batch": {"link": "satellite"}, "event": {"urgency": 3}}


def test_a_record_that_may_not_leave_stays_and_the_others_arrive(cloud, clinic):
    clinic.outbox.add(a_diagnosis() | {"name": "Zenobia Quispe"})
    clinic.outbox.add(a_diagnosis())
    clinic.push()
    assert clinic.outbox.counts() == OutboxCounts(pending=0, quarantined=1, acknowledged=1)
    assert "Zenobia" not in str(cloud.rows("SELECT * FROM event"))


def test_the_server_says_what_it_holds_of_a_device(cloud, clinic):
    for _ in range(3):
        clinic.outbox.add(a_diagnosis(), EventKind.DIAGNOSIS)
    clinic.push()
    status = clinic.transport.status()
    assert (status.epoch, status.last_sequence, status.stored) == (1, 3, 3)


def test_two_devices_have_their_own_numbers_and_ids(cloud, clinic):
    other = Clinic(cloud.url).enrol(cloud.code())
    batch = a_batch(clinic, [a_diagnosis()])
    clinic.transport.push(batch)
    theirs = batch.model_copy(update={"device_id": other.identity.device_id})
    assert other.transport.push(theirs).results[0].status == "stored"


def test_the_event_log_cannot_be_edited_or_cut(cloud, clinic):
    clinic.transport.push(a_batch(clinic, [a_diagnosis()]))
    for statement in ("UPDATE event SET kind = 'x'", "DELETE FROM event"):
        assert "append-only" in cloud.refusal(statement)
