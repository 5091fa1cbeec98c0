"""Hours of painting must not use up a reference that Python still needs (PySide6 below 6.12)."""

import sys

import pytest
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

REPAINTS, CALLS = 400, 20
DRIFT = 300  # PySide6 6.12.0 gives back two references a repaint; 6.8 to 6.11 stay within 75


class Painted(QWidget):
    def paintEvent(self, event) -> None:  # noqa: N802 -- Qt calls it by this name
        painter = QPainter(self)
        for line in range(CALLS):
            painter.drawText(5, line * 3, "hola")
        painter.end()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_painting_keeps_the_reference_count_of_none(qtbot):
    widget = Painted()
    qtbot.addWidget(widget)
    widget.resize(200, 200)
    widget.show()
    widget.repaint()
    before = sys.getrefcount(None)
    for _ in range(REPAINTS):
        widget.repaint()
    assert abs(sys.getrefcount(None) - before) < DRIFT
