"""The sink over SQL: one transaction at a time, and order of commit is order of sequence."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError
from support.sync_records import NOON, a_diagnosis

from cloud_api.db.migrate import migrate
from cloud_api.db.sink import SqlSink
from cloud_api.stream.log import EmbeddedLog
from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import new_record_id
from sync_service.gateway.intake import NewEvent


def an_event(device, sequence):
    payload = a_diagnosis()
    return NewEvent(
        device_id=device,
        epoch=1,
        sequence=sequence,
        id=new_record_id(),
        kind="diagnosis",
        created_at=NOON,
        payload=payload,
        payload_sha256=digest_of(payload),
        batch_id="b",
        schema_version=1,
        app_version="0.1.0",
        bundle_version=None,
    )


@pytest.fixture
def sink(database):
    return SqlSink(database, now=lambda: NOON)


async def store(sink, *events):
    async with sink.transaction() as transaction:
        return await transaction.append(events)


async def test_sequences_are_consecutive_over_batches(sink, database):
    assert await store(sink, an_event("d", 1), an_event("d", 2)) == 1
    assert await store(sink, an_event("d", 3)) == 3
    assert await EmbeddedLog(database).head() == 3


async def test_a_transaction_that_fails_gives_its_sequences_back(sink, database):
    await store(sink, an_event("d", 1))

    async def fail():
        async with sink.transaction() as transaction:
            await transaction.append([an_event("d", 2)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await store(sink, an_event("d", 2)) == 2


async def test_the_database_itself_refuses_a_name_twice(sink):
    event = an_event("d", 1)
    await store(sink, event)
    with pytest.raises(IntegrityError) as refused:
        await store(sink, event)
    assert event.payload["patient_pseudonym"] not in str(refused.value)


async def test_a_reader_of_the_stream_never_misses_a_late_commit(sink, database):
    """Writers at once, a reader that only remembers the last number it saw."""
    log, seen, cursor = EmbeddedLog(database), [], 0

    async def read():
        nonlocal cursor
        for event in await log.read(after=cursor, limit=7):
            seen.append(event.id)
            cursor = event.server_sequence

    async def write(device):
        for number in range(1, 11):
            async with sink.transaction() as transaction:
                await transaction.append([an_event(device, number)])
                await asyncio.sleep(0)
            await read()

    await asyncio.gather(*(write(f"d{n}") for n in range(4)))
    for _ in range(8):
        await read()
    everything = [event.id for event in await log.read(after=0, limit=1000)]
    assert len(everything) == 40
    assert sorted(set(seen)) == sorted(everything)


async def test_a_stored_event_is_read_back_as_it_came(sink, database):
    event = an_event("d", 1)
    await store(sink, event)
    (read,) = await EmbeddedLog(database).read(after=0, limit=10)
    assert read.payload == event.payload
    assert digest_of(read.payload) == event.payload_sha256
    assert read.created_at == NOON
    assert read.received_at.utcoffset() is not None


async def test_starting_again_migrates_nothing_and_loses_nothing(sink, database):
    await store(sink, an_event("d", 1))
    await migrate(database)
    assert await EmbeddedLog(database).head() == 1
