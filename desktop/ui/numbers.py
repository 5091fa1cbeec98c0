"""The raw contributions of one candidate: the last of three layers, to check the model with."""

from typing import Final

from PySide6.QtCore import Qt

from ddx.domain.explanation import Explanation
from desktop.ui import words
from desktop.ui.i18n import Texts, translate
from desktop.ui.labels import Labels
from desktop.ui.table import TextTable

ROWS_SHOWN: Final = 8  # then it scrolls


class NumbersTable(TextTable):
    """What each input did to the margin (log-odds), between where it began and the sum."""

    def __init__(self, texts: Texts, labels: Labels) -> None:
        super().__init__(
            texts,
            lambda: translate("Numbers", "Peso de cada dato en el modelo (log-odds)"),
            (
                lambda: translate("Numbers", "Peso"),
                lambda: translate("Numbers", "Respuesta"),
                lambda: translate("Numbers", "Dato"),
            ),
        )
        self._labels = labels
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_explanation(self, explanation: Explanation) -> None:
        """Show base, every contribution and margin of one candidate."""
        self.show_rows(
            (
                (words.weight(explanation.base), "", translate("Numbers", "Punto de partida")),
                *(
                    (
                        words.weight(item.weight),
                        words.presence(item.presence).lower(),
                        self._labels.subject(item.subject),
                    )
                    for item in explanation.contributions
                ),
                (words.weight(explanation.margin), "", translate("Numbers", "Suma")),
            )
        )
        rows = min(self.lines.rowCount(), ROWS_SHOWN)
        height = self.horizontalHeader().sizeHint().height() + sum(map(self.rowHeight, range(rows)))
        self.setFixedHeight(height + 6)
