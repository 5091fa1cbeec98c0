"""The gateway's log read into bronze: everything once, from where it stopped, erasures obeyed."""

import json
from collections.abc import Generator
from datetime import UTC, datetime

import pytest
from support.cloud_server import Clinic, cloud_in_thread
from support.lake_records import KEYED, Ears
from support.sync_records import NOON, PSEUDONYM, a_diagnosis, a_refusal, a_visit, push

from cloud_api.stream.kafka import message_of
from cloud_api.stream.log import LoggedEvent
from ddx.domain.canonical import digest_of
from ddx.domain.engine_time import step_of
from ddx.domain.identifiers import new_record_id
from sync_service.client.outbox import EventKind
from sync_service.client.outgoing import erasure_payload, model_failure_payload
from training.lake.bronze import Bronze, Intake
from training.lake.build import build
from training.lake.gold import read_cases
from training.lake.stream import follow
from training.lake.tables import BRONZE_EVENTS, GOLD_CASES
from training.rollout.devices import failures
from training.sources.stream import KafkaLog, LogUnreadableError, SqlLog

kafka = pytest.importorskip("confluent_kafka")


@pytest.fixture
def cloud(tmp_path):
    with cloud_in_thread(tmp_path / "cloud") as running:
        yield running


@pytest.fixture
def clinic(cloud):
    device = Clinic(cloud.url).enrol(cloud.code())
    yield device
    device.http.close()


def drain(log, lake, **asked):
    return sum(follow(log, lake, Bronze(lake), KEYED, **asked), Intake())


def bronze(lake):
    return lake.open(BRONZE_EVENTS).to_pyarrow_table().sort_by("offset").to_pylist()


def test_what_clinics_sent_is_stored_once_without_their_names(cloud, clinic, lake):
    push(clinic, *a_visit()[0])
    log = SqlLog(cloud.settings.database_address())
    assert drain(log, lake, page=2).stored == 2  # the audit segment only takes its place
    assert drain(log, lake).stored == 0
    rows = bronze(lake)
    assert [row["kind"] for row in rows] == ["diagnosis", "feedback"]
    assert rows[0]["case_id"] == rows[1]["case_id"]
    assert rows[0]["event_time"] == NOON.astimezone(UTC)
    assert clinic.identity.device_id not in json.dumps(rows, default=str)
    assert Bronze(lake).position("stream") == 3


@pytest.mark.usefixtures("unchecked")
def test_times_and_failures_of_a_model_reach_the_lake_and_a_failure_is_no_case(
    cloud, clinic, lake, engine
):
    failure = model_failure_payload(version="2026.11.7", digest="a" * 64, failed_at=NOON)
    timed = dict(a_diagnosis()) | {"engine_s": step_of(0.031)}
    push(clinic, (EventKind.MODEL_FAILURE, failure), (EventKind.DIAGNOSIS, timed))
    assert drain(SqlLog(cloud.settings.database_address()), lake).stored == 2
    assert [row["kind"] for row in bronze(lake)] == ["model_failure", "diagnosis"]
    assert failures(lake, None, datetime.now(UTC)) == {"2026.11.7": 1}
    build(lake, engine, Ears())
    gold = lake.open(GOLD_CASES).to_pyarrow_table()
    assert gold.column("engine_s").to_pylist() == [step_of(0.031)]


def test_a_reader_that_dies_between_pages_repeats_nothing_and_skips_nothing(cloud, clinic, lake):
    push(clinic, *((EventKind.DIAGNOSIS, a_diagnosis()) for _ in range(5)))
    log = SqlLog(cloud.settings.database_address())
    pages = follow(log, lake, Bronze(lake), KEYED, page=2)
    next(pages)
    assert isinstance(pages, Generator)
    pages.close()
    drain(SqlLog(cloud.settings.database_address()), lake, page=2)
    assert [row["offset"] for row in bronze(lake)] == [1, 2, 3, 4, 5]


@pytest.mark.usefixtures("unchecked")
def test_an_erased_patient_leaves_every_table(cloud, clinic, lake, engine):
    log = SqlLog(cloud.settings.database_address())
    gone, stays = a_diagnosis(), dict(a_diagnosis()) | {"patient_pseudonym": "7c" * 32}
    push(
        clinic,
        (EventKind.DIAGNOSIS, gone),
        (EventKind.FEEDBACK, a_refusal(gone["diagnosis_id"])),
        (EventKind.DIAGNOSIS, stays),
        (EventKind.FEEDBACK, a_refusal(stays["diagnosis_id"])),
    )
    drain(log, lake)
    build(lake, engine, Ears())
    assert len(read_cases(lake.address)) == 2
    erasure = erasure_payload(
        patient_pseudonym=PSEUDONYM, diagnoses=1, erased_at=NOON, proof="a" * 64
    )
    push(clinic, (EventKind.ERASURE, erasure), first=5)
    drain(log, lake)
    assert [row["offset"] for row in bronze(lake)] == [3, 4]
    assert read_cases(lake.address).table.column("patient").to_pylist() == ["7c" * 32]
    build(lake, engine, Ears())
    assert len(read_cases(lake.address)) == 1


def test_a_lake_that_starts_after_the_erasure_never_holds_the_record(cloud, clinic, lake):
    push(clinic, (EventKind.DIAGNOSIS, a_diagnosis()))
    erasure = erasure_payload(
        patient_pseudonym=PSEUDONYM, diagnoses=1, erased_at=NOON, proof="a" * 64
    )
    push(clinic, (EventKind.ERASURE, erasure), first=2)
    assert drain(SqlLog(cloud.settings.database_address()), lake).stored == 0


def test_a_log_that_is_not_there_is_said_to_be_unreadable(tmp_path, lake):
    log = SqlLog(f"sqlite+aiosqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(LogUnreadableError) as told:
        drain(log, lake)
    assert "none.db" not in str(told.value)


TOPIC = "events"


def logged(number):
    payload = a_diagnosis()
    return LoggedEvent(
        server_sequence=number,
        device_id=f"device-{number % 3}",
        epoch=1,
        sequence=number,
        id=new_record_id(),
        kind="diagnosis",
        created_at=NOON,
        received_at=NOON,
        payload=payload,
        payload_sha256=digest_of(payload),
        schema_version=1,
        extra={},
    )


def test_partitions_of_a_broker_are_read_from_the_positions_in_the_lake(lake):
    """librdkafka's own broker of the real protocol, in this process."""
    cluster = kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock"})
    servers = next(iter(cluster.list_topics(timeout=10).brokers.values()))
    settings = {"bootstrap.servers": f"{servers.host}:{servers.port}"}
    producer = kafka.Producer(settings)

    def publish(numbers):
        for number in numbers:
            producer.produce(TOPIC, key=f"d{number % 3}", value=message_of(logged(number)))
        assert producer.flush(20) == 0

    publish(range(1, 21))
    log = KafkaLog(TOPIC, settings, wait_s=2.0)
    assert drain_all(log, lake, 20) == 20
    log.close()
    publish(range(21, 26))
    again = KafkaLog(TOPIC, settings, wait_s=2.0)  # another process, the same lake
    assert drain_all(again, lake, 5) == 5
    again.close()
    assert [row["offset"] for row in bronze(lake)] == list(range(1, 26))


def drain_all(log, lake, wanted):
    """Read until `wanted` records are stored: a broker may answer with an empty page first."""
    stored = 0
    for _ in range(10):
        stored += drain(log, lake).stored
        if stored >= wanted:
            break
    return stored
