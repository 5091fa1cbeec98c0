"""Keys by chance on every screen: nothing may fail behind them, nothing typed may be lost.

    python -m benchmarks.monkey --seeds 1 2 3 --keys 3000

The composed application on an encrypted demonstration clinic. Keys of the F1 map, letters, words,
buttons, sizes of the window, languages and type sizes come in an order that the seed decides; when
an answer arrives the machine decides, so that no two runs are quite the same. Told, with the keys
before it: an exception behind a key or an answer, a draft on disk that is not the one on screen,
an audit chain that does not verify. Any of them makes the result 1.
"""

import argparse
import logging
import random
import sys
import tempfile
import traceback
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtPrintSupport import QPrintDialog
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QPushButton, QWidget
from shiboken6 import isValid

from benchmarks.gaps import Gaps
from benchmarks.screen import OFFICES, Hands, application, breathe, wait
from ddx.domain.roles import Role
from desktop.presenters.sign_in import Mode
from desktop.services.demo import PASSPHRASE
from desktop.ui.i18n import Language
from desktop.ui.patients import PatientsScreen
from desktop.ui.sign_in import SignInScreen
from desktop.ui.visit import VisitScreen

if TYPE_CHECKING:
    from desktop.ui.window import MainWindow

Key = Qt.Key
PLAIN: Final = (
    *(Key.Key_Return, Key.Key_Escape, Key.Key_Tab, Key.Key_Backtab, Key.Key_Space),
    *(Key.Key_Up, Key.Key_Down, Key.Key_Left, Key.Key_Right, Key.Key_Home, Key.Key_End),
    *(Key.Key_PageDown, Key.Key_Delete, Key.Key_Backspace),
    *(Key.Key_P, Key.Key_A, Key.Key_U, Key.Key_S, Key.Key_D, Key.Key_0, Key.Key_5, Key.Key_9),
    *(Key(Key.Key_F1.value + n) for n in range(12)),
)
WITH_CONTROL: Final = tuple(Key(ord(letter)) for letter in "1234BDEFGHKLNPRSTW")
WORDS: Final = ("fiebre", "tos", "dolor", "naus", "disnea", "erup", "12", "38,5", "av", "3")
SCALES: Final = (1.0, 1.25, 1.5, 2.0)
PAUSES_MS: Final = (1, 1, 2, 5, 20, 60)
ROLES: Final = (Role.MEDICO_GENERAL, Role.AUDITOR)  # beside the one who manages
LOOKS_EVERY: Final = 15  # keys, at the draft on disk
TOLD: Final = 25  # keys before a fault


class Faults(logging.Handler):
    """Whatever failed, with the keys before it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.keys: deque[str] = deque(maxlen=TOLD)
        self.found = 0

    def say(self, what: str) -> None:
        """Count and print one."""
        self.found += 1
        print(f"\nFAULT after {' '.join(self.keys)}\n{what}", file=sys.stderr, flush=True)

    def raised(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Take the place of `sys.excepthook`: an exception behind a key or an answer."""
        self.say("".join(traceback.format_exception(kind, error, trace)))

    def emit(self, record: logging.LogRecord) -> None:
        """Take a warning of the application's log."""
        self.say(f"log: {record.getMessage()}")


