"""The real window over real services on an encrypted store, with a small engine behind them."""

import time
from dataclasses import replace
from datetime import date

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from support.ward_engine import WardEngine, WardShelf

from ddx.domain.case import Sex
from desktop.services.clinic import Clinic
from desktop.services.records import NewPatient
from desktop.store.keys import Argon2Cost
from desktop.ui.i18n import Language, Translators
from desktop.ui.jobs import Jobs
from desktop.ui.patients import PatientsScreen
from desktop.ui.preferences import PreferenceFile
from desktop.ui.sign_in import SignInScreen
from desktop.ui.theme import Appearance
from desktop.ui.visit import VisitScreen
from desktop.ui.window import MainWindow

PASSPHRASE = "llama del altiplano"
CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)
NO_MODIFIER = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/gui" in item.path.as_posix():
            item.add_marker(pytest.mark.gui)


@pytest.fixture
def engine():
    return WardEngine()


@pytest.fixture
def clinic(tmp_path, engine):
    return Clinic(tmp_path / "clinic", WardShelf(engine), cost=CHEAP, sleep=lambda _: None)


@pytest.fixture
def set_up(clinic):
    """A clinic with one clinician and two patients."""
    clinic.create(clinic_name="Posta de Lares", display_name="Ana Ruiz", passphrase=PASSPHRASE)
    (card,) = clinic.clinicians()
    session = clinic.sign_in(card.id, PASSPHRASE)
    for given, family, sex, born in (
        ("Zenobia", "Quispe Mamani", Sex.FEMALE, date(1990, 5, 1)),
        ("Mateo", "Ríos Paredes", Sex.MALE, date(2019, 1, 22)),
    ):
        session.patients.create(
            NewPatient(given_name=given, family_name=family, sex=sex, birth_date=born)
        )
    session.close()
    return clinic


@pytest.fixture
def new_window(qtbot, qapp, tmp_path):
    """Make a window in Spanish, light, 100 %; closed and drained at the end."""
    made = []

    def make() -> MainWindow:
        translators = Translators(qapp)
        window = MainWindow(PreferenceFile(tmp_path), translators, Jobs())
        window.choose(
            replace(
                window.preferences,
                language=Language.SPANISH,
                appearance=Appearance.LIGHT,
                text_scale=1.0,
            )
        )
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        qtbot.addWidget(window)
        made.append((window, translators))
        return window

    yield make
    for window, translators in made:
        window.jobs.drain()
        window.close()
        translators.speak(Language.SPANISH)


@pytest.fixture
def hands(qtbot):
    return Hands(qtbot)


class Hands:
    """What a clinician does: types, presses keys, waits until the screen shows something."""

    def __init__(self, qtbot):
        self.qtbot = qtbot
        self.keystrokes = 0

    def press(self, key, modifier=NO_MODIFIER):
        target = QApplication.focusWidget()
        assert target is not None, "nothing has the focus"
        self.qtbot.keyClick(target, key, modifier)
        self.keystrokes += 1

    def type(self, text):
        for letter in text:
            target = QApplication.focusWidget()
            assert target is not None, "nothing has the focus"
            if letter.isascii():
                self.qtbot.keyClicks(target, letter)
            else:  # as a keyboard with accents sends it; QTest knows ASCII only
                for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                    QApplication.sendEvent(target, QKeyEvent(kind, 0, NO_MODIFIER, letter))
            self.keystrokes += 1

    def until(self, holds, timeout=5_000):
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=timeout)

    def screen(self, window, kind):
        self.until(lambda: isinstance(window.screen_shown, kind))
        return window.screen_shown

    def sign_in(self, window, clinic):
        window.attach(clinic, set_up=True)
        screen = self.screen(window, SignInScreen)
        self.until(lambda: screen.state.may_try)
        screen.passphrase.setFocus()
        self.type(PASSPHRASE)
        self.press(Qt.Key.Key_Return)
        return self.patients(window)

    def patients(self, window):
        screen = self.screen(window, PatientsScreen)
        self.until(lambda: screen.state.patients)
        return screen

    def open_visit(self, window, name="Quispe"):
        screen = self.patients(window)
        screen.search.setFocus()
        self.type(name)
        self.until(lambda: len(screen.state.patients) == 1)
        self.press(Qt.Key.Key_Return)
        visit = self.screen(window, VisitScreen)
        self.until(lambda: visit.state.draft_id)
        return visit

    def find(self, visit, text, modifier=NO_MODIFIER):
        """Search a finding and take the first result from the keyboard."""
        self.type(text)
        self.until(lambda: visit.state.hits_for == text and visit.state.hits)
        self.press(Qt.Key.Key_Return, modifier)

    def diagnose(self, visit):
        self.press(Qt.Key.Key_F5)
        self.until(lambda: visit.state.diagnosis and not visit.state.stale)
        self.until(lambda: visit.state.explanation)
        self.guided(visit)

    def guided(self, visit):
        """Wait until the question on screen is that of the findings as they are."""
        self.until(lambda: visit.guide.state.seen == visit.state.draft)

    def rest(self, seconds):
        until = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= until, timeout=round(seconds * 1000) + 5_000)


@pytest.fixture
def window(new_window, set_up, hands):
    """Signed in, patients on screen."""
    made = new_window()
    hands.sign_in(made, set_up)
    return made


@pytest.fixture
def visit(window, hands):
    """An empty visit of Zenobia Quispe."""
    return hands.open_visit(window)


@pytest.fixture
def answered(visit, hands):
    """A visit with fever, cough and no rash, and its list."""
    hands.find(visit, "fiebre")
    hands.find(visit, "tos")
    hands.find(visit, "erup", SHIFT)
    hands.diagnose(visit)
    return visit
