"""Cyclic garbage is collected on the GUI thread, between its events.

Left to itself Python collects on whichever thread happens to allocate. A worker that reads a
bundle then walks every object of the process, a tenth of a second and more, while the window
waits for the interpreter; and a worker that frees what Qt made for the window may take it down.
"""

import gc
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer

LOOK_EVERY_MS: Final = 250


class Collector(QObject):
    """Collects in place of Python, by Python's own thresholds, as long as it lives."""

    def __init__(self, parent: QObject, not_now: Callable[[], bool]) -> None:
        """Begin. not_now: asked before each look; true while what stays is being loaded."""
        super().__init__(parent)
        gc.disable()
        gc.freeze()  # what was imported so far stays: no pass walks it again
        self.destroyed.connect(gc.enable)
        self._not_now = not_now
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(LOOK_EVERY_MS)

    def look(self) -> None:
        """Collect the oldest generation that is due, and with it the younger ones."""
        if self._not_now():
            return
        due = [
            generation
            for generation, (count, limit) in enumerate(
                zip(gc.get_count(), gc.get_threshold(), strict=True)
            )
            if count > limit
        ]
        if due:
            gc.collect(due[-1])
