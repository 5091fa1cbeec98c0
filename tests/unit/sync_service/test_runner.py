"""The runner between outbox and transport, and the schedule that calls it."""

import threading

import pytest
from support.memory_outbox import MemoryOutbox
from support.memory_sink import MemorySink
from support.sync_records import SOFTWARE, a_diagnosis, an_identity
from support.sync_world import Link

from sync_service.client.errors import (
    ServerBusyError,
    ServerRefusedError,
    ServerUnreachableError,
)
from sync_service.client.runner import Phase, Runner
from sync_service.client.schedule import SyncSchedule


class Sound(Link):
    """A link without trouble that remembers what it carried."""

    def __init__(self):
        super().__init__(dice=None, sink=MemorySink(), healed=True)
        self.batches = []

    def push(self, batch):
        self.batches.append(batch)
        return super().push(batch)


def a_runner(link, outbox, **ports):
    return Runner(outbox, link, an_identity(), software=lambda: SOFTWARE, **ports)


def test_a_retry_has_the_same_names_as_the_first_try():
    outbox, link = MemoryOutbox(), Sound()
    outbox.add(a_diagnosis())
    seen = []

    class Forgetful(Sound):
        def push(self, batch):
            seen.append((batch.batch_id, [event.id for event in batch.events]))
            raise ServerUnreachableError("gone")

    runner = a_runner(Forgetful(), outbox)
    runner.run_once()
    runner.run_once()
    assert seen[0] == seen[1]
    runner._transport = link
    runner.run_once()
    assert link.batches[0].batch_id == seen[0][0]


def test_any_answer_of_the_server_ends_the_wait_for_the_link():
    outbox, link = MemoryOutbox(), Sound()
    outbox.add(a_diagnosis())
    link.gone = True
    runner = a_runner(link, outbox, dice=lambda: 1.0, monotonic_s=lambda: 0.0)
    assert runner.tick().phase is Phase.OFFLINE
    link.gone = False
    assert runner.tick().phase is Phase.OFFLINE  # it waits: its time has not come
    runner.link_is_back()
    assert runner.tick().phase is Phase.IDLE
    assert not outbox.pending(1)


def test_patience_a_server_asked_for_does_not_end_with_another_answer():
    outbox = MemoryOutbox()
    outbox.add(a_diagnosis())

    class Busy(Sound):
        def push(self, batch):
            raise ServerBusyError(60.0)

    runner = a_runner(Busy(), outbox, monotonic_s=lambda: 0.0)
    runner.tick()
    runner.link_is_back()
    runner._transport = Sound()
    assert runner.tick().phase is Phase.WAITING


def test_one_unreadable_record_is_found_by_halving_and_the_rest_arrives():
    outbox = MemoryOutbox()
    ids = [outbox.add(a_diagnosis()) for _ in range(9)]

    class Allergic(Sound):
        def push(self, batch):
            if ids[5] in {event.id for event in batch.events}:
                raise ServerRefusedError("sync.malformed", 422)
            return super().push(batch)

    link = Allergic()
    assert a_runner(link, outbox).run_once().phase is Phase.IDLE
    assert outbox.quarantined == {ids[5]: "sync.malformed"}
    assert [event.id for event in link.sink.log] == ids[:5] + ids[6:]


def test_a_record_too_malformed_for_an_envelope_does_not_block_the_queue():
    outbox, link = MemoryOutbox(), Sound()
    outbox.add(a_diagnosis(), id="not-a-record-id")
    sound = outbox.add(a_diagnosis())
    a_runner(link, outbox).run_once()
    assert outbox.quarantined == {"not-a-record-id": "record.malformed"}
    assert set(outbox.receipts) == {sound}


def test_an_outbox_that_fails_is_heard_and_the_next_run_starts_afresh():
    outbox, link = MemoryOutbox(), Sound()
    outbox.add(a_diagnosis())

    class FullDisk(MemoryOutbox):
        def acknowledge(self, receipts):
            raise OSError("disk full")

    full = FullDisk(events=outbox.events)
    runner = a_runner(link, full)
    with pytest.raises(OSError, match="disk full"):
        runner.run_once()
    runner._outbox = outbox
    assert runner.run_once().phase is Phase.IDLE
    assert len(link.sink.log) == 1


def test_two_threads_push_one_after_the_other():
    outbox, link = MemoryOutbox(), Sound()
    for _ in range(30):
        outbox.add(a_diagnosis())
    runner = a_runner(link, outbox)
    threads = [threading.Thread(target=runner.run_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(link.sink.log) == 30
    assert len(link.batches) == 1


def test_the_schedule_wakes_a_waiting_runner_and_stops_when_told():
    outbox, woken = MemoryOutbox(), threading.Event()
    outbox.add(a_diagnosis())

    class OnceBroken(Sound):
        def push(self, batch):
            self.push = super().push
            raise ServerUnreachableError("gone")

    runner = a_runner(OnceBroken(), outbox, dice=lambda: 0.0)

    def wake():
        runner.wake()
        woken.set()

    schedule = SyncSchedule(push=runner.tick, wake=wake, push_every_s=3600)
    runner.wake_after = lambda seconds: schedule.wake_after(seconds / 20)
    schedule.start()
    try:
        assert runner.tick().phase is Phase.OFFLINE
        assert woken.wait(5)
        assert outbox.counts().acknowledged == 1
    finally:
        schedule.stop()


class BusyOnce(Sound):
    """Asks for two minutes of patience, then works."""

    def __init__(self):
        super().__init__()
        self.busy = True

    def push(self, batch):
        if self.busy:
            self.busy = False
            raise ServerBusyError(120.0)
        return super().push(batch)


@pytest.mark.parametrize("how", ["run_once", "tick"])
def test_patience_ends_even_when_nobody_wakes_the_runner(how):
    outbox, seconds = MemoryOutbox(), [0.0]
    outbox.add(a_diagnosis())
    runner = a_runner(BusyOnce(), outbox, monotonic_s=lambda: seconds[0], dice=lambda: 0.0)
    assert runner.run_once().phase is Phase.WAITING
    seconds[0] = 119.0
    assert getattr(runner, how)().phase is Phase.WAITING
    seconds[0] = 121.0
    assert getattr(runner, how)().phase is Phase.IDLE
    assert outbox.counts().acknowledged == 1
