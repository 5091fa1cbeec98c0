"""An erased patient leaves the cloud: content goes, names and hashes stay, with proof."""

import asyncio
import json

import pytest
from sqlalchemy import text
from support.cloud_server import Clinic, cloud_in_thread
from support.sync_records import (
    NOON,
    PSEUDONYM,
    a_diagnosis,
    a_receipt,
    a_refusal,
    a_visit,
    events_of,
)

from cloud_api.db.engine import open_database
from cloud_api.stream.kafka import message_of
from cloud_api.stream.log import EmbeddedLog
from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import new_record_id
from sync_service.client.errors import ServerRefusedError
from sync_service.client.outbox import EventKind
from sync_service.client.outgoing import diagnosis_payload, erasure_payload
from sync_service.protocol.messages import SyncBatch


@pytest.fixture
def cloud(tmp_path, database_address):
    """A cloud on each kind of database."""
    with cloud_in_thread(tmp_path / "cloud", database_url=database_address) as running:
        yield running


SOMEBODY_ELSE = "7c" * 32


def an_erasure(pseudonym=PSEUDONYM):
    return erasure_payload(patient_pseudonym=pseudonym, diagnoses=1, erased_at=NOON, proof="a" * 64)


def push(clinic, events, epoch=1):
    batch = SyncBatch(
        device_id=clinic.identity.device_id,
        epoch=epoch,
        batch_id="b1",
        app_version="0.1.0",
        sent_at=NOON,
        events=tuple(events),
    )
    return clinic.transport.push(batch).results


def stored(cloud):
    return cloud.rows("SELECT * FROM event ORDER BY server_sequence")


def visit():
    return events_of(*a_visit()[0])


def erase(clinic, sequence, pseudonym=PSEUDONYM):
    return push(clinic, events_of((EventKind.ERASURE, an_erasure(pseudonym)), first=sequence))[0]


def test_the_content_goes_and_names_times_and_hashes_stay(cloud, clinic):
    events = visit()
    push(clinic, events)
    before = stored(cloud)
    result = erase(clinic, 4)
    after = stored(cloud)
    assert [json.loads(row["payload"]) for row in after[:2]] == [{"erased": True}] * 2
    assert [row["erased_by"] for row in after] == [4, 4, None, None]
    assert after[2]["payload"] == before[2]["payload"]  # the audit chain is the evidence
    changed = {"payload", "extra", "erased_by"}
    for was, row in zip(before, after, strict=False):
        assert {k: v for k, v in was.items() if k not in changed} == {
            k: v for k, v in row.items() if k not in changed
        }
    hashes = [event.payload_sha256 for event in events[:2]]
    assert result.status == "stored"
    assert result.erased.records == 2
    assert list(result.erased.payload_sha256) == hashes
    assert result.erased.digest == digest_of({"payload_sha256": hashes})


def test_an_erased_record_sent_again_is_a_duplicate_and_stays_erased(cloud, clinic):
    events = visit()
    first = push(clinic, events)
    asked = events_of((EventKind.ERASURE, an_erasure()), first=4)
    told = push(clinic, asked)[0]
    again = push(clinic, (*events, *asked))
    assert [result.status for result in again] == ["duplicate"] * 4
    assert [r.server_sequence for r in again[:3]] == [r.server_sequence for r in first]
    assert again[3].erased == told.erased
    assert [row["erased_by"] for row in stored(cloud)] == [4, 4, None, None]


def test_another_content_under_an_erased_name_is_still_a_conflict(cloud, clinic):
    events = visit()
    push(clinic, events)
    erase(clinic, 4)
    other = a_diagnosis()
    forged = events[0].model_copy(update={"payload": other, "payload_sha256": digest_of(other)})
    with pytest.raises(ServerRefusedError, match=r"sync\.conflict"):
        push(clinic, [forged])
    assert len(cloud.rows("SELECT 1 FROM alarm")) == 1


def test_another_clinic_erases_nothing_of_it(cloud, clinic):
    push(clinic, visit())
    before = stored(cloud)
    other = Clinic(cloud.url).enrol(cloud.code())
    result = erase(other, 1)
    other.http.close()
    assert result.erased.records == 0
    assert stored(cloud)[:3] == before


def test_another_patient_and_what_comes_after_the_erasure_stay(cloud, clinic):
    receipt = a_receipt()
    spared = diagnosis_payload(receipt, patient_pseudonym=SOMEBODY_ELSE)
    decision = a_refusal(receipt.diagnosis_id)
    kinds = (EventKind.DIAGNOSIS, EventKind.FEEDBACK)
    push(clinic, events_of(*zip(kinds, (spared, decision), strict=True)))
    assert erase(clinic, 3).erased.records == 0
    push(clinic, events_of((EventKind.DIAGNOSIS, a_diagnosis()), first=4))
    assert [row["erased_by"] for row in stored(cloud)] == [None] * 4


