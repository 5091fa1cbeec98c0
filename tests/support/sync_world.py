"""A small deterministic world: clinics, one server, bad links, a reader, and a seed.

Real runner, machine, outgoing rules, protocol and intake; only links, disks, clocks and
processes are simulated. One seed replays one history.

Two kinds of worlds: `whole` ones carry every batch as the bytes that travel, through compression,
signing rules, allow-list and reading; the others hand over the same messages as objects, so that
ten thousand of them fit into a test run.
"""

import random
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from support.memory_outbox import MemoryOutbox
from support.memory_sink import MemorySink, ServerDiedError, run_now
from support.sync_records import SOFTWARE, an_identity

from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import RecordId
from sync_service.client.errors import (
    ServerBusyError,
    ServerClockError,
    ServerRefusedError,
    ServerUnreachableError,
)
from sync_service.client.identity import DeviceIdentity
from sync_service.client.outbox import EventKind, OutgoingEvent
from sync_service.client.runner import Phase, Runner, wire_event
from sync_service.gateway.intake import Alarm, NewEvent, StoredName
from sync_service.gateway.reading import JudgedBatch, judge
from sync_service.gateway.receive import answer_to, receive
from sync_service.protocol.allowlist import Objection
from sync_service.protocol.codes import RejectReason
from sync_service.protocol.compression import compress, decompress
from sync_service.protocol.messages import BatchReceipt, SyncBatch, SyncEvent
from sync_service.protocol.receipts import unfolded

DAY_ONE = datetime(2026, 11, 23, tzinfo=UTC)
SKEW_S = 300.0
QUIET_S = 1000.0
"""After healing: the longest back-off, and a few pages."""
DRAINED_S = 60.0
"""After an outage of any length: the bar of the design, on the simulated clock."""


class ClinicDiedError(Exception):
    """The clinic's process is gone; its outbox is not."""


# Links.


@dataclass
class Link:
    """A transport between runner and intake that does what bad links do."""

    dice: random.Random
    sink: "MemorySink | WorldSink"
    healed: bool = False
    whole: bool = True
    clock_offset_s: float = 0.0
    clock_error_s: float = 0.0
    parted: int = 0
    gone: bool = False
    delayed: list = field(default_factory=list)
    refuses: set = field(default_factory=set)

    def push(self, batch: SyncBatch) -> BatchReceipt:
        """Carry one batch, or fail in one of the ways a link fails."""
        frame = compress(batch.wire_bytes(), level=1) if self.whole else batch
        if self.gone:
            raise ServerUnreachableError("no link")
        if abs(self.clock_error_s + self.clock_offset_s) > SKEW_S:
            raise ServerClockError(-self.clock_error_s)
        if not self.healed and self.parted > 0:
            self.parted -= 1
            raise ServerUnreachableError("partition")
        trouble = "" if self.healed else self.dice.choice(TROUBLES)
        self._on_the_way_up(trouble, frame)
        receipt = self.deliver(frame)
        if trouble == "twice":
            receipt = self.deliver(frame)
        return unfolded(self._on_the_way_down(trouble, receipt), batch)

    def _on_the_way_up(self, trouble: str, frame) -> None:
        match trouble:
            case "lost on the way up":
                raise ServerUnreachableError(trouble)
            case "partition":
                self.parted = self.dice.randrange(1, 6)
                raise ServerUnreachableError(trouble)
            case "delayed":
                self.delayed.append(frame)
                assert isinstance(self.sink, WorldSink)
                self.sink.arrives(frame)
                raise ServerUnreachableError(trouble)
            case "busy":
                raise ServerBusyError(self.dice.choice([None, 5.0]))
            case "proxy":
                raise ServerRefusedError("http", 403)
            case "clinic dies before sending":
                raise ClinicDiedError
            case "server dies before commit" | "server dies after commit":
                self.sink.dies = trouble.removeprefix("server dies ")

    def _on_the_way_down(self, trouble: str, receipt: BatchReceipt) -> BatchReceipt:
        match trouble:
            case "lost on the way down":
                raise ServerUnreachableError(trouble)
            case "clinic dies before the receipt":
                raise ClinicDiedError
            case "receipt cut short":
                part = "results" if receipt.results else "runs"
                return receipt.model_copy(update={part: getattr(receipt, part)[:-1]})
            case "receipt out of order":
                turned = {"results": receipt.results[::-1], "runs": (receipt.runs or ())[::-1]}
                return receipt.model_copy(update=turned)
        return receipt

    def deliver(self, frame) -> BatchReceipt:
        """Let the server have one frame, fresh or delayed."""
        try:
            judged = self.read(frame)
            return answer_to(judged, run_now(receive(judged, self.sink, now=DAY_ONE)))
        except ServerDiedError as error:
            raise ServerUnreachableError(str(error)) from error
        finally:
            self.sink.dies = ""

    def read(self, frame) -> JudgedBatch:
        """Return a frame as the gateway reads it."""
        if self.whole:
            return judge(decompress(frame, limit_bytes=8 << 20))
        ordered = sorted(frame.events, key=lambda event: event.sequence)
        return JudgedBatch(frame, [(event, self._judged(frame, event)) for event in ordered])

    def _judged(self, batch: SyncBatch, event: SyncEvent):
        if event.id in self.refuses:
            return Objection(RejectReason.PAYLOAD_INVALID)
        return NewEvent(
            device_id=batch.device_id,
            epoch=batch.epoch,
            sequence=event.sequence,
            id=event.id,
            kind=event.kind,
            created_at=event.created_at,
            payload=event.payload,
            payload_sha256=event.payload_sha256,
            batch_id=batch.batch_id,
            schema_version=batch.schema_version,
            app_version=batch.app_version,
            bundle_version=batch.bundle_version,
        )


