"""How long the GUI thread was away from its event loop, and which thread had the interpreter.

A gap is how long the GUI thread did not come back to its event loop: nothing is drawn and no key
is heard meanwhile. Either it computed itself, or it waited for the interpreter while another
thread computed: in Python, or inside one call that keeps the interpreter (a long `json.loads`, a
pass of the garbage collector).
"""

import gc
import signal
import sys
import threading
import time
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import call, ior
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

from PySide6.QtCore import QObject, Qt, QTimer

BEAT_MS: Final = 2
SAMPLE_S: Final = 0.004
LOOKS_KEPT: Final = 1000
"""Four seconds: longer than any gap, and little enough not to weigh in a figure of memory."""
WORTH_A_LOOK_MS: Final = 15
"""Shorter gaps are counted without an account."""
REPOSITORY: Final = str(Path(__file__).resolve().parents[1])


class Place(NamedTuple):
    """Where a thread stands: our innermost code, and what it called, if that is not ours."""

    ours: CodeType | None
    line: int
    innermost: CodeType

    def __str__(self) -> str:
        called = f"{Path(self.innermost.co_filename).name} {self.innermost.co_name}"
        if self.ours is None:
            return called
        path = self.ours.co_filename.removeprefix(f"{REPOSITORY}/")
        said = f"{path}:{self.line} {self.ours.co_name}"
        return said if self.ours is self.innermost else f"{said} in {called}"


class Sample(NamedTuple):
    """One look at every thread: when, processor seconds so far, where it stands."""

    at: float
    computed: Mapping[int, float]
    places: Mapping[int, Place]


class Account(NamedTuple):
    """What went on during a gap: passes of the collector, ms; the GUI thread; another thread."""

    collecting_ms: float
    here: str
    elsewhere: str


