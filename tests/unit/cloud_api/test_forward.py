"""The event log carried on to a broker: in order, at least once, from where it stopped."""

import json
from dataclasses import dataclass, field

import pytest
from support.sync_records import NOON

from cloud_api.app import prepare
from cloud_api.db.engine import open_database
from cloud_api.db.sink import SqlSink
from cloud_api.settings import CloudSettings
from cloud_api.stream.forward import BrokerError, Forwarder, SqlCursor
from cloud_api.stream.kafka import KafkaBroker, producer_settings
from cloud_api.stream.log import EmbeddedLog
from sync_service.gateway.intake import NewEvent


@dataclass
class MemoryBroker:
    """Takes events until it is told to fail."""

    taken: list[int] = field(default_factory=list)
    fails_at: int = 0

    async def publish(self, events):
        for event in events:
            if event.server_sequence == self.fails_at:
                raise BrokerError("gone")
            self.taken.append(event.server_sequence)

    async def close(self):
        pass


@pytest.fixture
async def database(tmp_path):
    settings = CloudSettings(data=tmp_path)
    engine = open_database(settings.database_address())
    await prepare(settings, engine)
    yield engine
    await engine.dispose()


async def store(engine, first, count, device="d1"):
    events = [
        NewEvent(
            device_id=device,
            epoch=1,
            sequence=number,
            id=f"{device}-{number}",
            kind="feedback",
            created_at=NOON,
            payload={"n": number},
            payload_sha256=f"{number:064x}",
            batch_id="b",
            schema_version=1,
            app_version="0.1.0",
            bundle_version=None,
        )
        for number in range(first, first + count)
    ]
    async with SqlSink(engine, now=lambda: NOON).transaction() as transaction:
        await transaction.append(events)


def forwarder(engine, broker):
    return Forwarder(EmbeddedLog(engine), broker, SqlCursor(engine, "kafka"))


async def test_everything_is_handed_on_once_and_in_order(database):
    broker = MemoryBroker()
    await store(database, 1, 1200)
    assert await forwarder(database, broker).catch_up() == 1200
    await store(database, 1201, 3)
    assert await forwarder(database, broker).catch_up() == 3  # another process, the same cursor
    assert broker.taken == list(range(1, 1204))


async def test_a_broker_that_fails_gets_the_rest_again_and_no_event_is_skipped(database):
    broker = MemoryBroker(fails_at=700)
    await store(database, 1, 1000)
    with pytest.raises(BrokerError):
        await forwarder(database, broker).catch_up()
    broker.fails_at = 0
    await forwarder(database, broker).catch_up()
    assert sorted(set(broker.taken)) == list(range(1, 1001))
    assert broker.taken[-1] == 1000


def test_a_connection_string_turns_on_the_sign_in_of_event_hubs(tmp_path):
    told = producer_settings(
        CloudSettings(
            data=tmp_path,
            kafka_servers="ns.servicebus.windows.net:9093",
            kafka_connection="Endpoint=sb://ns/;SharedAccessKey=secret",
        )
    )
    assert (told["security.protocol"], told["sasl.mechanism"]) == ("SASL_SSL", "PLAIN")
    assert told["sasl.username"] == "$ConnectionString"
    assert told["enable.idempotence"] is True


def test_a_connection_string_is_not_printed(tmp_path):
    settings = CloudSettings(data=tmp_path, kafka_connection="SharedAccessKey=secret")
    assert "secret" not in repr(settings)


async def test_events_reach_a_broker_of_the_kafka_protocol_by_device(database, tmp_path):
    kafka = pytest.importorskip("confluent_kafka", reason="the extra `stream` is not installed")
    settings = CloudSettings(data=tmp_path, kafka_servers="unused")
    # librdkafka brings a broker for tests that speaks the real protocol
    broker = KafkaBroker(settings, **{"test.mock.num.brokers": 1})
    await store(database, 1, 40, "d1")
    await store(database, 1, 40, "d2")
    await forwarder(database, broker).catch_up()
    metadata = broker._producer.list_topics(settings.kafka_topic, timeout=10)
    address = next(iter(metadata.brokers.values()))
    reader = kafka.Consumer(
        {
            "bootstrap.servers": f"{address.host}:{address.port}",
            "group.id": "lake",
            "auto.offset.reset": "earliest",
        }
    )
    reader.subscribe([settings.kafka_topic])
    seen = {"d1": [], "d2": []}
    for _ in range(200):
        for message in reader.consume(100, timeout=0.5):
            told = json.loads(message.value())
            assert message.key().decode() == told["device_id"]
            seen[told["device_id"]].append(told["sequence"])
        if sum(map(len, seen.values())) == 80:
            break
    reader.close()
    assert seen == {"d1": list(range(1, 41)), "d2": list(range(1, 41))}
