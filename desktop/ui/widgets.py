"""Small controls every screen uses; each one needs an accessible name to be made."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QVBoxLayout,
    QWidget,
)

from desktop.ui.i18n import Texts
from desktop.ui.theme import colours

MEASURED_BY_MS = 150  # restyling reaches the last label within this
SOME_SHEET = "*{}"  # says nothing
Text = Callable[[], str]
"""A text asked for again when the language changes."""


class Spoken(QWidget):
    """A widget that says its texts again when the language changes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.texts = Texts()

    def changeEvent(self, event: QEvent) -> None:
        """Say every text in the new language, then draw what depends on the state."""
        if event.type() is QEvent.Type.LanguageChange:
            self.texts.say_again()
            self.redraw()
        super().changeEvent(event)

    def redraw(self) -> None:
        """Draw what is not a bound text; nothing by default."""


def look(widget: QWidget, name: str) -> None:
    """Give `widget` another look of the stylesheet."""
    restyle(widget, "look", name)


def restyle(widget: QWidget, name: str, value: object) -> None:
    """Set a style property and repolish, when it changed."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def label(texts: Texts, text: Text, name: str = "") -> QLabel:
    """Return a label with a bound text."""
    made = plain_label(name)
    texts.bind(made.setText, text)
    return made


def heading(texts: Texts, text: Text, key: str) -> QHBoxLayout:
    """Return a section heading with the key that goes there."""
    title = label(texts, text, "section")
    title.setWordWrap(False)
    hint = plain_label("hint")
    hint.setWordWrap(False)
    hint.setText(key)
    line = row(title, hint)
    line.addStretch(1)
    return line


def plain_label(name: str = "") -> QLabel:
    """Return an empty label that wraps; patient names and model texts are never markup."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    made.setProperty("look", name)
    return made


def message(name: str) -> QLabel:
    """Return a label for a message that is hidden while empty."""
    made = plain_label(name)
    made.hide()
    return made


def say(target: QLabel, text: str) -> None:
    """Show `text`, or hide the label when there is none."""
    target.setText(text)
    target.setVisible(bool(text))


def button(texts: Texts, text: Text, pressed: Callable[[], object], name: str = "") -> QPushButton:
    """Return a push button; its accessible name is its text without the key."""
    made = QPushButton()
    made.setProperty("look", name)
    made.setAutoDefault(False)
    texts.bind(made.setText, text)
    texts.bind(made.setAccessibleName, text)
    made.clicked.connect(lambda _checked: pressed())
    return made


def field(texts: Texts, name: Text, placeholder: Text | None = None) -> QLineEdit:
    """Return a line edit with an accessible name."""
    made = QLineEdit()
    texts.bind(made.setAccessibleName, name)
    if placeholder is not None:
        texts.bind(made.setPlaceholderText, placeholder)
    return made


class Choice(QComboBox):
    """A combo box whose arrow takes the colour of the palette in use."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box, then the arrow."""
        super().paintEvent(event)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(colours().quiet), 1.6))
            x, y = self.width() - 16.0, self.height() / 2 - 2
            painter.drawPolyline([QPointF(x - 4, y), QPointF(x, y + 4), QPointF(x + 4, y)])


class Tick(QCheckBox):
    """A check box whose mark takes the colour of the palette in use."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box, then the mark."""
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = (
            self.style()
            .subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
            .toRectF()
        )
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(colours().accent_ink), 2))
            at = box.center()
            painter.drawPolyline(
                [
                    QPointF(at.x() - 4, at.y()),
                    QPointF(at.x() - 1, at.y() + 3.5),
                    QPointF(at.x() + 4.5, at.y() - 4),
                ]
            )


class OneLine(QLabel):
    """A label that says less, then ends in an ellipsis, where there is no room.

    The tool tip and a screen reader say it all.
    """

    def __init__(self, name: str = "", inset: int = 0, least: int = 6) -> None:
        """Return an empty one.

        inset: pixels kept free left and right, for a look with a border. least: letters that are
        shown before anything else on the line is.
        """
        super().__init__()
        self._inset, self._least = inset, least
        self._shorter: tuple[str, ...] = ()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("look", name)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def setText(self, text: str, *shorter: str) -> None:
        """Show `text`, or the first of `shorter` that fits whole; longest first."""
        super().setText(text)
        self._shorter = shorter
        self.setToolTip(text)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the room the whole text would take."""
        return QSize(self._room(self.text()), self.fontMetrics().height() + 2 + self._inset)

    def minimumSizeHint(self) -> QSize:
        """Return the room of the shortest text, or of a few letters."""
        if self._shorter:
            return QSize(self._room(self._shorter[-1]), self.sizeHint().height())
        few = self.fontMetrics().averageCharWidth() * self._least
        return QSize(min(self.sizeHint().width(), few), self.sizeHint().height())

    def _room(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text) + 4 + 2 * self._inset

    @property
    def shown(self) -> str:
        """What is on screen, but for an ellipsis."""
        texts = (self.text(), *self._shorter)
        return next((text for text in texts if self._room(text) <= self.width()), texts[-1])

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Write the text, or as much of it as fits."""
        with QPainter(self) as painter:
            inside = self.rect().adjusted(self._inset, 0, -self._inset, 0)
            shown = self.fontMetrics().elidedText(
                self.shown, Qt.TextElideMode.ElideRight, inside.width()
            )
            self.style().drawItemText(
                painter,
                inside,
                int(Qt.AlignmentFlag.AlignVCenter),
                self.palette(),
                self.isEnabled(),
                shown,
                self.foregroundRole(),
            )


