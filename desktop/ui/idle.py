"""Nobody at the computer: after so many minutes without key or pointer the session ends.

Counts by the wall clock, so that a laptop that slept through the limit locks when it wakes, and
before the key that woke it reaches a patient.
"""

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

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
    """Emits `idle` at each look while nobody has touched anything for the limit.

    Keys and pointer are seen where they enter, at the windows of the system. A filter of the whole
    application would be asked in Python about each of the thousands of events by which a screen is
    laid out and painted.
    """

    idle = Signal()

    def __init__(self, parent: QObject, now: Callable[[], float] = time.time) -> None:
        """Bind a clock. now: seconds of wall-clock time."""
        super().__init__(parent)
        self._now, self._limit_s, self._last = now, 0.0, now()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._app().focusWindowChanged.connect(self._see_windows)

    def watch(self, minutes: int) -> None:
        """Begin to count towards that many minutes."""
        self._limit_s, self._last = minutes * 60.0, self._now()
        self._timer.start()
        self._see_windows()

    def rest(self) -> None:
        """Stop counting: nobody is signed in."""
        self._timer.stop()
        for window in self._app().allWindows():
            window.removeEventFilter(self)

    @property
    def is_over(self) -> bool:
        """Whether the limit has passed. A clock set back counts as nothing passed."""
        return self._now() - self._last >= self._limit_s

    def look(self) -> None:
        """Emit `idle` when the limit has passed."""
        self._see_windows()  # a menu that opened since, too
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

    def _see_windows(self) -> None:
        """Watch every window there is: dialogs and menus have one of their own."""
        if self._timer.isActive():
            for window in self._app().allWindows():
                window.installEventFilter(self)  # once, however often it is said

    @staticmethod
    def _app() -> QGuiApplication:
        app = QGuiApplication.instance()
        if not isinstance(app, QGuiApplication):
            raise TypeError("the watch needs an application with windows")
        return app