TROUBLES = ("",) * 9 + (
    "lost on the way up",
    "lost on the way down",
    "partition",
    "delayed",
    "delayed",
    "twice",
    "busy",
    "proxy",
    "receipt cut short",
    "receipt out of order",
    "clinic dies before sending",
    "clinic dies before the receipt",
    "server dies before commit",
    "server dies after commit",
)


# The server's disk, and who reads it.


@dataclass(frozen=True)
class Row:
    """One stored record. at_s: the server's clock when it was committed, in whole seconds."""

    number: int
    at_s: int
    event: NewEvent


@dataclass
class WorldSink:
    """What the server keeps. Numbers are given at the commit, one transaction at a time."""

    rows: list[Row] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    dies: str = ""
    now_s: float = 0.0
    names: dict = field(default_factory=dict)

    @property
    def log(self) -> list[NewEvent]:
        """Committed events in server order."""
        return [row.event for row in sorted(self.rows, key=lambda row: row.number)]

    def arrives(self, frame) -> None:
        """A frame is here, and its transaction will end later."""

    def numbers_for(self, events: Sequence[NewEvent]) -> list[int]:
        """Return consecutive numbers after every committed one."""
        return [len(self.rows) + 1 + index for index in range(len(events))]

    @asynccontextmanager
    async def transaction(self):
        """Open a transaction; committed at the end unless the server dies first."""
        work = WorldTransaction(self)
        yield work
        dies, self.dies = self.dies, ""
        if dies == "before commit":
            raise ServerDiedError(dies)
        work.commit()
        if dies == "after commit":
            raise ServerDiedError(dies)