def choice(texts: Texts, name: Text) -> QComboBox:
    """Return a combo box with an accessible name."""
    made = Choice()
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    texts.bind(made.setAccessibleName, name)
    return made


def labelled(texts: Texts, text: Text, control: QWidget) -> QVBoxLayout:
    """Return `control` under its visible label."""
    caption = label(texts, text, "small")
    caption.setBuddy(control)
    return column(caption, control, gap=3)


def column(*parts: QWidget | QBoxLayout, gap: int = 8, margin: int = 0) -> QVBoxLayout:
    """Return the parts stacked."""
    box = QVBoxLayout()
    _fill(box, parts, gap, margin)
    return box


def row(*parts: QWidget | QBoxLayout, gap: int = 8, margin: int = 0) -> QHBoxLayout:
    """Return the parts side by side."""
    box = QHBoxLayout()
    _fill(box, parts, gap, margin)
    return box


def _fill(box: QBoxLayout, parts: tuple[QWidget | QBoxLayout, ...], gap: int, margin: int) -> None:
    box.setSpacing(gap)
    box.setContentsMargins(margin, margin, margin, margin)
    for part in parts:
        if isinstance(part, QWidget):
            box.addWidget(part)
        else:
            box.addLayout(part)


def card(layout: QBoxLayout, margin: int = 14) -> QFrame:
    """Return `layout` on a raised ground."""
    frame = QFrame()
    frame.setObjectName("card")
    layout.setContentsMargins(margin, margin, margin, margin)
    frame.setLayout(layout)
    return frame


class Tall(QScrollArea):
    """Scrolls vertically and never sideways: the content is always as wide as the area."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setObjectName("tall")
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows the control that has the focus

    def read(self, texts: Texts, name: Text) -> None:
        """Take the keys, under a name: what stands here is read, and no control would scroll it."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        texts.bind(self.setAccessibleName, name)

    def showEvent(self, event: QShowEvent) -> None:
        """Measure again what changed while the area was hidden."""
        super().showEvent(event)
        self._measure_again_soon()

    def changeEvent(self, event: QEvent) -> None:
        """Measure again in the new type size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._measure_again_soon()

    def _measure_again_soon(self) -> None:
        # Widths kept from a larger type size would leave the content wider than the area.
        for delay_ms in (0, MEASURED_BY_MS):
            QTimer.singleShot(delay_ms, self, self._measure_again)

    def _measure_again(self) -> None:
        content = self.widget()
        if content is not None and (layout := content.layout()) is not None:
            layout.invalidate()
            QCoreApplication.postEvent(content, QEvent(QEvent.Type.LayoutRequest))


def tall(content: QWidget) -> Tall:
    """Return `content` in an area that scrolls vertically and never sideways."""
    return Tall(content)


class Passing(QDialog):
    """A dialog that nobody comes back to: closed, it is gone, and what it showed with it."""

    def done(self, result: int) -> None:
        """Close for good."""
        super().done(result)
        let_go(self)


def meet_kinds(app: QApplication) -> None:
    """Have the binding load all its kinds before anybody waits for a window.

    It does so at the first widget, and at the first other object, that Qt made: 15 to 20 ms each,
    at a key or in the middle of a sign-in if it is left to chance.
    """
    QScrollArea().viewport()
    app.children()


def let_go(widget: QWidget) -> None:
    """Delete `widget` in a moment, with all that the style keeps of its parts.

    A style sheet keeps its answers by widget until it hears that the widget is gone. Of parts
    it does not style (a viewport, what a combo box opens) it keeps an empty answer, a kilobyte
    each, and never listens: 15 KB a visit. A sheet of their own, and it listens to these too.
    Part by part, for the window has other things to do; hide the widget first.
    """
    unheard = [
        part
        for part in widget.findChildren(QWidget)
        if not part.testAttribute(Qt.WidgetAttribute.WA_StyleSheet)
    ]
    _let_go_with(widget, unheard)


def _let_go_with(widget: QWidget, unheard: list[QWidget]) -> None:
    if unheard:
        QTimer.singleShot(0, widget, partial(_tell_style, widget, unheard))
    else:
        widget.deleteLater()


def _tell_style(widget: QWidget, unheard: list[QWidget]) -> None:
    unheard.pop().setStyleSheet(SOME_SHEET)  # the innermost first
    _let_go_with(widget, unheard)


def clear(layout: QLayout) -> None:
    """Take everything out of `layout`, and out of the layouts inside it."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            let_go(widget)
        elif (inner := item.layout()) is not None:
            clear(inner)


def spread(widget: QWidget) -> QWidget:
    """Let `widget` take the width there is."""
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, widget.sizePolicy().verticalPolicy())
    return widget
