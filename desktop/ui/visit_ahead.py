"""The next visit, made part by part before anybody asks for it."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from desktop.ui.visit import VisitScreen
from desktop.ui.widgets import let_go

FIRST_PART_AFTER_MS = 250  # the list of patients is drawn and its search answers
NEXT_PART_AFTER_MS = 15  # a key pressed meanwhile comes first
Unmade = Callable[[], VisitScreen]


class VisitAhead(QObject):
    """Makes a visit's screen while the list of patients is shown, and hands it over.

    Made in one go it would hold the window for a tenth of a second. screen: as far as it is made.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.screen: VisitScreen | None = None
        self._wanted: Callable[[VisitScreen], None] | None = None
        self._turn = QTimer(self, singleShot=True)
        self._turn.timeout.connect(self._make_more)
        self._unmade: Unmade | None = None

    def begin(self, unmade: Unmade) -> None:
        """Make the first part in a moment, then one after another.

        unmade: returns a screen with all its parts still to be made.
        """
        self._unmade = unmade
        self._turn.start(FIRST_PART_AFTER_MS)

    def take(self, unmade: Unmade, show: Callable[[VisitScreen], None]) -> None:
        """Call `show` with the screen once it is whole: now, or a few turns of the loop from now.

        unmade: as for `begin`. Who asks meanwhile for another visit gets that one only.
        """
        self._unmade, self._wanted = unmade, show
        self._make_more()

    def nobody_waits(self) -> None:
        """Hand nothing over: who asked has gone elsewhere."""
        self._wanted = None

    def forget(self) -> None:
        """Let go of what is made, and make no more."""
        self._turn.stop()
        self._unmade = self._wanted = None
        if self.screen is not None:
            let_go(self.screen)
            self.screen = None

    def _make_more(self) -> None:
        if self._unmade is None:
            return
        made = self.screen
        if made is not None and not made.is_of_active_model:
            let_go(made)
            made = None
        if made is None:
            made = self.screen = self._unmade()
        if made.build_more():
            self._turn.start(0 if self._wanted else NEXT_PART_AFTER_MS)
        elif (show := self._wanted) is not None:
            self._turn.stop()
            self.screen = self._wanted = None
            show(made)
