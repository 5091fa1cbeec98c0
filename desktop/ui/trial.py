"""What if: the bar that says that nothing is being recorded, and the two ways out of it."""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame

from desktop.presenters.visit_state import TrialDropped, TrialKept
from desktop.ui import keys
from desktop.ui.i18n import Texts, translate
from desktop.ui.widgets import button, column, label, row


class TrialBar(QFrame):
    """Shown while the keys act on a copy of the findings."""

    def __init__(self, texts: Texts, dispatch: Callable[[object], None]) -> None:
        super().__init__()
        self.setObjectName("trial")
        said = label(
            texts,
            lambda: translate(
                "Trial",
                "¿Y si…? Cambie hallazgos y mire cómo se mueve la lista. Nada de esto se anota.",
            ),
        )
        self.keep = button(
            texts,
            lambda: translate("Trial", "Anotarlo  {key}").format(key=keys.shown(keys.KEEP)),
            lambda: dispatch(TrialKept()),
        )
        self.drop = button(
            texts,
            lambda: translate("Trial", "Dejarlo como estaba  {key}").format(
                key=keys.shown(keys.BACK)
            ),
            lambda: dispatch(TrialDropped()),
            "plain",
        )
        buttons = row(self.keep, self.drop)
        buttons.addStretch(1)
        self.setLayout(column(said, buttons, gap=6, margin=10))
        self.hide()
