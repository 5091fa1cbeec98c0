"""A widget let go of takes with it what the style sheet kept of its parts."""

import ctypes
import gc

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtWidgets import QComboBox, QLabel, QListWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

from desktop.ui import theme
from desktop.ui.widgets import let_go, tall

TIMES = 200
KEPT_BYTES = 700
"""Of heap per form: it is 1,600 where they are only deleted, 250 where they are let go of."""


class Heap(ctypes.Structure):
    """Source: mallinfo(3), struct mallinfo2."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def bytes_in_use():
    """Bytes that are allocated and not freed, Python's small objects apart."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallinfo2"):
        pytest.skip("the heap is measured by glibc 2.33 or later")
    libc.mallinfo2.restype = Heap
    gc.collect()
    return libc.mallinfo2().uordblks


def a_form():
    """Some of each part that a style sheet does not style: viewports, what a combo box opens."""
    form, choice, inside = QWidget(), QComboBox(), QWidget()
    choice.addItems(["sí", "no"])
    lines = QVBoxLayout(inside)
    for part in (choice, QListWidget(), QLabel("fiebre")):
        lines.addWidget(part)
    QVBoxLayout(form).addWidget(tall(inside))
    return form


def go_through(times):
    """Show and let go of a form; what is made in between is never where the last one was."""
    between = []
    for _ in range(times):
        form = a_form()
        form.show()
        QCoreApplication.processEvents()
        form.hide()
        let_go(form)
        for _ in range(20):
            QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert not isValid(form)
        between.append(QObject())


def test_the_style_keeps_nothing_of_what_is_gone(qapp):
    theme.apply(qapp, theme.LIGHT, 1.0)
    go_through(40)
    before = bytes_in_use()
    go_through(TIMES)
    assert (bytes_in_use() - before) / TIMES < KEPT_BYTES
