"""F1: the map of keys."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.ui import keys
from desktop.ui.i18n import Texts, translate
from desktop.ui.widgets import Passing, button, column, label, plain_label, row, tall

WIDE = 1260  # pixels of the window from which three columns fit


class KeyMap(Passing):
    """Every key and what it does; built anew each time, so always in the current language."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        texts = Texts()
        title = translate("Keys", "Mapa de teclas")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        groups = [self._group(texts, *section) for section in keys.SECTIONS]
        wide = parent is not None and parent.width() >= WIDE
        columns = (
            row(*(column(group) for group in groups), gap=24)
            if wide
            else row(column(groups[0]), column(groups[1], groups[2], gap=18), gap=36)
        )
        for i in range(columns.count()):
            columns.itemAt(i).layout().addStretch(1)  # type: ignore[union-attr]
        inside = QWidget()
        inside.setLayout(columns)
        close = button(texts, lambda: translate("Keys", "Cerrar"), self.accept, "primary")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(14)
        outer.addWidget(label(texts, lambda: translate("Keys", "Mapa de teclas"), "title"))
        area = tall(inside)
        area.read(texts, lambda: translate("Keys", "Mapa de teclas"))
        outer.addWidget(area, 1)
        outer.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self._texts = texts
        self.resize(1240 if wide else 920, 610)
        close.setFocus()

    def _group(self, texts: Texts, title: str, entries: tuple[keys.Key, ...]) -> QWidget:
        group = QWidget()
        grid = QGridLayout(group)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, round(self.fontMetrics().height() * 6.5))
        grid.addWidget(label(texts, lambda: keys.section(title), "section"), 0, 0, 1, 2)
        for line, key in enumerate(entries, start=1):
            cap = plain_label("cap")
            cap.setWordWrap(False)
            cap.setText(keys.shown(key))
            cap.setAlignment(Qt.AlignmentFlag.AlignCenter)
            does = plain_label()
            does.setText(keys.does(key))
            grid.addWidget(cap, line, 0)
            grid.addWidget(does, line, 1)
        return group