class WorldTransaction:
    """See `sync_service.gateway.intake.IntakeTransaction`."""

    def __init__(self, sink: WorldSink) -> None:
        self._sink, self._new, self._alarms = sink, [], []

    async def find(self, device_id, epoch, sequences, ids) -> Sequence[StoredName]:
        names = [self._sink.names.get((device_id, epoch, sequence)) for sequence in sequences]
        names += [self._sink.names.get((device_id, name)) for name in ids]
        return [name for name in names if name is not None]

    async def append(self, events: Sequence[NewEvent]) -> int:
        numbers = self._sink.numbers_for(events)
        self._new += list(zip(numbers, events, strict=True))
        return numbers[0]

    async def raise_alarm(self, alarm: Alarm) -> None:
        self._alarms.append(alarm)

    async def covers(self, device_id, subjects):
        return {}  # nobody is erased in these worlds

    def commit(self) -> None:
        sink = self._sink
        sink.alarms += [alarm for alarm in self._alarms if alarm not in sink.alarms]
        for number, event in self._new:
            name = StoredName(
                epoch=event.epoch,
                sequence=event.sequence,
                id=event.id,
                payload_sha256=event.payload_sha256,
                server_sequence=number,
            )
            sink.names[event.device_id, event.epoch, event.sequence] = name
            sink.names[event.device_id, event.id] = name
            sink.rows.append(Row(number, int(sink.now_s), event))


@dataclass
class Reader:
    """Whoever follows the log: a page after the last number handled, now and then."""

    cursor: int = 0
    handled: list[int] = field(default_factory=list)

    def poll(self, sink: WorldSink, limit: int) -> None:
        """Handle up to `limit` rows after the cursor."""
        after = sorted((row for row in sink.rows if row.number > self.cursor), key=_number)
        for row in after[:limit]:
            self.handled.append(row.number)
            self.cursor = row.number


def _number(row: Row) -> int:
    return row.number


# Clinics.


@dataclass
class MortalOutbox(MemoryOutbox):
    """An outbox whose process may die at any call, before or after the call took effect."""

    dice: random.Random = field(default_factory=random.Random)
    healed: bool = False
    waiting: dict[RecordId, OutgoingEvent] = field(default_factory=dict)
    last: int = 0

    def record(self, event: OutgoingEvent) -> None:
        """Add one event as it is."""
        self.events.append(event)
        self.waiting[event.id] = event

    def pending(self, limit: int) -> Sequence[OutgoingEvent]:
        return [event for event, _ in zip(self.waiting.values(), range(limit), strict=False)]

    def acknowledge(self, receipts: Mapping[RecordId, int]) -> None:
        self._perhaps_die()
        for event, number in receipts.items():
            if self.waiting.pop(event, None) is not None:
                self.receipts[event] = number
        self._perhaps_die()

    def quarantine(self, event: RecordId, reason: str) -> None:
        self._perhaps_die()
        if self.waiting.pop(event, None) is not None:
            self.quarantined[event] = reason

    def _perhaps_die(self):
        if not self.healed and self.dice.random() < 0.05:
            raise ClinicDiedError


