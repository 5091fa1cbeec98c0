"""The outbox over the encrypted store: the contract, and what only a real store can show."""

import pytest
from contract.test_outbox_contract import OutboxContract
from support.records import NOON

from desktop.store.outbox import StoreOutbox
from desktop.store.store import ClinicStore
from sync_service.client.outbox import EventKind


@pytest.fixture
def outbox(store):
    return StoreOutbox(store)


@pytest.fixture
def add(store):
    def events(number):
        with store.write() as unit:
            return [unit.outbox.add(EventKind.AUDIT, {"number": n}, NOON) for n in range(number)]

    return events


class TestStoreOutbox(OutboxContract):
    """The contract over SQLCipher."""


def test_a_rolled_back_event_leaves_no_gap_in_the_sequence(store, outbox, add):
    def fail():
        with store.write() as unit:
            unit.outbox.add(EventKind.AUDIT, {}, NOON)
            raise ZeroDivisionError

    add(1)
    with pytest.raises(ZeroDivisionError):
        fail()
    add(1)
    assert [event.sequence for event in outbox.pending(10)] == [1, 2]


def test_events_survive_closing_the_clinic(store, path, data_key, add):
    ids = add(2)
    store.close()
    again = ClinicStore.open(path, data_key)
    assert [event.id for event in StoreOutbox(again).pending(10)] == ids
    again.close()
