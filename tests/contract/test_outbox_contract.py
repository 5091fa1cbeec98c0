"""What every outbox must do. Subclass `OutboxContract` and give it the two fixtures."""

import pytest
from support.memory_outbox import MemoryOutbox

from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import new_record_id
from sync_service.client.outbox import OutboxCounts


class OutboxContract:
    """Holds for every implementation of `sync_service.client.outbox.Outbox`.

    Fixtures of the subclass: `outbox`, empty; `add(number)`, which adds that many events the
    way the application does and returns their ids, oldest first.
    """

    def test_nothing_waits_in_a_new_outbox(self, outbox):
        assert list(outbox.pending(10)) == []
        assert outbox.counts() == OutboxCounts(pending=0, quarantined=0, acknowledged=0)

    def test_events_wait_in_the_order_they_were_recorded(self, outbox, add):
        ids = add(3)
        waiting = outbox.pending(10)
        assert [event.id for event in waiting] == ids
        assert [event.sequence for event in waiting] == [1, 2, 3]

    def test_the_digest_covers_the_canonical_payload(self, outbox, add):
        add(1)
        (event,) = outbox.pending(1)
        assert event.payload_sha256 == digest_of(event.payload)
        assert event.created_at.utcoffset() is not None

    def test_a_limit_gives_the_oldest(self, outbox, add):
        ids = add(3)
        assert [event.id for event in outbox.pending(2)] == ids[:2]

    def test_reading_what_waits_changes_nothing(self, outbox, add):
        add(2)
        assert list(outbox.pending(10)) == list(outbox.pending(10))

    def test_only_acknowledged_ids_leave_and_later_ones_stay(self, outbox, add):
        first, second = add(2)
        (late,) = add(1)
        outbox.acknowledge({second: 7})
        assert [event.id for event in outbox.pending(10)] == [first, late]
        assert outbox.counts() == OutboxCounts(pending=2, quarantined=0, acknowledged=1)

    def test_a_receipt_that_arrives_twice_changes_nothing(self, outbox, add):
        (event,) = add(1)
        outbox.acknowledge({event: 7})
        outbox.acknowledge({event: 7})
        assert outbox.counts() == OutboxCounts(pending=0, quarantined=0, acknowledged=1)

    def test_a_receipt_for_an_unknown_record_changes_nothing(self, outbox, add):
        add(1)
        outbox.acknowledge({new_record_id(): 7})
        assert outbox.counts() == OutboxCounts(pending=1, quarantined=0, acknowledged=0)

    def test_a_refused_event_stays_counted_and_lets_the_others_pass(self, outbox, add):
        poison, sound = add(2)
        outbox.quarantine(poison, "record.conflict")
        assert [event.id for event in outbox.pending(10)] == [sound]
        assert outbox.counts() == OutboxCounts(pending=1, quarantined=1, acknowledged=0)

    def test_what_is_set_aside_is_counted_by_reason(self, outbox, add):
        first, second, third, _ = add(4)
        assert outbox.set_aside() == {}
        outbox.quarantine(first, "record.conflict")
        outbox.quarantine(second, "payload.invalid")
        outbox.quarantine(third, "record.conflict")
        assert outbox.set_aside() == {"record.conflict": 2, "payload.invalid": 1}

    def test_what_arrived_cannot_be_quarantined_later(self, outbox, add):
        (event,) = add(1)
        outbox.acknowledge({event: 7})
        outbox.quarantine(event, "record.conflict")
        assert outbox.counts() == OutboxCounts(pending=0, quarantined=0, acknowledged=1)

    def test_a_quarantined_event_is_not_acknowledged_by_a_late_receipt(self, outbox, add):
        (event,) = add(1)
        outbox.quarantine(event, "record.conflict")
        outbox.acknowledge({event: 7})
        assert outbox.counts() == OutboxCounts(pending=0, quarantined=1, acknowledged=0)

    def test_what_was_set_aside_can_be_tried_again_under_its_own_name(self, outbox, add):
        first, second = add(2)
        outbox.quarantine(first, "payload.invalid")
        assert outbox.retry(first)
        assert [(event.id, event.sequence) for event in outbox.pending(10)] == [
            (first, 1),
            (second, 2),
        ]
        assert outbox.counts() == OutboxCounts(pending=2, quarantined=0, acknowledged=0)

    def test_only_what_was_set_aside_is_tried_again(self, outbox, add):
        waiting, arrived = add(2)
        outbox.acknowledge({arrived: 7})
        assert not outbox.retry(waiting)
        assert not outbox.retry(arrived)
        assert outbox.counts() == OutboxCounts(pending=1, quarantined=0, acknowledged=1)


class TestMemoryOutbox(OutboxContract):
    @pytest.fixture
    def outbox(self):
        return MemoryOutbox()

    @pytest.fixture
    def add(self, outbox):
        return lambda number: [outbox.add({"number": n}) for n in range(number)]
