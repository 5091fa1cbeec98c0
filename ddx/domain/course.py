"""How a long piece of work goes: how far it is, and whether somebody wants it to end.

Whoever asks for the work keeps its `Course`; the work calls `at` wherever it can end with nothing
half done. No clock and no thread of its own: `stop` may be called from any thread.
"""

from collections.abc import Callable
from threading import Event
from typing import ClassVar, Final

from ddx.errors import DdxError

OnProgress = Callable[[int, int], None]
"""Called with what is done and what there is in all, 0 in all where nobody knows; on the thread
that works. It may raise `StoppedError`: `Course.at` is one."""


class StoppedError(DdxError):
    """Somebody asked the work to end early. What it had begun was undone, or goes on next time."""

    code: ClassVar[str] = "work.stopped"
    retryable: ClassVar[bool] = True


def _untold(_done: int, _total: int) -> None:
    pass


class Course:
    """The course of one piece of work."""

    def __init__(self, told: OnProgress = _untold) -> None:
        """Bind who is told of progress, on the thread that works."""
        self._told, self._wanted, self._last = told, Event(), False

    def stop(self) -> None:
        """Ask the work to end early; without effect in its last step."""
        self._wanted.set()

    @property
    def may_stop(self) -> bool:
        """Whether asking still helps: not yet asked, and not in the last step."""
        return not self._last and not self._wanted.is_set()

    @property
    def in_last_step(self) -> bool:
        """Whether what goes on now cannot be ended: it is short, and whole or not at all."""
        return self._last

    def may_go_on(self) -> bool:
        """Return False once the work should end; for what asks again and again."""
        return self._last or not self._wanted.is_set()

    def at(self, done: int = 0, total: int = 0) -> None:
        """Tell how far the work is; a total of 0 is not known. Raises StoppedError when asked."""
        if not self.may_go_on():
            raise StoppedError("ended on request")
        self._told(done, total)

    def last_step(self) -> None:
        """Begin what cannot be ended any more, or raise StoppedError when that was asked before."""
        if not self.may_go_on():
            raise StoppedError("ended on request")
        self._last = True
        self._told(0, 0)


UNWATCHED: Final = Course()
"""The course of work that nobody looks at and nobody ends."""