class Monkey(Hands):
    """Presses keys by chance."""

    def __init__(self, window: "MainWindow", seed: int, faults: Faults, folder: Path) -> None:
        super().__init__(window, Gaps())
        self.chance, self.faults = random.Random(seed), faults
        self.screens: Counter[str] = Counter()
        self.drafts = 0
        QFileDialog.getSaveFileName = lambda *_: self._file(folder)  # type: ignore[assignment,method-assign]
        QFileDialog.getOpenFileName = lambda *_: ("", "")  # type: ignore[assignment,method-assign]
        QFileDialog.getExistingDirectory = lambda *_: ""  # type: ignore[assignment,method-assign]

    def _file(self, folder: Path) -> tuple[str, str]:
        return (
            (str(folder / f"out-{self.chance.randrange(4)}"), "") if self._often(0.7) else ("", "")
        )

    def _often(self, share: float) -> bool:
        return self.chance.random() < share

    def go(self, keys: int) -> None:
        """Press that many keys, from the sign-in on, as one person of the clinic or another.

        The print dialog is Qt's own, and waits for a person inside its buttons: it is closed.
        """
        self.sign_in()
        if (session := self.window._session) is not None:  # noqa: SLF001
            for role in ROLES:
                session.staff.add(PASSPHRASE, role.value, role, PASSPHRASE)
        for number in range(1, keys + 1):
            shown, front = self.window.screen_shown, QApplication.activeModalWidget()
            self.screens[type(shown).__name__] += 1
            if front is not None and (isinstance(front, QPrintDialog) or self._often(0.08)):
                self._did("close")
                front.close()
            elif front is None and isinstance(shown, SignInScreen) and self._often(0.3):
                self._enter(shown)
            elif front is None and isinstance(shown, PatientsScreen) and self._often(0.15):
                self._open(shown)
            elif front is None and self._often(0.01):
                self._visit_office()
            else:
                self._do(QApplication.focusWidget() or front or self.window, front)
            breathe(self.chance.choice(PAUSES_MS))
            if number % LOOKS_EVERY == 0:
                self._compare_draft()

    def _did(self, what: str) -> None:
        self.faults.keys.append(what)

    def _enter(self, screen: SignInScreen) -> None:
        self._did("sign in")
        if screen.state.may_try and screen.state.mode is Mode.PASSPHRASE:
            screen.who.setCurrentIndex(self.chance.randrange(screen.who.count()))
            screen.passphrase.setText(PASSPHRASE)
            screen.enter.click()

    def _open(self, screen: PatientsScreen) -> None:
        rows = screen.list.lines.rowCount()
        if rows:
            self._did("open a visit")
            screen.list.setCurrentIndex(screen.list.lines.index(self.chance.randrange(rows)))
            screen.list.open_current()

    def _visit_office(self) -> None:
        action = getattr(self.window, self.chance.choice(OFFICES))
        if action.isEnabled():
            self._did(action.text())
            action.trigger()

    def _do(self, target: QWidget, front: QWidget | None) -> None:
        kind = self.chance.random()
        if kind < 0.45:
            self._key(target, self.chance.choice(PLAIN), Qt.KeyboardModifier.NoModifier)
        elif kind < 0.6:
            control = Qt.KeyboardModifier.ControlModifier
            self._key(target, self.chance.choice(WITH_CONTROL), control)
        elif kind < 0.9:
            word = self.chance.choice(WORDS)
            self._did(word)
            for letter in word:
                if isValid(target):  # a letter may be a key that closes what it is typed into
                    QTest.keyClicks(target, letter)
        elif kind < 0.93:
            self._did("resize")
            self.window.resize(self.chance.randrange(700, 1600), self.chance.randrange(500, 1000))
        elif kind < 0.96:
            self._click(front or self.window)
        else:
            self._did("language and size")
            self.window.choose(
                replace(
                    self.window.preferences,
                    language=self.chance.choice(list(Language)),
                    text_scale=self.chance.choice(SCALES),
                )
            )

    def _key(self, target: QWidget, key: Key, modifier: Qt.KeyboardModifier) -> None:
        if self._often(0.1):
            modifier |= Qt.KeyboardModifier.ShiftModifier
        self._did(f"{modifier.name or ''} {key.name}")
        QTest.keyClick(target, key, modifier)

    def _click(self, where: QWidget) -> None:
        buttons = where.findChildren(QPushButton)
        ready = [button for button in buttons if button.isVisible() and button.isEnabled()]
        if ready:
            pressed = self.chance.choice(ready)
            self._did(f"click {pressed.text()}")
            pressed.click()

    def _compare_draft(self) -> None:
        """Have the draft on disk be the one on screen, once the window says it is saved."""
        visit, session = self.window.screen_shown, self.window._session  # noqa: SLF001
        if not isinstance(visit, VisitScreen) or session is None:
            return
        wait(lambda: not isValid(visit) or not (visit.state.unsaved or visit.state.saving), "saved")
        if not isValid(visit) or self.window.screen_shown is not visit:
            return
        shown = visit.state
        if shown.draft_id is None:
            return
        kept = session.visits.open_draft(shown.patient.id)
        if kept.id == shown.draft_id:
            self.drafts += 1
            if kept.draft != shown.draft:
                self.faults.say(f"on disk {kept.draft}\non screen {shown.draft}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run each seed and print what was pressed; return 1 where something failed."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.monkey",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--keys", type=int, default=3_000)
    asked = parser.parse_args(argv)
    return 1 if sum(run(seed, asked.keys) for seed in asked.seeds) else 0


def run(seed: int, keys: int) -> int:
    """Return how many faults the keys of one seed found."""
    faults, root = Faults(), logging.getLogger()
    before, sys.excepthook = sys.excepthook, faults.raised
    root.addHandler(faults)
    try:
        with (
            tempfile.TemporaryDirectory() as name,
            application(Path(name) / "clinic") as window,
        ):
            monkey = Monkey(window, seed, faults, Path(name))
            try:
                monkey.go(keys)
            except TimeoutError as error:
                faults.say(f"waited in vain for: {error}")
            _close_dialogs()
            if (session := window._session) is not None:  # noqa: SLF001
                with session._desk.store.read() as unit:  # noqa: SLF001
                    unit.audit.verify()
    finally:
        sys.excepthook = before
        root.removeHandler(faults)
    seen = ", ".join(f"{name} {count}" for name, count in monkey.screens.most_common())
    print(
        f"seed {seed}: {keys} keys, {monkey.drafts} drafts compared, {faults.found} faults; {seen}"
    )
    return faults.found


def _close_dialogs() -> None:
    while isinstance(front := QApplication.activeModalWidget(), QDialog):
        front.close()
        breathe(5)


if __name__ == "__main__":
    sys.exit(main())
