"""The ranked differential: rank, name, band bar and word, common or rare, how it moved."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ddx.domain.differential import Candidate, World
from ddx.domain.identifiers import DiseaseId
from desktop.presenters.likelihood import BAND_STEPS, natural_frequency
from desktop.presenters.moves import Move
from desktop.ui import paint, words
from desktop.ui.finding_list import LINE, Index
from desktop.ui.i18n import translate
from desktop.ui.theme import colours

GRAVE_UP_TO = 2  # severity 1 and 2 of 5, the two most severe grades
APART = 14  # pixels between two things said of a candidate


@dataclass(frozen=True, slots=True)
class Piece:
    """A few words in one colour of the palette."""

    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """A candidate with its name in the language of the window.

    kept: it cannot be set aside with what is known. move: since the list before; None if none.
    """

    candidate: Candidate
    name: str
    kept: bool = False
    move: Move | None = None

    @property
    def likelihood(self) -> str:
        """Band as a word and natural frequency."""
        return " · ".join(self._odds)

    @property
    def _odds(self) -> tuple[str, str]:
        c = self.candidate
        return words.band(c.band), words.frequency(natural_frequency(c.probability))

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What stands beside the bar, left to right; each one stays whole on its line."""
        band, frequency = self._odds
        said = [Piece(f"{band} ·", "quiet"), Piece(frequency, "quiet")]
        if self.move is not None:
            up = self.move.steps is None or self.move.steps >= 0
            said.append(Piece(words.move(self.move), "accent" if up else "against"))
        if self.kept:
            said.append(Piece(_kept(), "against"))
        return tuple(said)

    @property
    def grave(self) -> bool:
        """Whether the disease itself is among the most severe."""
        severity = self.candidate.severity
        return severity is not None and severity <= GRAVE_UP_TO

    @property
    def spoken(self) -> str:
        """What a screen reader says."""
        c = self.candidate
        parts = [f"{c.rank}. {self.name}", self.likelihood, words.world(c.world)]
        if self.grave:
            parts.append(_grave())
        if self.kept:
            parts.append(_kept())
        if self.move is not None:
            parts.append(words.move(self.move, spoken=True))
        return ". ".join(parts)


class CandidateModel(QAbstractListModel):
    """The candidates by rank."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: tuple[CandidateLine, ...] = ()

    def show(self, lines: Sequence[CandidateLine]) -> None:
        """Show another differential."""
        self.beginResetModel()
        self.lines = tuple(lines)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        """Return how many candidates there are."""
        return 0 if parent.isValid() else len(self.lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one line: itself, its name, or as a screen reader says it."""
        line = self.lines[index.row()]
        if role == LINE:
            return line
        if role == Qt.ItemDataRole.DisplayRole:
            return line.name
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return line.spoken
        return None


@dataclass(frozen=True, slots=True)
class Measured:
    """What a row needs at one width. height: pixels; under: each piece beside or below the bar.

    Positions: x in pixels from the left of the bar, y in lines.
    """

    height: int
    under: tuple[tuple[Piece, QPoint], ...]


