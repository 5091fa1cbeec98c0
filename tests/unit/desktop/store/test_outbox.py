"""The outbox over the encrypted store: by id, in order, and never "all pending"."""

import pytest
from support.records import NOON

from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import new_record_id
from desktop.store.outbox import StoreOutbox
from desktop.store.store import ClinicStore
from sync_service.client.outbox import EventKind, OutboxCounts


@pytest.fixture
def outbox(store):
    return StoreOutbox(store)


def add(store, number=1):
    with store.write() as unit:
        return [unit.outbox.add(EventKind.AUDIT, {"number": i}, NOON) for i in range(number)]


def test_events_are_numbered_in_order_and_carry_the_digest_of_their_payload(store, outbox):
    ids = add(store, 3)
    pending = outbox.pending(10)
    assert [event.id for event in pending] == ids
    assert [event.sequence for event in pending] == [1, 2, 3]
    assert [event.payload_sha256 for event in pending] == [
        digest_of(event.payload) for event in pending
    ]
    assert outbox.pending(2) == pending[:2]


def test_only_the_acknowledged_ids_leave_the_queue(store, outbox):
    first, second = add(store, 2)
    late = add(store)[0]
    outbox.acknowledge({second: 7})
    assert [event.id for event in outbox.pending(10)] == [first, late]
    assert outbox.counts() == OutboxCounts(pending=2, quarantined=0, acknowledged=1)


def test_a_receipt_that_arrives_twice_or_for_nobody_changes_nothing(store, outbox):
    (event,) = add(store)
    outbox.acknowledge({event: 7})
    outbox.acknowledge({event: 8, new_record_id(): 9})
    outbox.quarantine(event, "late refusal")
    assert outbox.counts() == OutboxCounts(pending=0, quarantined=0, acknowledged=1)


def test_a_refused_event_does_not_block_the_others(store, outbox):
    poison, sound = add(store, 2)
    outbox.quarantine(poison, "payload_invalid")
    assert [event.id for event in outbox.pending(10)] == [sound]
    assert outbox.counts().quarantined == 1


def test_a_rolled_back_event_leaves_no_gap_in_the_sequence(store, outbox):
    def fail():
        with store.write() as unit:
            unit.outbox.add(EventKind.AUDIT, {}, NOON)
            raise ZeroDivisionError

    add(store)
    with pytest.raises(ZeroDivisionError):
        fail()
    add(store)
    assert [event.sequence for event in outbox.pending(10)] == [1, 2]


def test_events_survive_closing_the_clinic(store, path, data_key):
    ids = add(store, 2)
    store.close()
    again = ClinicStore.open(path, data_key)
    assert [event.id for event in StoreOutbox(again).pending(10)] == ids
    again.close()
