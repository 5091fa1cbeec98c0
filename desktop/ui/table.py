"""A table to read: rows of text in a model, columns as wide as they need, the last one the rest."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.ui.finding_list import Index
from desktop.ui.i18n import Texts
from desktop.ui.widgets import Text

Row = tuple[str, ...]


class TextModel(QAbstractTableModel):
    """Rows of text under titles."""

    def __init__(self, titles: Sequence[Text], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._titles = tuple(titles)
        self.rows: tuple[Row, ...] = ()

    def show(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        if tuple(rows) == self.rows:
            return
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def say_again(self) -> None:
        """Say the titles in the language of the window."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self._titles) - 1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- as above
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self._titles)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one cell; a screen reader gets it with its title, and the first with its row."""
        row, text = self.rows[index.row()], self.rows[index.row()][index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            if index.column() == 0:
                return ". ".join(part for part in row if part)
            return f"{self._titles[index.column()]()}: {text}"
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the titles of the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._titles[section]()
        return None


class TextTable(QTableView):
    """The table; one row is current, and Tab leaves it."""

    picked = Signal(int)

    def __init__(
        self, texts: Texts, name: Text, titles: Sequence[Text], parent: QWidget | None = None
    ) -> None:
        """Make the table. parent: where it will stand; elsewhere it would be dressed twice."""
        super().__init__(parent)
        self.lines = TextModel(titles, self)
        self.setModel(self.lines)
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        texts.bind(self.setAccessibleName, name)
        say_titles: Callable[[str], object] = lambda _text: self.lines.say_again()  # noqa: E731
        texts.bind(say_titles, name)

    def give_room_to(self, column: int) -> None:
        """Let one column take the rest of the width, and end in an ellipsis before the others."""
        header = self.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.setWordWrap(False)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show `rows`; the current row stays where it was."""
        place = self.currentIndex().row()
        self.lines.show(rows)
        if rows and not self.currentIndex().isValid():
            self.setCurrentIndex(self.lines.index(min(max(place, 0), len(rows) - 1), 0))

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Report the row under the cursor."""
        super().currentChanged(current, previous)
        if current.isValid() and current.row() != previous.row():
            self.picked.emit(current.row())
