"""The raw contributions of one candidate, for who wants to check the model: last of three layers."""

from typing import Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from ddx.domain.explanation import Explanation
from desktop.ui import words
from desktop.ui.finding_list import Index
from desktop.ui.i18n import Texts, translate
from desktop.ui.labels import Labels

ROWS_SHOWN: Final = 8  # then it scrolls


class NumbersModel(QAbstractTableModel):
    """What each input did to the margin (log-odds), with base and sum."""

    def __init__(self, labels: Labels, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._labels = labels
        self.rows: tuple[tuple[str, str, str], ...] = ()

    def show(self, explanation: Explanation) -> None:
        """Show another explanation: base, every contribution, margin."""
        self.beginResetModel()
        self.rows = (
            (translate("Numbers", "Punto de partida"), "", f"{explanation.base:+.3f}"),
            *(
                (
                    self._labels.subject(item.subject),
                    words.presence(item.presence).lower(),
                    f"{item.weight:+.3f}",
                )
                for item in explanation.contributions
            ),
            (translate("Numbers", "Suma"), "", f"{explanation.margin:+.3f}"),
        )
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        """Return how many lines there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- as above
        """Return three: what, how it was answered, its weight."""
        return 0 if parent.isValid() else 3

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one cell as text, aligned as numbers are; a screen reader gets the whole line."""
        line = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return line[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in line if part)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == 2:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the titles of the columns."""
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return (
            translate("Numbers", "Dato"),
            translate("Numbers", "Respuesta"),
            translate("Numbers", "Peso"),
        )[section]


class NumbersTable(QTableView):
    """The table, as high as its first lines."""

    def __init__(self, texts: Texts, labels: Labels) -> None:
        super().__init__()
        self.lines = NumbersModel(labels, self)
        self.setModel(self.lines)
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        texts.bind(
            self.setAccessibleName,
            lambda: translate("Numbers", "Peso de cada dato en el modelo (log-odds)"),
        )

    def show_explanation(self, explanation: Explanation) -> None:
        """Show the contributions of one candidate."""
        self.lines.show(explanation)
        self.resizeRowsToContents()
        rows = min(self.lines.rowCount(), ROWS_SHOWN)
        height = self.horizontalHeader().sizeHint().height() + sum(map(self.rowHeight, range(rows)))
        self.setFixedHeight(height + 6)
