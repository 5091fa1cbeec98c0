"""A few hundred seeded worlds of loss, delay, duplication and death; and planted bugs, caught."""

import pytest
from support.sync_world import Link, World

from sync_service.client.machine import Answer, Answered
from sync_service.client.runner import Runner
from sync_service.protocol.codes import RecordStatus

WORLDS = 300


@pytest.mark.slow
def test_no_world_loses_repeats_reorders_or_strands_a_record():
    broken = {seed: found for seed in range(WORLDS) if (found := World(seed).live().violations())}
    assert broken == {}


def test_a_world_is_its_seed():
    def history(seed):
        world = World(seed).live()
        return [(event.sequence, event.payload_sha256) for event in world.sink.log]

    assert history(7) == history(7)
    assert history(7) != history(8)


def caught(seeds=20, **planted):
    """How many of the first seeds show a planted bug."""
    return sum(bool(World(seed, **planted).live().violations()) for seed in range(seeds))


class AcknowledgesEverythingSent(Runner):
    """Blanket "mark all sent": the receipt is not read record by record."""

    def _send(self, epoch, going, kept):
        event = super()._send(epoch, going, kept)
        if isinstance(event, Answered):
            every = {
                record: event.answers.get(
                    record, Answer(status=RecordStatus.STORED, server_sequence=1)
                )
                for record in event.sent
            }
            return Answered(sent=event.sent, answers=every)
        return event


class AcknowledgesBeforeSending(Runner):
    """The outbox row goes before the server has spoken."""

    def _send(self, epoch, going, kept):
        self._outbox.acknowledge({event.id: event.sequence for event in going})
        return super()._send(epoch, going, kept)


class ForgetsWhatItStored(Link):
    """Dedupe limited in time: an old name is taken for a new one."""

    def deliver(self, frame):
        if self.sink.log and self.dice.random() < 0.3:
            kept, self.sink.log = self.sink.log, []
            try:
                return super().deliver(frame)
            finally:
                self.sink.log = kept + self.sink.log
        return super().deliver(frame)


def test_acknowledging_everything_sent_is_caught():
    assert caught(runner_type=AcknowledgesEverythingSent)


def test_acknowledging_before_sending_is_caught():
    assert caught(runner_type=AcknowledgesBeforeSending)


def test_forgetting_what_was_stored_is_caught():
    assert caught(link_type=ForgetsWhatItStored)
