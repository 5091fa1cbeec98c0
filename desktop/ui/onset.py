"""How long ago a finding began, typed as people say it: "3", "2 semanas", "1 y"."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from desktop.presenters.entry import days_ago
from desktop.ui.i18n import translate
from desktop.ui.widgets import Spoken, column, field, message, plain_label, restyle, say


class OnsetRow(Spoken):
    """One line under the findings; `told(finding, days)` once Enter is pressed, None to clear."""

    told = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self._finding = self._name = ""
        self._asked = plain_label("small")
        self.text = field(
            self.texts,
            lambda: translate("Onset", "Desde hace cuánto"),
            lambda: translate("Onset", "3 d, 2 semanas, 1 mes, 1 año"),
        )
        self.text.returnPressed.connect(self._take)
        self._wrong = message("wrong")
        frame = QFrame()
        frame.setLayout(column(self._asked, self.text, self._wrong, gap=3))
        self.setLayout(column(frame))
        self.hide()

    def ask(self, finding: str, name: str, days: int | None) -> None:
        """Ask about `finding`, with what was said before."""
        self._finding, self._name = finding, name
        self.text.setText("" if days is None else str(days))
        self.text.selectAll()
        self.redraw()
        self.show()
        self.text.setFocus()

    def redraw(self) -> None:
        """Draw the question in the language of the window."""
        asked = translate("Onset", "{finding}: ¿desde hace cuánto? Vacío, no se sabe.")
        self._asked.setText(asked.format(finding=self._name) if self._name else "")
        say(self._wrong, "")
        restyle(self.text, "wrong", "false")

    def _take(self) -> None:
        typed = self.text.text().strip()
        days = days_ago(typed)
        if typed and days is None:
            say(self._wrong, translate("Onset", "Escriba un número y d, semanas, meses o años."))
            restyle(self.text, "wrong", "true")
            return
        self.hide()
        self.told.emit(self._finding, days)