class ClinicOfWorld:
    """One device: outbox, link, clock and the runner of its present process."""

    def __init__(self, world: "World", number: int) -> None:
        self.world, self.number = world, number
        self.outbox = world.types["outbox"](dice=world.dice)
        self.link = world.types["link"](world.dice, world.sink, whole=world.whole)
        self.link.clock_error_s = world.dice.choice([0.0, 0.0, 0.0, -7200.0, 1e8])
        self.identity = an_identity() if world.whole else _named(number)
        self.kept_back: set[RecordId] = set()
        self.prepared: dict = {}
        self.due_s: float | None = None
        self.start()

    def start(self) -> None:
        """Begin another process: what was only in memory is gone."""
        self.link.clock_offset_s, self.due_s = 0.0, None
        self.runner = self.world.types["runner"](
            self.outbox,
            self.link,
            self.identity,
            software=lambda: SOFTWARE,
            now=lambda: DAY_ONE,
            monotonic_s=lambda: self.world.now_s,
            dice=self.world.dice.random,
            wake_after=self._wake_after,
            prepare=wire_event if self.world.whole else self._prepare,
        )

    def _wake_after(self, seconds: float) -> None:
        self.due_s = self.world.now_s + seconds

    def record(self) -> None:
        """Record something: sound, unfit to leave, or sound here and refused by the server."""
        dice, box = self.world.dice, self.outbox
        box.last += 1
        draw, name = dice.random(), _record_id(self.number, box.epoch, box.last)
        payload = {"n": self.world.fresh()} if not self.world.whole else feedback(dice)
        if draw < 0.08:
            payload = {"feedback_id": "x", "n": self.world.fresh()}
            self.kept_back.add(name)
        elif draw < 0.14 and not self.world.whole:
            self.link.refuses.add(name)
        box.record(
            OutgoingEvent(
                id=name,
                sequence=box.last,
                kind=EventKind.FEEDBACK,
                created_at=DAY_ONE,
                payload=payload,
                payload_sha256=digest_of(payload) if self.world.whole else f"{payload['n']:064x}",
                epoch=box.epoch,
            )
        )

    def begin_epoch(self) -> None:
        """A restored backup was noticed: numbers start again in another epoch."""
        self.outbox.epoch += 1
        self.outbox.last = 0

    def _prepare(self, event: OutgoingEvent):
        """As `wire_event` decides; an object world knows which records are unfit."""
        if event.id in self.kept_back:
            return Objection(RejectReason.NOT_ALLOWED_OUT)
        made = self.prepared.get(event.id)
        if made is None:
            made = self.prepared[event.id] = SyncEvent.model_construct(
                id=event.id,
                sequence=event.sequence,
                kind=event.kind.value,
                created_at=event.created_at,
                payload=event.payload,
                payload_sha256=event.payload_sha256,
            )
        return made

    def push(self, how: str) -> None:
        """Call the runner; a process that dies on the way is started again."""
        self.world.pass_time(0.5)
        try:
            getattr(self.runner, how)()
        except ClinicDiedError:
            self.start()

    def deliver_delayed(self, probability: float) -> None:
        """Old frames come out of the network: late, out of order, more than once."""
        dice, link = self.world.dice, self.link
        dice.shuffle(link.delayed)
        for frame in list(link.delayed):
            if dice.random() < probability:
                link.deliver(frame)
                if dice.random() < 0.7:
                    link.delayed.remove(frame)


def _named(number: int) -> DeviceIdentity:
    device = RecordId(f"{number:08x}-0000-7000-8000-000000000000")
    return DeviceIdentity(device_id=device, epoch=1, public_key=bytes(32), sign=lambda _: bytes(64))


def _record_id(device: int, epoch: int, sequence: int) -> RecordId:
    return RecordId(f"{device:08x}-{epoch:04x}-7000-8000-{sequence:012x}")


# The world.


