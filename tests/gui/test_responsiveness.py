"""The GUI thread is never held: it goes on beating while a diagnosis computes in the same process.

No time is measured: the diagnosis ends when the window has beaten often enough, and fails if it
never does. What is made ready beforehand is made elsewhere or in parts, and the parts are counted;
how many milliseconds that comes to is measured in `benchmarks.screen`.
"""

import threading
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget
from support.ward_engine import WardEngine

from desktop.ui import disease_field

BEATS = 20
PATIENCE_MS = 30_000
WIDGETS_AT_ONCE = 100
"""Made in one part of the next visit: some 10 ms. The whole visit has three times as many."""


class Heart:
    """Beats on the GUI thread and sets `beaten` at the `BEATS`-th beat."""

    def __init__(self, parent, beaten):
        self.left, self._beaten = BEATS, beaten
        self._timer = QTimer(parent)
        self._timer.timeout.connect(self._beat)
        self._timer.start(5)

    def _beat(self):
        self.left -= 1
        if self.left == 0:
            self._timer.stop()
            self._beaten.set()


@pytest.fixture
def may_end():
    return threading.Event()


@pytest.fixture
def engine(may_end):
    return WardEngine(busy_until=may_end)


def test_a_slow_diagnosis_does_not_hold_the_window(window, visit, hands, may_end):
    hands.find(visit, "fiebre")
    hands.until(lambda: not visit.state.unsaved)
    hands.press(Qt.Key.Key_F5)
    assert not visit.entry.diagnose.isEnabled()
    heart = Heart(window, may_end)
    hands.until(lambda: visit.state.explanation, timeout=PATIENCE_MS)
    assert heart.left == 0


def test_typing_goes_on_while_a_diagnosis_runs(visit, hands, may_end):
    hands.find(visit, "fiebre")
    hands.press(Qt.Key.Key_F5)
    hands.press(Qt.Key.Key_F2)
    hands.find(visit, "tos")
    assert visit.state.diagnosing
    may_end.set()
    hands.until(lambda: visit.state.diagnosis, timeout=PATIENCE_MS)
    assert visit.state.stale
    hands.until(lambda: not visit.state.unsaved)
    assert len(visit.state.draft.findings) == 2


class Moves(QObject):
    """Counts the widgets that change their parent under what is watched."""

    def __init__(self):
        super().__init__()
        self.moved = []

    def eventFilter(self, widget, event):  # noqa: N802 -- Qt's name
        if event.type() is QEvent.Type.ParentChange:
            self.moved.append(widget)
        return False


def test_the_next_visit_is_made_in_parts_where_it_will_be_shown(window, hands):
    window.visit_ahead.forget()
    made = window._unmade_visit(window._clinic, window._session)()
    counts, more = [0], True
    while more:
        more = made.build_more()
        counts.append(len(made.findChildren(QWidget)))
    parts = [after - before for before, after in pairwise(counts)]
    assert counts[-1] > WIDGETS_AT_ONCE
    assert max(parts) <= WIDGETS_AT_ONCE, parts
    assert made.window() is window


def test_a_visit_made_beforehand_is_shown_without_being_dressed_again(window, hands):
    hands.until(lambda: window.visit_ahead.screen and window.visit_ahead.screen._to_build == [])
    moves, made = Moves(), window.visit_ahead.screen
    for widget in (made, *made.findChildren(QWidget)):
        widget.installEventFilter(moves)
    assert hands.open_visit(window) is made
    assert moves.moved == []


def test_what_the_first_visit_needs_is_read_off_the_gui_thread_and_the_window_goes_first(
    new_window, set_up, engine, hands, monkeypatch
):
    read, window = [], new_window()
    warm, names = engine.search.warm, disease_field.read_names

    def note(told, pause):
        assert threading.current_thread() is not threading.main_thread()
        assert pause == window.jobs.let_window_go_first
        read.append(told)

    monkeypatch.setattr(engine.search, "warm", lambda p: (note("index", p), warm(p)))
    monkeypatch.setattr(
        "desktop.ui.window.read_names", lambda labels, p: (note("names", p), names(labels, p))
    )
    hands.sign_in(window, set_up)
    hands.until(lambda: read == ["index", "names"])
