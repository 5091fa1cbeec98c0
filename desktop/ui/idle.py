"""Nobody at the computer: after so many minutes without key or pointer the session ends.

Counts by the wall clock, so that a laptop that slept through the limit locks when it wakes, and
before the key that woke it reaches a patient.
"""

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

LOOK_EVERY_MS = 5_000
ACTIVITY = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
    }
)


class IdleWatch(QObject):
    """Emits `idle` at each look while nobody has touched anything for the limit."""

    idle = Signal()

    def __init__(self, parent: QObject, now: Callable[[], float] = time.time) -> None:
        """Bind a clock. now: seconds of wall-clock time."""
        super().__init__(parent)
        self._now, self._limit_s, self._last = now, 0.0, now()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self.look)

    def watch(self, minutes: int) -> None:
        """Begin to count towards that many minutes."""
        self._limit_s, self._last = minutes * 60.0, self._now()
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)
            app.installEventFilter(self)
        self._timer.start()

    def rest(self) -> None:
        """Stop counting: nobody is signed in."""
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)
        self._timer.stop()

    @property
    def is_over(self) -> bool:
        """Whether the limit has passed. A clock set back counts as nothing passed."""
        return self._now() - self._last >= self._limit_s

    def look(self) -> None:
        """Emit `idle` when the limit has passed."""
        if self.is_over:
            self.idle.emit()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Take note of activity; swallow the first one that comes too late."""
        if event.type() not in ACTIVITY:
            return False
        if self._timer.isActive() and self.is_over:
            self.idle.emit()
            return True
        self._last = self._now()
        return False
