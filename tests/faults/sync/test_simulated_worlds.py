"""Ten thousand seeded worlds of loss, delay, duplication and death; and planted bugs, caught."""

import logging
from dataclasses import replace

import pytest
from support.sync_world import Link, MortalOutbox, Reader, World, WorldSink

from ddx.domain.identifiers import RecordId
from sync_service.client import machine
from sync_service.client.machine import Answer, Answered
from sync_service.client.runner import Runner
from sync_service.gateway.intake import Duplicate, Ledger
from sync_service.protocol.codes import RecordStatus
from sync_service.protocol.messages import BatchReceipt, RecordResult

CHUNK = 500
CHUNKS = 20  # 10,000 worlds: the bar; chunks, so that the processes of a test run share them
WHOLE = 120
OUTAGES = 200
SEEDS = 20  # within so many a planted bug must show


@pytest.fixture(autouse=True)
def _quiet():
    """A record set aside is a warning, and these worlds set many aside."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def broken(seeds, *, outage_s=0.0, **world):
    """Return what went wrong, by seed."""
    lived = ((seed, World(seed, **world).live(outage_s=outage_s)) for seed in seeds)
    return {seed: found for seed, world in lived if (found := world.violations())}


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_world_loses_repeats_reorders_or_strands_a_record(chunk):
    assert broken(range(chunk * CHUNK, (chunk + 1) * CHUNK)) == {}


@pytest.mark.slow
def test_no_world_does_so_when_every_batch_travels_as_bytes():
    assert broken(range(WHOLE), whole=True) == {}


@pytest.mark.parametrize("outage_s", [600.0, 3600.0, 86_400.0])
def test_a_queue_drains_within_a_minute_of_the_links_return(outage_s):
    """A tenth of the worlds of the day are enough for it to be slow."""
    assert broken(range(OUTAGES if outage_s < 10_000 else OUTAGES // 10), outage_s=outage_s) == {}


def test_a_runner_that_grows_ever_more_patient_is_caught(monkeypatch):
    """The rule of before: after a quarter of an hour a link is tried ever more rarely."""
    back_off_s = machine.back_off_s
    monkeypatch.setattr(
        machine, "back_off_s", lambda *a, **named: back_off_s(*a, **named | {"costly": True})
    )
    found = broken(range(SEEDS), outage_s=3600.0)
    assert [said for one in found.values() for said in one if "link's return" in said]


@pytest.mark.parametrize("whole", [False, True])
def test_a_world_is_its_seed(whole):
    def history(seed):
        world = World(seed, whole=whole).live()
        return [(event.sequence, event.payload_sha256) for event in world.sink.log]

    assert history(7) == history(7)
    assert history(7) != history(8)


def test_worlds_do_meet_what_they_are_for():
    """A simulator whose links never fail would find nothing."""
    worlds = [World(seed).live() for seed in range(60)]
    clinics = [clinic for world in worlds for clinic in world.clinics]
    assert any(clinic.link.clock_offset_s for clinic in clinics)
    assert any(clinic.outbox.epoch > 1 for clinic in clinics)
    assert any(clinic.outbox.quarantined for clinic in clinics)
    assert sum(len(world.sink.rows) for world in worlds) > 1000


# Planted bugs, one of each kind the design names.


class AcknowledgesBeforeSending(Runner):
    """The outbox row goes before the server has spoken."""

    def _send(self, epoch, going, kept):
        self._outbox.acknowledge({event.id: event.sequence for event in going})
        return super()._send(epoch, going, kept)


class AcknowledgesEverythingSent(Runner):
    """Blanket "mark all sent": the receipt is not read record by record."""

    def _send(self, epoch, going, kept):
        event = super()._send(epoch, going, kept)
        if isinstance(event, Answered):
            unanswered = Answer(status=RecordStatus.STORED, server_sequence=1)
            every = {record: event.answers.get(record, unanswered) for record in event.sent}
            return replace(event, answers=every)
        return event


class RetriesWhatIsRefused(Runner):
    """A poison record blocks the queue: it is tried again instead of set aside."""

    def _send(self, epoch, going, kept):
        event = super()._send(epoch, going, kept)
        if isinstance(event, Answered):
            refused = {r for r, a in event.answers.items() if a.status == RecordStatus.REJECTED}
            if refused:
                return self._failed("busy", "record refused")
        return event


class NamesAtSending(MortalOutbox):
    """The name of a record is made when it is sent: another one at each try."""

    def pending(self, limit):
        self.tried = getattr(self, "tried", 1 << 20)
        for event in list(self.waiting.values())[:limit]:
            self.tried += 1
            fresh = RecordId(f"{event.id[:24]}{self.tried:012x}")
            del self.waiting[event.id]
            index = self.events.index(event)
            self.events[index] = replace(event, id=fresh, sequence=self.tried)
            self.waiting[fresh] = self.events[index]
        return super().pending(limit)


class CursorIsATime(Reader):
    """The reader goes on after the time of the last row: ties are skipped."""

    def poll(self, sink, limit):
        at_s = getattr(self, "at_s", -1)
        after = [row for row in sink.rows if row.at_s > at_s]
        for row in after[:limit]:
            self.handled.append(row.number)
            self.at_s = row.at_s


class TrustsTheWholeBatch(Link):
    """The gateway takes a batch for known because its first record is."""

    def deliver(self, frame):
        judged = self.read(frame)
        first = judged.records[0][0]
        assert isinstance(self.sink, WorldSink)
        known = self.sink.names.get((frame.device_id, first.id))
        if known is None:
            return super().deliver(frame)
        self.sink.dies = ""
        results = tuple(
            RecordResult(id=e.id, status=RecordStatus.DUPLICATE, server_sequence=1)
            for e, _ in judged.records
        )
        return BatchReceipt(batch_id=frame.batch_id, results=results, server_time=frame.sent_at)


class FoldsTheRefusedIn(Link):
    """The receipt tells one run over the whole batch, whatever became of the records in it."""

    def deliver(self, frame):
        receipt = super().deliver(frame)
        if not receipt.runs or not receipt.results:
            return receipt
        numbers = [event.sequence for event, _ in self.read(frame).records]
        whole = {"first": numbers[0], "last": numbers[-1], "count": len(numbers)}
        run = receipt.runs[0].model_copy(update=whole)
        return receipt.model_copy(update={"results": (), "runs": (run,)})


class ForgetsOldNames(WorldSink):
    """Dedupe limited in time: after a minute an old name is taken for a new one."""

    def arrives(self, frame):
        self._forget()

    def numbers_for(self, events):
        self._forget()
        return super().numbers_for(events)

    def _forget(self):
        old = {row.number for row in self.rows if row.at_s < self.now_s - 60}
        self.names = {k: n for k, n in self.names.items() if n.server_sequence not in old}


class NumbersBeforeTheCommit(WorldSink):
    """A transaction takes its numbers when it begins and commits later: a reader passes it."""

    taken = 0

    def arrives(self, frame):
        self.held = getattr(self, "held", {})
        for event in frame.events:
            if event.id not in self.held and (frame.device_id, event.id) not in self.names:
                self.taken += 1
                self.held[event.id] = len(self.rows) + self.taken

    def numbers_for(self, events):
        held = getattr(self, "held", {})
        highest = max([*held.values(), *(row.number for row in self.rows), 0])
        numbers = []
        for event in events:
            if event.id not in held:
                highest += 1
            numbers.append(held.pop(event.id, highest))
        return sorted(numbers)


PLANTED = {
    "acknowledge before send": ({"runner": AcknowledgesBeforeSending}, "is lost"),
    "blanket mark-all-sent": ({"runner": AcknowledgesEverythingSent}, "is lost"),
    "timestamp cursor": ({"reader": CursorIsATime}, "never read"),
    "batch trusted whole": ({"link": TrustsTheWholeBatch}, "is lost"),
    "refused records in a run": ({"link": FoldsTheRefusedIn}, "is lost"),
    "sequence assigned before commit": ({"sink": NumbersBeforeTheCommit}, "never read"),
    "new id on retry": ({"outbox": NamesAtSending}, "stored twice"),
    "time-limited dedupe": ({"sink": ForgetsOldNames}, "stored twice"),
    "poison record blocks the queue": ({"runner": RetriesWhatIsRefused}, "still wait"),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_shows_within_twenty_seeds(bug):
    planted, what_it_breaks = PLANTED[bug]
    found = broken(range(SEEDS), **planted)
    assert [said for one in found.values() for said in one if what_it_breaks in said]


def test_a_ledger_that_forgets_is_caught_where_bytes_travel(monkeypatch):
    """The real intake, byte by byte, with every known name taken for a new one."""
    decide = Ledger.decide

    def forgetful(self, epoch, sequence, id, payload_sha256):
        decision = decide(self, epoch, sequence, id, payload_sha256)
        if isinstance(decision, Duplicate):
            return decide(Ledger(fresh=self.fresh), epoch, sequence, id, payload_sha256)
        return decision

    monkeypatch.setattr(Ledger, "decide", forgetful)
    assert broken(range(SEEDS), whole=True) != {}
