"""The push of records as a state machine: (state, event) -> (state, effects).

No clock, disk, socket or dice in here: what they say arrives in events, what they must do
leaves as effects. States and transitions are drawn in `docs/sync.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from ddx.domain.identifiers import RecordId
from sync_service.protocol.codes import RecordStatus

DEFAULT_LIMIT: Final = 50
"""Events per batch: about 10 KB compressed, one to two seconds at 64 kbit/s."""

MAX_LIMIT: Final = 400
"""Events per batch on a good link: about 85 KB, half of what 256 kbit/s carry in five seconds."""

MIN_OFFLINE_LIMIT: Final = 6
"""What a failing link is asked to carry at least: one packet or two of compressed records."""

PAGE_S: Final = 5.0
"""A batch aims at this long from the first byte to the receipt: a break costs no more than that."""

MAX_BACK_OFF_S: Final = 900.0
"""Between two tries of a server that refuses or is busy, or of a long costly outage."""

OFFLINE_BACK_OFF_S: Final = 40.0
"""Between two tries while a link is gone, for however long: the queue drains within a minute of
its return. A try over a link that is gone moves no byte, or a knock of 60."""

SHORT_OUTAGE_TRIES: Final = 30
"""Costly tries in a row before they become rarer: about a quarter of an hour of them."""

MAX_RETRY_AFTER_S: Final = 3600.0
"""A server (or something that pretends to be one) cannot silence a clinic for longer."""

MAX_ISOLATED: Final = 3
"""Records in a row set aside on the word of a server that accepts nothing, per attempt."""


class Cause(StrEnum):
    """Why the machine waits. HELD: the device's own rule about paid bytes."""

    OFFLINE = "offline"
    BUSY = "busy"
    REFUSED = "refused"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Nothing known to be waiting. limit: events of the next batch."""

    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushing:
    """A batch is out.

    attempt: failures in a row so far. corrected: the signing clock was set for this batch.
    isolated: lonely records set aside in a row because the server could not read them.
    """

    limit: int
    attempt: int = 0
    corrected: bool = False
    isolated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A push failed; the next one comes when woken. code: what the server said, if anything."""

    limit: int
    attempt: int
    cause: Cause
    code: str = ""


State = Idle | Pushing | Waiting


@dataclass(frozen=True, slots=True)
class Tick:
    """The schedule came round."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody asked for a sync now."""


@dataclass(frozen=True, slots=True)
class Woken:
    """The time asked for by WakeAfter is over."""


@dataclass(frozen=True, slots=True)
class NothingPending:
    """The outbox is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The server's (or the device's own) word on one record."""

    status: str
    server_sequence: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A receipt arrived. sent: what the batch held; answers: by record id.

    elapsed_s: from sending to receipt; 0 where nothing was sent.
    """

    sent: tuple[RecordId, ...]
    answers: Mapping[RecordId, Answer] = field(default_factory=dict)
    elapsed_s: float = 0.0
    jitter: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No receipt: link, server or permission. Nobody knows whether the batch was stored.

    retry_after_s: what the server asked for. costly: paid bytes travelled, to somebody who is not
    our server. jitter: a fresh random number, 0..1.
    """

    cause: Cause
    code: str = ""
    retry_after_s: float | None = None
    costly: bool = False
    jitter: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRefused:
    """The server cannot read the batch as a whole (or finds it too large)."""

    sent: tuple[RecordId, ...]
    code: str
    jitter: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRefused:
    """The server's clock and ours differ by more than a signature allows."""

    offset_s: float
    jitter: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """The device's own rule keeps the batch: a paid link, or the day's bytes are spent.

    wait_s: until the rule may allow it. code: which rule.
    """

    wait_s: float
    code: str


