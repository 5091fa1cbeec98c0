"""A screen: a presenter's state, drawn; its effects, performed. The loop is here, once."""

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from ddx.errors import DdxError
from desktop.presenters.reducer import Effect, Reducer, Refusal
from desktop.ui.jobs import Jobs, Lane, Work
from desktop.ui.widgets import Spoken

T = TypeVar("T")


def refusal_of(error: DdxError) -> Refusal:
    """Return an error as a presenter may keep it: its code, never its text."""
    return Refusal(error.code)


class Screen(Spoken):
    """Base of every screen.

    Subclasses set `reducer`, `state` and `_performers` (effect type -> method), then draw
    `state` in `redraw`.
    """

    reducer: Reducer[Any]
    state: Any

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.jobs = jobs
        self.setObjectName("page")
        self._performers: dict[type, Callable[[Any], object]] = {}

    def ask(
        self,
        work: Callable[[], T],
        done: Callable[[T], object],
        failed: Callable[[DdxError], object],
        lane: Lane = Lane.STORE,
        about: Work | None = None,
    ) -> None:
        """Queue `work` as `Jobs.run`; a screen that is gone by then is told nothing."""
        self.jobs.run(work, self.while_here(done), self.while_here(failed), lane, about)

    def while_here(self, tell: Callable[[T], object]) -> Callable[[T], None]:
        """Return `tell` as it is to be called later: without effect once the screen is gone."""

        def told(answer: T) -> None:
            if isValid(self):
                tell(answer)

        return told

    def dispatch(self, event: object) -> None:
        """Let the presenter answer `event`, draw, then perform what it asks for.

        An answer that arrives after the screen was taken down has nobody left to tell: what it
        reports is stored already, and signing out saved what was typed.
        """
        if not isValid(self):
            return
        self.state, effects = self.reducer(self.state, event)
        self.redraw()
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        self._performers[type(effect)](effect)
