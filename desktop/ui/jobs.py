"""Work off the GUI thread: one serial worker per lane, answers delivered on the GUI thread.

Store work keeps its order because its lane has a single thread that never expires; look-ups have
a lane of their own so that typing never waits behind a diagnosis.
"""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import StrEnum
from threading import Event
from typing import Final, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from ddx.domain.course import Course
from ddx.errors import DdxError

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Lane(StrEnum):
    """Where a job queues."""

    STORE = "store"
    LOOKUP = "lookup"
    TRIAL = "trial"
    """The list that follows each finding; it never waits behind the search for a question."""
    NETWORK = "network"
    PERSON = "person"
    """Waits minutes for somebody at another screen; nothing else may wait behind that."""


class UnexpectedError(DdxError):
    """Something raised that was not foreseen; the class name goes to the log, not the text."""

    code = "internal"


GOES_FIRST_AT_MOST_S: Final = 0.2
"""A window that is busy for longer lets one step through this often."""
DRAWN_BY_S: Final = 0.05
"""An answer is drawn by then, or what was asked since does not wait for it."""
SLOW_AFTER_MS: Final = 300
"""From here on people wonder whether it works: the window says what it does, and lets go of it."""


@dataclass(eq=False, slots=True)
class Work:
    """Something that runs.

    title: what, in words. course: how far it is, and how to end it early; None where it cannot be.
    quiet: nobody asked for it and nobody waits for it: told in the bar below, not in the way.
    awaited: whether it is told at all; of what is only made ready nothing is said.
    done, total: as last told, 0 in all where nobody knows.
    """

    title: str = ""
    course: Course | None = None
    quiet: bool = False
    awaited: bool = True
    done: int = 0
    total: int = 0
    over: bool = False


class Jobs(QObject):
    """Runs blocking work elsewhere and brings its result back."""

    _delivered = Signal(object)
    slow = Signal(object)
    """A `Work` that takes longer than a moment."""
    moved = Signal(object)
    """A `Work` that is a percent further, or in its last step."""
    ended = Signal(object)
    """The same `Work`, once its answer is there."""
    _told = Signal(object, int, int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # Not QThreadPool: now and then a QRunnable made here outlives its run, and with it the
        # screen that asked.
        self._lanes = {lane: ThreadPoolExecutor(1, lane.value) for lane in Lane}
        self._queued: set[Future[None]] = set()
        self._going: set[Work] = set()
        self._told.connect(self._move, Qt.ConnectionType.QueuedConnection)
        self._delivered.connect(self._line_up, Qt.ConnectionType.QueuedConnection)
        self._answers: deque[Callable[[], object]] = deque()
        self._next = QTimer(self, singleShot=True)
        self._next.timeout.connect(self._deliver)
        self._at_rest = Event()
        self._at_rest.set()
        self._round = QTimer(self, singleShot=True)
        self._round.timeout.connect(self._at_rest.set)
        self._stopped = False

    def work(self, title: str, *, quiet: bool = False) -> tuple[Work, Course]:
        """Return work that can be ended early, and the course to give to what does it."""
        told = (-1, False)

        def tell(done: int, total: int) -> None:
            nonlocal told
            now = (100 * done // total if total else 0, course.in_last_step)
            if now != told:
                told = now
                self._told.emit(made, done, total)

        course = Course(tell)
        made = Work(title, course, quiet)
        return made, course

    def _move(self, work: Work, done: int, total: int) -> None:
        if not work.over and not self._stopped:
            work.done, work.total = done, total
            self.moved.emit(work)

    def stop_all(self) -> None:
        """Ask everything that can be ended early to end: nobody waits for it any more."""
        for work in self._going:
            if work.course is not None:
                work.course.stop()

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], object],
        failed: Callable[[DdxError], object],
        lane: Lane = Lane.STORE,
        about: Work | None = None,
    ) -> None:
        """Queue `work`; `done(result)` or `failed(error)` is called on the GUI thread.

        about: what to say of it when it takes long; call from the GUI thread.
        """
        running = about or Work()
        self._going.add(running)
        QTimer.singleShot(SLOW_AFTER_MS, self, lambda: self._grown_slow(running))

        def told(answer: Callable[[], object]) -> Callable[[], object]:
            def deliver() -> None:
                running.over = True
                self._going.discard(running)
                self.ended.emit(running)
                answer()

            return deliver

        def job() -> None:
            if not self._stopped:
                self._at_rest.wait(DRAWN_BY_S)
            try:
                result = work()
            except DdxError as raised:
                error: DdxError = raised
            except Exception as raised:  # noqa: BLE001 -- last stop of a worker thread
                _log.error("unforeseen %s in %s", type(raised).__name__, _where(raised))
                error = UnexpectedError(type(raised).__name__)
            else:
                self._delivered.emit(told(lambda: done(result)))
                return
            self._delivered.emit(told(lambda: failed(error)))

        queued = self._lanes[lane].submit(job)
        self._queued.add(queued)
        queued.add_done_callback(self._queued.discard)

    def let_window_go_first(self) -> None:
        """Return once the event loop of the window has come round.

        For long work of little hurry, between two short steps. Two threads that compute in Python
        share one interpreter: while both do, each call the window makes into Qt costs it a wait
        for its turn, and a screen that takes a twentieth of a second takes a fifth.
        """
        if not self._stopped:
            come_round = Event()
            self._delivered.emit(come_round.set)
            come_round.wait(GOES_FIRST_AT_MOST_S)

    def _grown_slow(self, running: Work) -> None:
        if running.awaited and not running.over and not self._stopped:
            self.slow.emit(running)

    def _line_up(self, answer: Callable[[], object]) -> None:
        self._answers.append(answer)
        self._next.start()

    def _deliver(self) -> None:
        """Give one answer; the next one once the event loop has come round.

        Each may draw a screen anew. Answers that came together would keep the window from keys
        for as long as all of them take, and so would what is asked next, if it computed meanwhile.
        """
        answer = self._answers.popleft()
        if self._stopped:
            return
        self._at_rest.clear()
        try:
            answer()
        finally:
            (self._next if self._answers else self._round).start()

    def drain(self, timeout_ms: int = 10_000) -> bool:
        """Wait until nothing runs; answers not delivered by then are dropped.

        What can be ended early is asked to.
        """
        self._stopped = True
        self.stop_all()
        return not wait(set(self._queued), timeout_ms / 1000).not_done


def _where(error: Exception) -> str:
    """Return file and line where `error` was raised, without values: they may name a patient."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "unknown place"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