Event = (
    Tick
    | Asked
    | Woken
    | NothingPending
    | Answered
    | Failed
    | BatchRefused
    | ClockRefused
    | HeldBack
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Read up to `limit` pending events and send them."""

    limit: int


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Mark these events as stored; values are server sequences. By id: newer rows stay."""

    receipts: Mapping[RecordId, int]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Set one event aside with the reason."""

    event: RecordId
    reason: str


@dataclass(frozen=True, slots=True)
class WakeAfter:
    """Come back with Woken after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SetClockOffset:
    """Sign with the local clock plus this many seconds; the local clock itself is not touched."""

    seconds: float


Effect = Push | Acknowledge | Quarantine | WakeAfter | SetClockOffset
Step = tuple[State, tuple[Effect, ...]]


def step(state: State, event: Event) -> Step:
    """Return the next state and what must be done, in order."""
    if isinstance(state, Pushing):
        return _while_pushing(state, event)
    return _at_rest(state, event)


def _at_rest(state: Idle | Waiting, event: Event) -> Step:
    match state, event:
        case Idle(limit=limit), Tick() | Asked() | Woken():
            return Pushing(limit=limit), (Push(limit=limit),)
        case Waiting(cause=Cause.BUSY), Asked():
            return state, ()  # the server asked for patience; impatience does not help it
        case Waiting(limit=limit, attempt=attempt), Woken() | Asked():
            return Pushing(limit=limit, attempt=attempt), (Push(limit=limit),)
        case _:
            return state, ()


def _while_pushing(state: Pushing, event: Event) -> Step:
    match event:
        case NothingPending():
            return Idle(limit=_grown(state.limit)), ()
        case Answered():
            return _answered(state, event)
        case Failed() | HeldBack():
            return _stopped(state, event)
        case BatchRefused() | ClockRefused():
            return _objected(state, event)
        case _:
            return state, ()


def _objected(state: Pushing, event: BatchRefused | ClockRefused) -> Step:
    if isinstance(event, BatchRefused):
        return _refused(state, event)
    return _clock_refused(state, event)


def _stopped(state: Pushing, event: Failed | HeldBack) -> Step:
    if isinstance(event, Failed):
        return _failed(state, event)
    held = Waiting(limit=state.limit, attempt=state.attempt, cause=Cause.HELD, code=event.code)
    return held, (WakeAfter(event.wait_s),)


def _answered(state: Pushing, event: Answered) -> Step:
    """Keep what was answered, by id. A receipt that settles nothing counts as a failure."""
    ours = {record: event.answers[record] for record in event.sent if record in event.answers}
    stored = {
        record: answer.server_sequence
        for record, answer in ours.items()
        if answer.status in {RecordStatus.STORED, RecordStatus.DUPLICATE}
        and answer.server_sequence is not None
    }
    rejected = [(r, a.reason) for r, a in ours.items() if a.status == RecordStatus.REJECTED]
    if not stored and not rejected:
        return _failed(state, Failed(cause=Cause.BUSY, jitter=event.jitter))
    effects: list[Effect] = [Acknowledge(stored)] if stored else []
    effects += [Quarantine(record, reason) for record, reason in rejected]
    limit = paced(state.limit, len(event.sent), event.elapsed_s)
    return Pushing(limit=limit), (*effects, Push(limit=limit))


def _refused(state: Pushing, event: BatchRefused) -> Step:
    """Halve the batch until the record that cannot be read stands alone; set that one aside.

    A server that refuses one lonely record after another is the one at fault: wait instead.
    """
    if len(event.sent) > 1:
        smaller = replace(state, limit=len(event.sent) // 2)
        return smaller, (Push(limit=smaller.limit),)
    if state.isolated == MAX_ISOLATED:
        return _failed(state, Failed(cause=Cause.REFUSED, code=event.code, jitter=event.jitter))
    alone = tuple(Quarantine(record, event.code) for record in event.sent)
    return replace(state, limit=1, isolated=state.isolated + 1), (*alone, Push(limit=1))


def _clock_refused(state: Pushing, event: ClockRefused) -> Step:
    """Correct the signing clock once; a second refusal means that time is not the trouble."""
    if state.corrected:
        return _failed(state, Failed(cause=Cause.REFUSED, jitter=event.jitter))
    corrected = replace(state, corrected=True)
    return corrected, (SetClockOffset(event.offset_s), Push(limit=state.limit))


def _failed(state: Pushing, event: Failed) -> Step:
    attempt, limit = state.attempt + 1, state.limit
    if event.cause is Cause.OFFLINE:
        limit = max(min(limit, MIN_OFFLINE_LIMIT), limit // 2)
    waiting = Waiting(limit=limit, attempt=attempt, cause=event.cause, code=event.code)
    wait_s = back_off_s(
        attempt, event.jitter, event.retry_after_s, cause=event.cause, costly=event.costly
    )
    return waiting, (WakeAfter(wait_s),)


def back_off_s(
    attempt: int,
    jitter: float,
    retry_after_s: float | None = None,
    *,
    cause: Cause = Cause.BUSY,
    costly: bool = False,
) -> float:
    """Return how long to wait after `attempt` failures in a row, in seconds.

    Half of min(cap, 2^attempt) plus a random half, so that a thousand clinics that lost the
    same server do not come back in the same second. Never sooner than the server asked. The cap
    is 900 s; 40 s where the link is gone, except after 30 tries in a row where each one costs.
    Source: "equal jitter" of AWS Architecture Blog, "Exponential Backoff And Jitter", 2015.
    """
    base = min(_cap_s(attempt, cause, costly=costly), 2.0 ** min(attempt, 20))
    wait = base / 2 + base / 2 * jitter
    if retry_after_s is None:
        return wait
    asked = min(max(retry_after_s, 0.0), MAX_RETRY_AFTER_S)
    return max(wait, asked * (1 + 0.1 * jitter))


def _cap_s(attempt: int, cause: Cause, *, costly: bool) -> float:
    if cause is not Cause.OFFLINE:
        return MAX_BACK_OFF_S
    if not costly:
        return OFFLINE_BACK_OFF_S
    beyond = min(max(0, attempt - SHORT_OUTAGE_TRIES), 10)
    return min(MAX_BACK_OFF_S, OFFLINE_BACK_OFF_S * 2.0**beyond)


def paced(limit: int, records: int, elapsed_s: float) -> int:
    """Return how many records the next batch may hold, after one of `records` took `elapsed_s`.

    Fewer when it took longer than a page should, twice as many when a full one took less than
    half of that. A batch that was not full says nothing about room for more.
    """
    if elapsed_s > PAGE_S:
        return max(1, min(limit, int(records * PAGE_S / elapsed_s)))
    if elapsed_s <= 0:
        return _grown(limit)
    if elapsed_s < PAGE_S / 2 and records >= limit:
        return min(MAX_LIMIT, limit * 2)
    return limit


def _grown(limit: int) -> int:
    """Return the way back to the usual size, after what was no fault of the link."""
    return max(limit, min(DEFAULT_LIMIT, limit * 2))
