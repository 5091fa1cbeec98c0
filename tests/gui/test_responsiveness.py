"""The GUI thread is never held: a heart that beats every 5 ms tells."""

import time

import pytest
from PySide6.QtCore import Qt, QTimer
from support.ward_engine import WardEngine

MAX_HELD_S = 0.050


class Heart:
    """Beats on the GUI thread; `longest` is the longest silence between two beats, seconds."""

    def __init__(self, parent):
        self.longest = 0.0
        self._last = time.monotonic()
        self._timer = QTimer(parent)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(5)

    def _beat(self):
        now = time.monotonic()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def stop(self):
        self._timer.stop()
        return self.longest


@pytest.fixture
def engine():
    return WardEngine(delay_s=0.6)


def noise(window, hands):
    """The longest silence of this machine while nothing is asked of the window."""
    heart = Heart(window)
    hands.rest(0.6)
    return heart.stop()


def test_a_slow_diagnosis_does_not_hold_the_window(window, visit, hands):
    hands.find(visit, "fiebre")
    hands.until(lambda: not visit.state.unsaved)
    idle = noise(window, hands)
    heart = Heart(window)
    hands.press(Qt.Key.Key_F5)
    assert not visit.entry.diagnose.isEnabled()
    hands.until(lambda: visit.state.explanation, timeout=10_000)
    hands.rest(0.1)
    assert heart.stop() < MAX_HELD_S + idle


def test_typing_goes_on_while_a_diagnosis_runs(visit, hands):
    hands.find(visit, "fiebre")
    hands.press(Qt.Key.Key_F5)
    hands.press(Qt.Key.Key_F2)
    hands.find(visit, "tos")
    assert visit.state.diagnosing
    hands.until(lambda: visit.state.diagnosis, timeout=10_000)
    assert visit.state.stale
    hands.until(lambda: not visit.state.unsaved)
    assert len(visit.state.draft.findings) == 2