class World:
    """One history. `runner`, `link`, `outbox`, `sink`, `reader` let a test plant a bug."""

    def __init__(self, seed: int, *, whole: bool = False, **types) -> None:
        self.dice, self.whole, self.now_s = random.Random(seed), whole, 0.0
        self.types = {"runner": Runner, "link": Link, "outbox": MortalOutbox} | types
        self.sink = types.get("sink", WorldSink)()
        self.reader = types.get("reader", Reader)()
        self._fresh = 0
        self.late: list[str] = []
        count = 1 if whole else self.dice.choice([1, 1, 2, 3])
        self.clinics = [ClinicOfWorld(self, number) for number in range(1, count + 1)]

    def fresh(self) -> int:
        """Return a number no other record of this world carries."""
        self._fresh += 1
        return self._fresh

    def pass_time(self, seconds: float) -> None:
        """Let the monotonic clock and the server's clock go on."""
        self.now_s += seconds
        self.sink.now_s = self.now_s

    def live(self, steps: int = 22, *, outage_s: float = 0.0) -> "World":
        """Record, push, wait and die for a while; then heal and go on until quiet.

        outage_s: how long the link of a world with one clinic is gone before that.
        """
        dice = self.dice
        for _ in range(steps):
            clinic = dice.choice(self.clinics)
            for _ in range(dice.randrange(4)):
                clinic.record()
            if dice.random() < 0.03:
                clinic.link.clock_error_s = dice.choice([0.0, 3600.0, -1e7])
            if dice.random() < 0.02:
                clinic.begin_epoch()
            clinic.deliver_delayed(0.3)
            self.pass_time(dice.choice([0.1, 0.3, 20.0]))
            clinic.push(dice.choice(["tick", "wake", "run_once"]))
            self.reader.poll(self.sink, dice.randrange(1, 4))
        if outage_s and len(self.clinics) == 1:
            self.outage(outage_s)
        self._heal()
        return self

    def outage(self, seconds: float) -> "World":
        """Let the only clinic work without a link for so long; then the link is back and sound.

        What it does meanwhile and after is what its own timers do; nobody asks.
        """
        (clinic,) = self.clinics
        clinic.link.gone, clinic.outbox.healed = True, True
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            clinic.record()
            clinic.push("tick")  # as the schedule does every five minutes
            next_tick_s = min(self.now_s + 300.0, until_s)
            self._let_timers_run(clinic, next_tick_s)
            self.now_s = max(self.now_s, next_tick_s)
        clinic.link.gone, clinic.link.healed, back_s = False, True, self.now_s
        self._let_timers_run(clinic, back_s + QUIET_S)
        if self.now_s - back_s > DRAINED_S:
            self.late.append(f"the queue took {self.now_s - back_s:.0f} s after the link's return")
        return self

    def _let_timers_run(self, clinic: ClinicOfWorld, until_s: float) -> None:
        while clinic.due_s is not None and clinic.due_s < until_s:
            self.now_s, clinic.due_s = max(self.now_s, clinic.due_s), None
            clinic.push("wake")

    def _heal(self) -> None:
        for clinic in self.clinics:
            clinic.outbox.healed = clinic.link.healed = True
            clinic.deliver_delayed(1.0)
            self._until_quiet(clinic)
        for _ in range(len(self.sink.rows) + 1):
            self.reader.poll(self.sink, 3)

    def _until_quiet(self, clinic: ClinicOfWorld) -> None:
        """Let the clinic's own timers bring it to rest; nobody asks."""
        until_s = self.now_s + QUIET_S
        clinic.push("tick")
        while clinic.outbox.pending(1) and self.now_s < until_s:
            if clinic.runner.report().phase is Phase.IDLE or clinic.due_s is None:
                return
            self.now_s = max(self.now_s, clinic.due_s)
            clinic.push("wake")

    def violations(self) -> list[str]:
        """What must never be: returned as sentences, empty when the world is sound."""
        found = self.late + _read_wrong(self.reader, self.sink)
        for clinic in self.clinics:
            found += _wrong_at(clinic, self.sink)
        if self.sink.alarms:
            found.append("an alarm without a cause")
        return found


def _read_wrong(reader: Reader, sink: WorldSink) -> list[str]:
    numbers = sorted(row.number for row in sink.rows)
    found = [f"{n} was stored and never read" for n in set(numbers) - set(reader.handled)]
    if len(reader.handled) != len(set(reader.handled)):
        found.append("a reader was given a record twice")
    if len(numbers) != len(set(numbers)):
        found.append("one number was given twice")
    return found


def _wrong_at(clinic: ClinicOfWorld, sink: WorldSink) -> list[str]:
    """One device: what its records became, by their content, whatever their names."""
    outbox, found = clinic.outbox, []
    mine = [row for row in sink.rows if row.event.device_id == clinic.identity.device_id]
    mine.sort(key=_number)
    stored: dict[str, Row] = {}
    for row in mine:
        if row.event.payload_sha256 in stored:
            found.append(f"{row.event.sequence} is stored twice")
        stored[row.event.payload_sha256] = row
    for event in outbox.events:
        row = stored.get(event.payload_sha256)
        receipt = outbox.receipts.get(event.id)
        if receipt is not None and row is None:
            found.append(f"{event.sequence} was acknowledged and is lost")
        elif receipt is not None and receipt != row.number:
            found.append(f"{event.sequence} was acknowledged under a wrong number")
        if row is not None and event.id in clinic.kept_back | clinic.link.refuses:
            found.append(f"{event.sequence} should not have left")
    names = [(row.event.epoch, row.event.sequence) for row in mine]
    if names != sorted(names):
        found.append("the order of the device was not kept")
    if outbox.pending(1):
        found.append(f"{len(outbox.waiting)} records still wait after healing")
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
