"""Why a disease the clinician has in mind does not stand higher, and what would bring it up."""

from collections.abc import Callable
from typing import Final

from PySide6.QtWidgets import QWidget

from desktop.presenters.visit_state import VisitState, WhyNotAsked
from desktop.ui import keys
from desktop.ui.disease_field import DiseaseField, Names
from desktop.ui.i18n import translate
from desktop.ui.labels import Labels
from desktop.ui.widgets import Spoken, column, heading, message, say

COMPLETIONS: Final = 8


class WhyNotBox(Spoken):
    """A search by name, and one sentence."""

    def __init__(self, labels: Labels, dispatch: Callable[[object], None]) -> None:
        super().__init__()
        self._labels, self._dispatch = labels, dispatch
        self._state: VisitState | None = None
        self.disease = DiseaseField(
            labels,
            self.texts,
            lambda: translate("WhyNot", "Enfermedad por la que pregunta"),
            COMPLETIONS,
        )
        self.disease.textChanged.connect(lambda _text: self._ask())
        self.disease.returnPressed.connect(self._ask)
        self.answer = message("")
        self.setLayout(
            column(
                heading(
                    self.texts,
                    lambda: translate("WhyNot", "¿Por qué no…?"),
                    keys.shown(keys.WHY_NOT),
                ),
                self.disease,
                self.answer,
                gap=6,
            )
        )

    @property
    def last(self) -> QWidget:
        """The lowest thing there is to see."""
        return self.disease if self.answer.isHidden() else self.answer

    def know(self, names: Names) -> None:
        """Take names that were read beforehand."""
        self.disease.know(names)

    def _ask(self) -> None:
        typed = self.disease.disease
        if typed is not None and self._state is not None and typed != self._state.why_not_of:
            self._dispatch(WhyNotAsked(typed))

    def show_state(self, state: VisitState) -> None:
        """Draw `state`; there is nothing to ask before a list."""
        self._state = state
        self.setVisible(state.diagnosis is not None)
        say(self.answer, self._told(state))

    def _told(self, state: VisitState) -> str:
        if state.why_not_of is None:
            return ""
        if state.why_not is None:
            return translate("WhyNot", "Buscando el cambio más pequeño…")
        return self._labels.why_not(state.why_not)

    def redraw(self) -> None:
        """Draw again in another language; the name typed is of the old one."""
        self.disease.forget()
        if self._state is None:
            return
        asked = self._state.why_not_of
        self.disease.blockSignals(True)
        self.disease.setText("" if asked is None else self._labels.disease(asked))
        self.disease.blockSignals(False)
        self.show_state(self._state)
