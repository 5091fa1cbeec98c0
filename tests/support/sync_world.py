"""A small deterministic world: one clinic, one server, a bad link, and a seed.

Real runner, machine, protocol and intake; only link, disks and clocks are simulated. One seed
replays one history. The full simulator of later steps grows out of this one.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime

from support.memory_outbox import MemoryOutbox
from support.memory_sink import MemorySink, ServerDiedError, run_now
from support.sync_records import SOFTWARE, an_identity

from sync_service.client.errors import (
    ServerBusyError,
    ServerClockError,
    ServerRefusedError,
    ServerUnreachableError,
)
from sync_service.client.outbox import EventKind
from sync_service.client.runner import Phase, Runner
from sync_service.gateway.reading import judge
from sync_service.gateway.receive import receive
from sync_service.protocol.compression import compress, decompress
from sync_service.protocol.messages import BatchReceipt, SyncBatch

DAY_ONE = datetime(2026, 11, 23, tzinfo=UTC)


class ClinicDiedError(Exception):
    """The clinic's process is gone; its outbox is not."""


@dataclass
class Link:
    """A transport between runner and intake that does what bad links do."""

    dice: random.Random
    sink: MemorySink
    healed: bool = False
    clock_offset_s: float = 0.0
    clock_error_s: float = 0.0
    delayed: list[bytes] = field(default_factory=list)

    def push(self, batch: SyncBatch) -> BatchReceipt:
        """Carry one batch, or fail in one of the ways a link fails."""
        frame = compress(batch.wire_bytes(), level=1)
        if abs(self.clock_error_s + self.clock_offset_s) > 300:
            raise ServerClockError(-self.clock_error_s)
        trouble = "" if self.healed else self.dice.choice(TROUBLES)
        match trouble:
            case "lost on the way up":
                raise ServerUnreachableError(trouble)
            case "delayed":
                self.delayed.append(frame)
                raise ServerUnreachableError(trouble)
            case "busy":
                raise ServerBusyError(self.dice.choice([None, 5.0]))
            case "proxy":
                raise ServerRefusedError("http", 403)
            case "server dies before commit" | "server dies after commit":
                self.sink.dies = trouble.removeprefix("server dies ")
        receipt = self.deliver(frame)
        if trouble == "twice":
            receipt = self.deliver(frame)
        if trouble == "lost on the way down":
            raise ServerUnreachableError(trouble)
        if trouble == "receipt cut short":
            return receipt.model_copy(update={"results": receipt.results[:-1]})
        return receipt

    def deliver(self, frame: bytes) -> BatchReceipt:
        """Let the server have one frame, fresh or delayed."""
        try:
            message = decompress(frame, limit_bytes=8 << 20)
            return run_now(receive(judge(message), self.sink, now=DAY_ONE))
        except ServerDiedError as error:
            raise ServerUnreachableError(str(error)) from error


TROUBLES = ("",) * 6 + (
    "lost on the way up",
    "lost on the way down",
    "delayed",
    "twice",
    "busy",
    "proxy",
    "receipt cut short",
    "server dies before commit",
    "server dies after commit",
)


class MortalOutbox(MemoryOutbox):
    """An outbox whose process may die at any call, before or after the call took effect."""

    dice: random.Random
    healed = False

    def acknowledge(self, receipts):
        self._perhaps_die()
        super().acknowledge(receipts)
        self._perhaps_die()

    def quarantine(self, event, reason):
        self._perhaps_die()
        super().quarantine(event, reason)

    def _perhaps_die(self):
        if not self.healed and self.dice.random() < 0.05:
            raise ClinicDiedError


class World:
    """One history of one clinic. `runner_type` and `link_type` let a test plant a bug."""

    def __init__(self, seed, *, runner_type=Runner, link_type=Link):
        self.dice = random.Random(seed)
        self.sink = MemorySink()
        self.link = link_type(self.dice, self.sink)
        self.link.clock_error_s = self.dice.choice([0.0, 0.0, 0.0, -7200.0, 1e8])
        self.outbox = MortalOutbox()
        self.outbox.dice = self.dice
        self.identity = an_identity()
        self.runner_type = runner_type
        self.poison = set()
        self.start_clinic()

    def start_clinic(self):
        self.link.clock_offset_s = 0.0
        self.runner = self.runner_type(
            self.outbox,
            self.link,
            self.identity,
            software=lambda: SOFTWARE,
            now=lambda: DAY_ONE,
            dice=self.dice.random,
        )

    def live(self, steps=25):
        """Record, push, wait and die for a while; then heal the link and push until quiet."""
        for _ in range(steps):
            for _ in range(self.dice.randrange(4)):
                self.record()
            self.deliver_delayed(0.3)
            self.push(self.dice.choice(["tick", "wake", "run_once"]))
        self.outbox.healed = self.link.healed = True
        self.deliver_delayed(1.0)
        for _ in range(60):
            self.push("wake")
            if self.runner.report().phase is Phase.IDLE and not self.outbox.pending(1):
                break
        return self

    def record(self):
        payload = {"feedback_id": "x", "n": self.dice.randrange(10**9)}
        if self.dice.random() < 0.9:
            payload = feedback(self.dice)
        event = self.outbox.add(payload, EventKind.FEEDBACK)
        if "n" in payload:
            self.poison.add(event)

    def push(self, how):
        try:
            getattr(self.runner, how)()
        except ClinicDiedError:
            self.start_clinic()

    def deliver_delayed(self, probability):
        """Old frames come out of the network: late, out of order, more than once."""
        self.dice.shuffle(self.link.delayed)
        for frame in list(self.link.delayed):
            if self.dice.random() < probability:
                self.link.deliver(frame)
                if self.dice.random() < 0.7:
                    self.link.delayed.remove(frame)

    def violations(self):
        """What must never be: returned as sentences, empty when the world is sound."""
        found = []
        stored = {}
        for number, event in enumerate(self.sink.log, start=1):
            if event.id in stored:
                found.append(f"{event.id} is stored twice")
            stored[event.id] = (number, event)
        for event in self.outbox.events:
            if event.id in self.outbox.receipts and event.id not in stored:
                found.append(f"{event.sequence} was acknowledged and is lost")
            elif event.id in stored and stored[event.id][1].payload_sha256 != event.payload_sha256:
                found.append(f"{event.sequence} is stored as something else")
            if event.id in self.poison and event.id in stored:
                found.append(f"{event.sequence} should not have left")
        found += [
            f"{event} was acknowledged under a wrong number"
            for event, number in self.outbox.receipts.items()
            if event in stored and stored[event][0] != number
        ]
        sequences = [event.sequence for event in self.sink.log]
        if sequences != sorted(sequences):
            found.append("the order of the device was not kept")
        if self.outbox.pending(1):
            found.append(f"{self.outbox.counts().pending} records still wait after healing")
        if self.sink.alarms:
            found.append("an alarm without a cause")
        return found


def feedback(dice):
    """A valid feedback payload, drawn from the world's own dice."""
    ids = [f"{dice.getrandbits(128):032x}" for _ in range(2)]
    feedback_id, diagnosis_id = (f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}" for i in ids)
    return {
        "feedback_id": feedback_id,
        "diagnosis_id": diagnosis_id,
        "outcome": "accepted",
        "outcomeTimestamp": "2026-11-23T12:00:00+00:00",
        "verb": "agree",
        "disease": "VD:dengue",
        "acceptedSuggestions": [{"id": "VD:dengue"}],
    }