class CandidateDelegate(QStyledItemDelegate):
    """Draws rank, name and badge above, bar and words below.

    A row is measured once: Qt asks for the height of every row each time it lays the list out,
    some five times for one answer.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._measured: dict[tuple[int, int, int], Measured] = {}

    def forget(self) -> None:
        """Measure anew: the rows, or the language, are others."""
        self._measured.clear()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row."""
        line: CandidateLine = index.data(LINE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.row_ground(painter, option)
        measured = self._measure(line, index.row(), option.rect.width(), option.font)
        small = paint.sized(option.font, 0.86)
        name, under = self._boxes(option.rect, option.font, _under_height(measured.under, small))
        c = colours()
        rank = QRect(option.rect.left() + 10, name.top(), _rank_width(option.font), name.height())
        rank_flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        paint.write(painter, rank, str(line.candidate.rank), option.font, c.quiet, flags=rank_flags)
        is_rare = line.candidate.world is World.RARE
        badge = paint.badge(
            painter,
            (option.rect.right() - 10, name.center().y()),
            words.world(line.candidate.world),
            small,
            rare=is_rare,
        )
        name = name.adjusted(0, 0, -badge - 8, 0)
        if line.grave:
            name = name.adjusted(0, 0, -self._draw_grave(painter, name, small), 0)
        bold = paint.sized(option.font, 1.0, QFont.Weight.DemiBold)
        paint.write(painter, name, line.name, bold, c.ink)
        self._draw_likelihood(painter, under, line, small, measured)
        painter.restore()

    def _draw_grave(self, painter: QPainter, box: QRect, font: QFont) -> int:
        strong = paint.sized(font, 1.0, QFont.Weight.DemiBold)
        text = _grave()
        width = QFontMetrics(strong).horizontalAdvance(text) + 4
        at = QRect(box.right() - width, box.top(), width, box.height())
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        paint.write(painter, at, text, strong, colours().danger, flags=right)
        return width + 8

    def _draw_likelihood(
        self, painter: QPainter, box: QRect, line: CandidateLine, font: QFont, measured: Measured
    ) -> None:
        height = _line_height(font)
        bar = QRect(box.left(), box.top() + height // 2 - 3, _bar_width(font), 7)
        paint.band_bar(painter, bar, BAND_STEPS[line.candidate.band])
        one_line = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for piece, at in measured.under:
            where = QRect(box.left() + at.x(), box.top() + at.y() * height, box.width(), height)
            where.setRight(box.right() + 2)
            colour = getattr(colours(), piece.colour)
            paint.write(painter, where, piece.text, font, colour, flags=one_line)

    def _boxes(self, row: QRect, font: QFont, under_height: int) -> tuple[QRect, QRect]:
        left = row.left() + 10 + _rank_width(font) + 10
        name = QRect(left, row.top() + 7, row.right() - 10 - left, row.height() - under_height - 14)
        under = QRect(left, name.bottom() + 2, name.width(), under_height)
        return name, under

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of a name on one or two lines plus its bar."""
        view = option.widget
        width = view.viewport().width() if isinstance(view, QListView) else 360
        measured = self._measure(index.data(LINE), index.row(), width, option.font)
        return QSize(0, measured.height)

    def _measure(self, line: CandidateLine, row: int, width: int, font: QFont) -> Measured:
        asked = (row, width, font.pixelSize())
        if (known := self._measured.get(asked)) is not None:
            return known
        small = paint.sized(font, 0.86)
        badge = QFontMetrics(small).horizontalAdvance(words.world(line.candidate.world)) + 24
        bold = paint.sized(font, 1.0, QFont.Weight.DemiBold)
        grave = QFontMetrics(bold).horizontalAdvance(_grave()) + 12 if line.grave else 0
        inside = width - 31 - _rank_width(font)
        name = paint.wrapped_height(line.name, bold, inside - badge - grave)
        under = _flow(line.pieces, small, inside)
        measured = Measured(name + _under_height(under, small) + 18, under)
        self._measured[asked] = measured
        return measured


def _bar_width(font: QFont) -> int:
    return round(font.pixelSize() * 4.5)


def _line_height(font: QFont) -> int:
    return round(font.pixelSize() * 1.75)


def _under_height(under: Sequence[tuple[Piece, QPoint]], font: QFont) -> int:
    return _line_height(font) * (1 + max(at.y() for _, at in under))


def _rank_width(font: QFont) -> int:
    return QFontMetrics(font).horizontalAdvance("00")


def _flow(pieces: Sequence[Piece], font: QFont, width: int) -> tuple[tuple[Piece, QPoint], ...]:
    """Place the pieces after the bar, and on further lines where they do not fit."""
    metrics = QFontMetrics(font)
    x, y, placed = _bar_width(font) + 10, 0, []
    for place, piece in enumerate(pieces):
        needed = metrics.horizontalAdvance(piece.text) + 1
        if x + needed > width and x > 0:
            x, y = 0, y + 1
        placed.append((piece, QPoint(x, y)))
        x += needed + (metrics.horizontalAdvance(" ") if place == 0 else APART)
    return tuple(placed)


def _grave() -> str:
    return translate("Differential", "Grave")


def _kept() -> str:
    return translate("Differential", "No se puede descartar")


class CandidateList(QListView):
    """The list; moving through it selects a candidate."""

    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selected: DiseaseId | None = None
        self.lines = CandidateModel(self)
        self.setModel(self.lines)
        self._drawing = CandidateDelegate(self)
        self.setItemDelegate(self._drawing)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def sizeHint(self) -> QSize:
        """Ask for no more height than is needed; what there is, the layout gives."""
        asked = super().sizeHint()
        return QSize(asked.width(), self.minimumHeight() or asked.height())

    def show_lines(self, lines: Sequence[CandidateLine], selected: DiseaseId | None) -> None:
        """Show `lines` with `selected` current."""
        self._selected = selected
        if tuple(lines) != self.lines.lines:
            self._drawing.forget()
            self.lines.show(lines)
        row = next((i for i, x in enumerate(lines) if x.candidate.disease == selected), -1)
        if row != self.currentIndex().row():
            self.setCurrentIndex(self.lines.index(row) if row >= 0 else QModelIndex())

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Report the candidate under the cursor."""
        super().currentChanged(current, previous)
        if not current.isValid():
            return
        disease = self.lines.lines[current.row()].candidate.disease
        if disease != self._selected:  # moved by the clinician, not by show_lines
            self.picked.emit(disease)

    def changeEvent(self, event: QEvent) -> None:
        """Measure the rows again in another language or type size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.FontChange):
            self._drawing.forget()
            self.scheduleDelayedItemsLayout()
