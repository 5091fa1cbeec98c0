"""When the window rests: long work of little hurry goes on only then.

Two threads that compute in Python share one interpreter. While both do, each call the window
makes into Qt costs it a wait for its turn, and a screen that takes a twentieth of a second takes
a fifth. Work that is cut into steps asks here between two of them.
"""

from threading import Event
from typing import Final

from PySide6.QtCore import QAbstractEventDispatcher, QObject

AT_MOST_S: Final = 0.2
"""A window that never rests still lets one step through this often."""


class Rests(QObject):
    """Knows from the event loop of its thread whether that has nothing to do."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._resting = Event()
        events = QAbstractEventDispatcher.instance()
        if events is not None:
            events.aboutToBlock.connect(self._begin)
            events.awake.connect(self._end)

    def wait(self) -> None:
        """Return once the window rests, or after AT_MOST_S. Call from a worker."""
        self._resting.wait(AT_MOST_S)

    def _begin(self) -> None:
        self._resting.set()

    def _end(self) -> None:
        self._resting.clear()
