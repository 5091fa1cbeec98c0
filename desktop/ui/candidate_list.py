"""The ranked differential: rank, name, band bar and word, common or rare."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ddx.domain.differential import Candidate, World
from ddx.domain.identifiers import DiseaseId
from desktop.presenters.likelihood import BAND_STEPS, natural_frequency
from desktop.ui import paint, words
from desktop.ui.finding_list import LINE, Index
from desktop.ui.i18n import translate
from desktop.ui.theme import colours

GRAVE_UP_TO = 2  # severity 1 and 2 of 5, the two most severe grades


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """A candidate with its name in the language of the window.

    kept: it cannot be set aside with what is known.
    """

    candidate: Candidate
    name: str
    kept: bool = False

    @property
    def likelihood(self) -> str:
        """Band as a word and natural frequency."""
        c = self.candidate
        return f"{words.band(c.band)} · {words.frequency(natural_frequency(c.probability))}"

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


class CandidateDelegate(QStyledItemDelegate):
    """Draws rank, name and badge above, bar and words below."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row."""
        line: CandidateLine = index.data(LINE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.row_ground(painter, option)
        name, under = self._boxes(option.rect, option.font)
        c = colours()
        rank = QRect(
            option.rect.left() + 10, name.top(), self._rank_width(option.font), name.height()
        )
        rank_flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        paint.write(painter, rank, str(line.candidate.rank), option.font, c.quiet, flags=rank_flags)
        small = paint.sized(option.font, 0.86)
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
        self._draw_likelihood(painter, under, line, small)
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
        self, painter: QPainter, box: QRect, line: CandidateLine, font: QFont
    ) -> None:
        c = colours()
        bar_width = round(font.pixelSize() * 4.5)
        bar = QRect(box.left(), box.center().y() - 3, bar_width, 7)
        paint.band_bar(painter, bar, BAND_STEPS[line.candidate.band])
        text = box.adjusted(bar_width + 10, 0, 0, 0)
        if line.kept:
            text = text.adjusted(0, 0, -self._draw_kept(painter, box, font), 0)
        one_line = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        shown = QFontMetrics(font).elidedText(
            line.likelihood, Qt.TextElideMode.ElideRight, text.width()
        )
        paint.write(painter, text, shown, font, c.quiet, flags=one_line)

    def _draw_kept(self, painter: QPainter, box: QRect, font: QFont) -> int:
        width = QFontMetrics(font).horizontalAdvance(_kept()) + 4
        at = QRect(box.right() - width, box.top(), width, box.height())
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        paint.write(painter, at, _kept(), font, colours().against, flags=right)
        return width + 8

    def _rank_width(self, font: QFont) -> int:
        return QFontMetrics(font).horizontalAdvance("00")

    def _boxes(self, row: QRect, font: QFont) -> tuple[QRect, QRect]:
        left = row.left() + 10 + self._rank_width(font) + 10
        under_height = round(font.pixelSize() * 1.5)
        name = QRect(left, row.top() + 7, row.right() - 10 - left, row.height() - under_height - 14)
        under = QRect(left, name.bottom() + 2, name.width(), under_height)
        return name, under

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of a name on one or two lines plus its bar."""
        line: CandidateLine = index.data(LINE)
        view = option.widget
        width = view.viewport().width() if isinstance(view, QListView) else 360
        small = paint.sized(option.font, 0.86)
        badge = QFontMetrics(small).horizontalAdvance(words.world(line.candidate.world)) + 24
        bold = paint.sized(option.font, 1.0, QFont.Weight.DemiBold)
        grave = QFontMetrics(bold).horizontalAdvance(_grave()) + 12 if line.grave else 0
        text_width = width - 40 - self._rank_width(option.font) - badge - grave
        name = paint.wrapped_height(line.name, bold, text_width)
        return QSize(0, name + round(option.font.pixelSize() * 1.5) + 18)


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
        self.setItemDelegate(CandidateDelegate(self))
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_lines(self, lines: Sequence[CandidateLine], selected: DiseaseId | None) -> None:
        """Show `lines` with `selected` current."""
        self._selected = selected
        if tuple(lines) != self.lines.lines:
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
