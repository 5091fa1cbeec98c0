"""A list of findings with three keys per line: present, absent, not known.

The same list serves the search results, what was entered, and what is expected but not asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ddx.domain.finding import Presence, Severity
from desktop.ui import paint, words
from desktop.ui.i18n import translate
from desktop.ui.theme import colours

LINE = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex
OF_TEN = "\u2060/\u206010"  # word joiners: an intensity is never split over two lines
STATES = (Presence.PRESENT, Presence.EXCLUDED, Presence.UNKNOWN)
KEYS = {
    Qt.Key.Key_P: Presence.PRESENT,
    Qt.Key.Key_Return: Presence.PRESENT,
    Qt.Key.Key_Enter: Presence.PRESENT,
    Qt.Key.Key_A: Presence.EXCLUDED,
    Qt.Key.Key_U: Presence.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """presence: None when the finding was not entered. graded: takes an intensity 0..10.

    onset_days: days since it began, None when nobody said.
    """

    id: str
    label: str
    presence: Presence | None = None
    graded: bool = False
    grade: float | None = None
    severity: Severity | None = None
    onset_days: int | None = None

    @property
    def spoken(self) -> str:
        """What a screen reader says."""
        parts = [self.label]
        if self.presence is not None:
            parts.append(words.presence(self.presence).lower())
        if self.grade is not None:
            parts.append(translate("Findings", "intensidad {n} de 10").format(n=f"{self.grade:g}"))
        parts += self._qualities
        return ", ".join(parts)

    @property
    def shown(self) -> str:
        """Label with its intensity, when it takes one."""
        parts = [self.label]
        if self.grade is not None:
            parts.append(f"{self.grade:g}{OF_TEN}")
        elif self.graded and self.presence is Presence.PRESENT:
            parts.append(f"?{OF_TEN}")
        return " · ".join((*parts, *self._qualities))

    @property
    def _qualities(self) -> list[str]:
        said = [] if self.severity is None else [words.severity(self.severity)]
        if self.onset_days is not None:
            said.append(words.since(self.onset_days))
        return said


class FindingModel(QAbstractListModel):
    """The lines of one list."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: tuple[FindingLine, ...] = ()

    def show(self, lines: Sequence[FindingLine]) -> None:
        """Show `lines`; the same ids in the same order keep the selection."""
        fresh = tuple(lines)
        if fresh == self.lines:
            return
        if [line.id for line in fresh] == [line.id for line in self.lines]:
            self.lines = fresh
            self.dataChanged.emit(self.index(0), self.index(len(fresh) - 1))
            return
        self.beginResetModel()
        self.lines = fresh
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        """Return how many lines there are."""
        return 0 if parent.isValid() else len(self.lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one line: itself, as text, or as a screen reader says it."""
        line = self.lines[index.row()]
        if role == LINE:
            return line
        if role == Qt.ItemDataRole.DisplayRole:
            return line.shown
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return line.spoken
        return None


def segment_boxes(row: QRect, font: QFont) -> tuple[QRect, ...]:
    """Return where the three keys of a row are, left to right."""
    width, height = round(font.pixelSize() * 2.2), round(font.pixelSize() * 1.75)
    top = row.center().y() - height // 2
    right = row.right() - 8
    return tuple(QRect(right - width * n - 4 * (n - 1), top, width, height) for n in (3, 2, 1))


def segment_texts() -> tuple[str, str, str]:
    """Return what the three keys say."""
    return translate("Findings", "Sí"), translate("Findings", "No"), "?"


class FindingDelegate(QStyledItemDelegate):
    """Draws one finding and its three keys."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row."""
        line: FindingLine = index.data(LINE)
        boxes = segment_boxes(option.rect, option.font)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        led = isinstance(option.widget, FindingList) and option.widget.led
        if led or option.state & QStyle.StateFlag.State_HasFocus:
            paint.row_ground(painter, option)
        text = option.rect.adjusted(14, 0, 0, 0)
        text.setRight(boxes[0].left() - 8)
        c = colours()
        quiet = line.presence in (Presence.EXCLUDED, Presence.UNKNOWN)
        paint.write(painter, text, line.shown, option.font, c.quiet if quiet else c.ink)
        for box, word, state in zip(boxes, segment_texts(), STATES, strict=True):
            paint.segment(painter, box, word, option.font, state.value, on=line.presence is state)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of one or two lines of text."""
        line: FindingLine = index.data(LINE)
        view = option.widget
        width = view.viewport().width() if isinstance(view, QListView) else 300
        keys = width - segment_boxes(QRect(0, 0, width, 10), option.font)[0].left()
        text = paint.wrapped_height(line.shown, option.font, width - keys - 24)
        return QSize(0, max(text + 10, round(option.font.pixelSize() * 2.3)))


class FindingList(QListView):
    """The list: P, A, U mark; Space cycles; S weighs; D dates; Del removes; 0-9 grade.

    The three states can be clicked as well. led: moved by another control, which keeps the focus;
    any other list shows where it stands only while the keys are its own.
    """

    marked = Signal(str, object)
    cycled = Signal(str)
    graded = Signal(str, int)
    weighed = Signal(str)
    dated = Signal(str)
    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, led: bool = False) -> None:
        super().__init__(parent)
        self.led = led
        self.lines = FindingModel(self)
        self.setModel(self.lines)
        self.setItemDelegate(FindingDelegate(self))
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)

    def show_lines(self, lines: Sequence[FindingLine]) -> None:
        """Show `lines` and keep the current row where it was."""
        row = self.currentIndex().row()
        names = [line.shown for line in self.lines.lines]
        self.lines.show(lines)
        if names != [line.shown for line in self.lines.lines]:
            self.doItemsLayout()  # a longer name may take a second line
        if self.lines.rowCount() and not self.currentIndex().isValid():
            kept = min(max(row, 0), self.lines.rowCount() - 1)
            self.setCurrentIndex(self.lines.index(kept))

    def current(self) -> FindingLine | None:
        """Return the line the keys act on."""
        index = self.currentIndex()
        return self.lines.lines[index.row()] if index.isValid() else None

    def move(self, steps: int) -> None:  # type: ignore[override]
        """Move the current row; used by the search field, which keeps the focus."""
        count = self.lines.rowCount()
        if count:
            row = (self.currentIndex().row() + steps) % count
            self.setCurrentIndex(self.lines.index(row))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Act on the current line."""
        line = self.current()
        if line is None or not self._act(line, event):
            super().keyPressEvent(event)

    def _act(self, line: FindingLine, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        ):
            return False
        if key in KEYS:
            self.marked.emit(line.id, KEYS[key])
        elif key is Qt.Key.Key_Space:
            self.cycled.emit(line.id)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(line.id)
        elif key is Qt.Key.Key_S:
            self.weighed.emit(line.id)
        elif key is Qt.Key.Key_D:
            self.dated.emit(line.id)
        elif line.graded and event.text().isdecimal():
            self.graded.emit(line.id, int(event.text()))
        else:
            return False
        return True

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Mark when one of the three keys of a row is clicked."""
        index = self.indexAt(event.position().toPoint())
        if index.isValid():
            boxes = segment_boxes(self.visualRect(index), self.font())
            for box, state in zip(boxes, STATES, strict=True):
                if box.contains(event.position().toPoint()):
                    self.marked.emit(self.lines.lines[index.row()].id, state)
                    return
        super().mouseReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the keys again in another language or type size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.FontChange):
            self.scheduleDelayedItemsLayout()