class Witness(threading.Thread):
    """Looks at every thread some 250 times a second, whenever it gets the interpreter.

    While one call keeps the interpreter nobody looks; the next look shows who computed meanwhile
    (by processor time) and where it stands now, which is right behind that call.
    """

    def __init__(self) -> None:
        super().__init__(name="witness", daemon=True)
        self.accounts: dict[Gap, Account] = {}
        self._asked: list[Gap] = []
        self._samples: deque[Sample] = deque(maxlen=LOOKS_KEPT)
        self._collections: deque[tuple[float, float]] = deque(maxlen=LOOKS_KEPT)
        self._over = threading.Event()
        self._begun = 0.0
        self._gui: Place | None = None

    def start(self) -> None:
        """Begin to look. The GUI thread tells where it stands when an alarm interrupts it."""
        signal.signal(signal.SIGALRM, self._alarm)
        signal.setitimer(signal.ITIMER_REAL, SAMPLE_S, SAMPLE_S)
        gc.callbacks.append(self._collected)
        super().start()

    def ask(self, gap: "Gap") -> None:
        """Have an account of `gap` given with the next look."""
        self._asked.append(gap)

    def run(self) -> None:
        """Look until `finish`."""
        while not self._over.wait(SAMPLE_S):
            self._samples.append(self._look())
            while self._asked:
                gap = self._asked.pop()
                self.accounts[gap] = self._account(gap.began, gap.began + gap.away_ms / 1000)

    def finish(self) -> None:
        """Stop looking."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        gc.callbacks.remove(self._collected)
        self._over.set()
        self.join()

    def _account(self, begun: float, ended: float) -> Account:
        when = [sample.at for sample in self._samples]
        first, last = bisect_left(when, begun), bisect_right(when, ended)
        seen = list(islice(self._samples, max(0, first - 1), last + 1))
        return Account(
            1000 * sum(max(0, min(b, ended) - max(a, begun)) for a, b in tuple(self._collections)),
            _places(_main(), seen[1:]),
            self._elsewhere(seen),
        )

    def _elsewhere(self, seen: Sequence[Sample]) -> str:
        """Return which other thread computed most from the first look to the last, and where."""
        if len(seen) < 2:
            return ""
        spent = {
            thread: seconds - seen[0].computed.get(thread, 0.0)
            for thread, seconds in seen[-1].computed.items()
            if thread not in {_main(), self.ident}
        }
        busiest = max(spent, key=spent.__getitem__, default=None)
        if busiest is None or spent[busiest] * 1000 < 1:
            return ""
        return f"{spent[busiest] * 1000:.0f} ms: {_places(busiest, seen[1:])}"

    def _collected(self, phase: str, _told: dict[str, Any]) -> None:
        if phase == "start":
            self._begun = time.perf_counter()
        else:
            self._collections.append((self._begun, time.perf_counter()))

    def _alarm(self, _signal: int, frame: FrameType | None) -> None:
        if frame is not None:
            self._gui = _place(frame)

    def _look(self) -> Sample:
        frames = _frames_of_workers()
        computed = {
            thread: time.clock_gettime(time.pthread_getcpuclockid(thread)) for thread in frames
        }
        places = {thread: _place(frame) for thread, frame in frames.items() if frame}
        gui, self._gui = self._gui, None
        if gui is not None:
            places[_main()] = gui
        return Sample(time.perf_counter(), computed, places)


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """One absence. doing: the step; began: s.

    busy_ms: what this process computed meanwhile, all threads together: on a machine that others
    use too, away_ms grows with their work and busy_ms does not. own_ms: the GUI thread alone.
    """

    away_ms: float
    busy_ms: float
    own_ms: float
    doing: str
    began: float


@dataclass
class Gaps:
    """Every time the event loop was away for longer than a beat, with what was going on.

    witness: tells who computed meanwhile; it takes its turns at the interpreter, too, so figures
    are measured without one.
    """

    doing: str = ""
    found: list[Gap] = field(default_factory=list)
    witness: Witness | None = None

    @property
    def longest(self) -> float:
        """The longest of all, ms; 0 where there is none."""
        return max((gap.away_ms for gap in self.found), default=0.0)

    def watch(self, parent: QObject) -> None:
        """Begin to beat on the GUI thread."""
        if self.witness is not None:
            self.witness.start()
        self._last, self._clocks = time.perf_counter(), _clocks()
        self._timer = QTimer(parent)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_MS)

    def stop(self) -> None:
        """End the watch."""
        self._timer.stop()
        if self.witness is not None:
            self.witness.finish()

    def rows(self, most: int) -> Iterator[str]:
        """Yield the longest gaps as rows of a table, longest first."""
        told = self.witness.accounts if self.witness else {}
        heads = ("away, ms", "computed, ms", "by the GUI thread, ms", "while")
        more = ("collector, ms", "GUI thread", "other thread") if told else ()
        yield f"| {' | '.join((*heads, *more))} |"
        yield "|---" * (len(heads) + len(more)) + "|"
        for gap in sorted(self.found, reverse=True)[:most]:
            row = [f"{ms:.0f}" for ms in (gap.away_ms, gap.busy_ms, gap.own_ms)] + [gap.doing]
            if gap in told:
                account = told[gap]
                row += [f"{account.collecting_ms:.0f}", account.here, account.elsewhere]
            yield f"| {' | '.join(row)} |"

    def _beat(self) -> None:
        now, clocks = time.perf_counter(), _clocks()
        away = (now - self._last) * 1000 - BEAT_MS
        if away > BEAT_MS:
            busy, own = (1000 * (new - old) for new, old in zip(clocks, self._clocks, strict=True))
            gap = Gap(away, busy, own, self.doing, self._last)
            self.found.append(gap)
            if self.witness is not None and away > WORTH_A_LOOK_MS:
                self.witness.ask(gap)
        self._last, self._clocks = now, clocks


def _clocks() -> tuple[float, float]:
    """Return the processor seconds of this process and of this thread."""
    return time.process_time(), time.thread_time()


def _places(thread: int, seen: Iterable[Sample]) -> str:
    """Return the two places where `thread` stood most often."""
    places = Counter(str(s.places[thread]) for s in seen if thread in s.places)
    return "; ".join(place for place, _ in places.most_common(2))


def _main() -> int:
    ident = threading.main_thread().ident
    assert ident is not None
    return ident


def _frames_of_workers() -> dict[int, FrameType | None]:
    """Return the frame of every thread; None for the GUI thread, which tells by itself.

    Whoever holds a frame of the GUI thread keeps alive what it paints with, and lets go of it on
    this thread: Qt falls. So that frame is let go of before the interpreter can change hands,
    within one call.
    """
    frames = map(call, (sys._current_frames,))  # noqa: SLF001 -- the standard library's own way
    return next(map(ior, frames, ({_main(): None},)))


def _place(frame: FrameType) -> Place:
    innermost, ours = frame.f_code, None
    at: FrameType | None = frame
    while at is not None:
        name = at.f_code.co_filename
        if name.startswith(REPOSITORY) and "/benchmarks/" not in name:
            ours = at
            break
        at = at.f_back
    return Place(ours and ours.f_code, ours.f_lineno if ours else 0, innermost)
