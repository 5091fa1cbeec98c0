"""The GUI thread is never held: it goes on beating while a diagnosis computes in the same process.

No time is measured: the diagnosis ends when the window has beaten often enough, and fails if it
never does.
"""

import threading

import pytest
from PySide6.QtCore import Qt, QTimer
from support.ward_engine import WardEngine

BEATS = 20
PATIENCE_MS = 30_000


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