def test_a_record_that_comes_late_is_stored_as_a_tombstone(cloud, clinic):
    late = visit()[:2]
    asked = events_of((EventKind.ERASURE, an_erasure()), first=4)
    assert push(clinic, asked)[0].erased.records == 0
    diagnosis, decision = late
    assert push(clinic, [diagnosis])[0].status == "stored"
    assert push(clinic, [decision])[0].status == "stored"
    assert [row["payload"] for row in stored(cloud)[1:]] == ['{"erased":true}'] * 2
    assert push(clinic, late)[0].status == "duplicate"
    assert push(clinic, asked)[0].erased.records == 2


def test_one_batch_may_hold_the_visit_and_its_erasure(cloud, clinic):
    asked = events_of((EventKind.ERASURE, an_erasure()), first=4)
    assert push(clinic, (*visit(), *asked))[3].erased.records == 2


def test_nothing_of_the_content_is_left_in_the_files(cloud, clinic):
    if "postgresql" in cloud.settings.database_address():
        pytest.skip("PostgreSQL leaves the old row to VACUUM (docs/reliability.md)")
    diagnosis = diagnosis_payload(a_receipt(), patient_pseudonym=PSEUDONYM)
    others = [(EventKind.DIAGNOSIS, a_diagnosis()) for _ in range(20)]
    push(clinic, events_of(*others, (EventKind.DIAGNOSIS, diagnosis)))
    assert erase(clinic, 22).erased.records == 21
    trace = diagnosis["receipt_digest"].encode()
    files = list(cloud.settings.data.parent.glob("cloud.db*"))
    assert files
    assert [path.name for path in files if trace in path.read_bytes()] == []


@pytest.mark.parametrize(
    "change",
    [
        "payload = '{}'",
        """payload = '{"erased":true}'""",
        """payload = '{"erased":true}', extra = '{}', erased_by = 1""",
        """payload = '{"erased":true}', extra = '{}', erased_by = 5""",
        """payload = '{"erased":true}', extra = '{}', erased_by = 4, payload_sha256 = 'x'""",
    ],
)
def test_no_other_change_passes_the_trigger(cloud, clinic, change):
    """Record 6 is of another patient; the erasure 4 is of this one, 5 of nobody."""
    push(clinic, visit())
    erase(clinic, 4)
    erase(clinic, 5, "0" * 64)
    spared = diagnosis_payload(a_receipt(), patient_pseudonym=SOMEBODY_ELSE)
    push(clinic, events_of((EventKind.DIAGNOSIS, spared), first=6))
    for number in (1, 3, 4, 6):
        refused = cloud.refusal(f"UPDATE event SET {change} WHERE server_sequence = {number}")
        assert "append-only" in refused
    assert "append-only" in cloud.refusal("DELETE FROM event")
    assert cloud.refusal("DELETE FROM erased_subject") is not None


def test_readers_of_the_stream_are_told_what_to_erase(cloud, clinic):
    push(clinic, visit())
    erase(clinic, 4)

    async def read():
        engine = open_database(cloud.settings.database_address())
        try:
            return await EmbeddedLog(engine).read(after=0, limit=10)
        finally:
            await engine.dispose()

    told = [json.loads(message_of(event)) for event in asyncio.run(read())]
    assert told[3]["kind"] == "erasure"
    assert told[3]["erases"] == [1, 2]
    assert told[3]["payload"]["patient_pseudonym"] == PSEUDONYM
    assert [message.get("erased_by") for message in told] == [4, 4, None, None]
    assert "erases" not in told[0]


def test_an_erasure_an_earlier_version_only_kept_is_acted_on_at_start(tmp_path):
    """The rows are put back as version 0003 left them, and the server starts again."""
    with cloud_in_thread(tmp_path / "cloud") as cloud:
        clinic = Clinic(cloud.url).enrol(cloud.code())
        push(clinic, visit())
        before = stored(cloud)
        clinic.http.close()
    asyncio.run(_keep_an_erasure(cloud.settings, before))
    with cloud_in_thread(tmp_path / "cloud") as again:
        assert [row["erased_by"] for row in stored(again)] == [4, 4, None, None]


async def _keep_an_erasure(settings, before):
    """Add an erasure as a server that does not act on it would."""
    payload = an_erasure()
    row = dict(before[0]) | {
        "server_sequence": 4,
        "sequence": 4,
        "id": new_record_id(),
        "kind": "erasure",
        "payload": json.dumps(payload, sort_keys=True, separators=(",", ":")),
        "payload_sha256": digest_of(payload),
    }
    engine = open_database(settings.database_address())
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    async with engine.begin() as connection:
        await connection.execute(text(f"INSERT INTO event ({names}) VALUES ({values})"), row)
    await engine.dispose()
