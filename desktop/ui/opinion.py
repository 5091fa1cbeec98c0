"""My diagnosis first: what the clinician thinks, asked before the list is shown."""

from collections.abc import Callable
from typing import Final

from PySide6.QtWidgets import QFrame

from ddx.intake.draft import UNDECIDED
from desktop.presenters.visit_state import OpinionGiven, VisitState
from desktop.ui.disease_field import DiseaseField, Names
from desktop.ui.i18n import translate
from desktop.ui.labels import Labels
from desktop.ui.widgets import Spoken, button, card, column, label, row

COMPLETIONS: Final = 8


class OpinionBox(Spoken):
    """A disease by name, or none yet; either shows the list."""

    def __init__(self, labels: Labels, dispatch: Callable[[object], None]) -> None:
        super().__init__()
        self._dispatch = dispatch
        t = self.texts
        self.disease = DiseaseField(
            labels,
            t,
            lambda: translate("Opinion", "Su diagnóstico, antes de ver la lista"),
            COMPLETIONS,
        )
        self.disease.returnPressed.connect(self._give)
        self.give = button(t, lambda: translate("Opinion", "Ver la lista"), self._give, "primary")
        self.none = button(
            t,
            lambda: translate("Opinion", "Aún no pienso en ninguno"),
            lambda: dispatch(OpinionGiven(UNDECIDED)),
        )
        buttons = row(self.give, self.none)
        buttons.addStretch(1)
        inside = column(
            label(t, lambda: translate("Opinion", "Primero, su diagnóstico"), "section"),
            label(
                t,
                lambda: translate(
                    "Opinion",
                    "Diga en qué piensa usted; después aparece la lista. Queda guardado con ella.",
                ),
                "quiet",
            ),
            self.disease,
            buttons,
        )
        frame: QFrame = card(inside, 12)
        self.setLayout(column(frame))
        self.hide()

    def know(self, names: Names) -> None:
        """Take names that were read beforehand."""
        self.disease.know(names)

    def _give(self) -> None:
        if self.disease.choosing:
            return
        if (typed := self.disease.disease) is not None:
            self._dispatch(OpinionGiven(typed))
        else:
            self.disease.setFocus()

    def show_state(self, state: VisitState) -> None:
        """Show the question while it is asked, with the cursor in it."""
        asked_now = state.asking_opinion and self.isHidden()
        self.setVisible(state.asking_opinion)
        if asked_now:
            self.disease.clear()
            self.disease.setFocus()

    def redraw(self) -> None:
        """Forget the names of the other language."""
        self.disease.forget()
