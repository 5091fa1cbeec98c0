"""What a screen reader could not name, and what is written too faintly, on a real window.

Ink is the colour the widget's own palette gives its text once the stylesheet dressed it; ground is
the colour most of its pixels have on screen. Disabled controls are exempt (WCAG 2.2, 1.4.3).
"""

from collections import Counter

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QComboBox,
    QFrame,
    QLabel,
    QLineEdit,
    QProgressBar,
    QTableView,
    QWidget,
)

from desktop.ui.theme import MIN_CONTRAST, contrast

CONTROLS = (QAbstractButton, QAbstractScrollArea, QComboBox, QLineEdit, QProgressBar)


def nameless(root):
    """Controls of our own that a screen reader could not name."""
    found = []
    for control in root.findChildren(QWidget):
        inside_another = isinstance(control.parent(), (QComboBox, QAbstractItemView, QFrame)) and (
            control.objectName().startswith("qt_") or type(control).__module__.startswith("PySide6")
        )
        if not isinstance(control, CONTROLS) or control.focusPolicy() is Qt.FocusPolicy.NoFocus:
            continue
        if isinstance(control, QAbstractItemView) and inside_another:
            continue  # the list a combo box drops down
        if not control.accessibleName():
            found.append(f"{type(control).__name__} in {type(control.parent()).__name__}")
    return found


WRITTEN = (QLabel, QAbstractButton, QLineEdit, QComboBox)
EVERY_PIXELS = 2


def text_of(widget):
    if isinstance(widget, QComboBox):
        return widget.currentText()
    return widget.text() or getattr(widget, "placeholderText", str)()


def ground_of(widget, picture, root):
    """The colour most pixels of a widget have."""
    corner = widget.mapTo(root, QPoint(0, 0))
    ratio = picture.devicePixelRatio()
    seen = QRect(corner, widget.size()).intersected(root.rect())
    seen = seen.intersected(
        QRect(
            corner + widget.visibleRegion().boundingRect().topLeft(),
            widget.visibleRegion().boundingRect().size(),
        )
    )
    counted = Counter(
        picture.pixel(round(x * ratio), round(y * ratio)) & 0xFFFFFF
        for x in range(seen.left(), seen.right(), EVERY_PIXELS)
        for y in range(seen.top(), seen.bottom(), EVERY_PIXELS)
    )
    return None if not counted else f"#{counted.most_common(1)[0][0]:06x}"


def faint(root):
    """What is written with too little contrast: text, ink, ground, ratio."""
    picture = root.grab().toImage()
    found = []
    for widget in root.findChildren(QWidget):
        shown = isinstance(widget, WRITTEN) and widget.isVisible() and widget.isEnabled()
        if not shown or not text_of(widget).strip() or isinstance(widget.parent(), QTableView):
            continue
        ground = ground_of(widget, picture, root)
        ink = widget.palette().color(widget.foregroundRole()).name()
        if ground is not None and contrast(ink, ground) < MIN_CONTRAST:
            found.append((text_of(widget), ink, ground, round(contrast(ink, ground), 2)))
    return found
