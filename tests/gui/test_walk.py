"""Every screen, in both themes: no control without a name, nothing written too faintly to read."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget
from support.readable import faint, nameless

from ddx.domain.roles import Role
from desktop.presenters.first_run import Stage
from desktop.services.session import Session
from desktop.settings import Settings
from desktop.ui.audit_log import AuditLogScreen
from desktop.ui.first_run import FirstRunScreen
from desktop.ui.patients import PatientsScreen
from desktop.ui.sign_in import SignInScreen
from desktop.ui.theme import Appearance

CONTROL = Qt.KeyboardModifier.ControlModifier


class Walk:
    """Looks at one screen after the other and keeps what is wrong."""

    def __init__(self, hands, window):
        self.hands, self.window, self.seen, self.wrong = hands, window, [], {}

    def look(self, name, root=None):
        self.hands.rest(0.05)
        shown = root or self.window
        problems = nameless(shown) + faint(shown)
        self.seen.append(name)
        if problems:
            self.wrong[name] = problems


def first_start(walk, window, clinic, hands):
    window.attach(clinic, set_up=False)
    screen = hands.screen(window, FirstRunScreen)
    hands.press(Qt.Key.Key_Return)
    walk.look("first run, everything missing")
    for stage in (Stage.RECOVERY_KEY, Stage.CLOUD):
        screen.state = replace(screen.state, stage=stage, recovery_key="K7BO-7B3N", issues={})
        screen.redraw()
        walk.look(f"first run, {stage}")


def visit_screens(walk, window, hands):
    visit = hands.open_visit(window)
    walk.look("empty visit")
    hands.find(visit, "fiebre")
    hands.find(visit, "erup", Qt.KeyboardModifier.ShiftModifier)
    hands.type("tos")
    hands.until(lambda: visit.state.hits)
    walk.look("visit, searching")
    hands.press(Qt.Key.Key_Return)
    hands.press(Qt.Key.Key_F7)
    hands.press(Qt.Key.Key_D)
    walk.look("visit, since when")
    hands.press(Qt.Key.Key_Escape)
    hands.press(Qt.Key.Key_F6)
    for vital, text in (("spo2_percent", "84"), ("respiratory_rate_bpm", "28")):
        visit.entry.vitals.numbers[vital].setFocus()
        hands.type(text)
    hands.until(visit.differential.strip.isVisible)
    walk.look("visit, vital signs and pinned rules")
    hands.press(Qt.Key.Key_F6)
    visit.state = replace(visit.state, commit_first=True)
    hands.press(Qt.Key.Key_F5)
    walk.look("visit, own diagnosis first")
    visit.differential.opinion.none.click()
    hands.until(lambda: visit.state.explanation)
    walk.look("visit, list and reasons")
    for _ in range(2):
        hands.press(Qt.Key.Key_D, CONTROL)
    walk.look("visit, numbers")
    hands.press(Qt.Key.Key_F11)
    hands.press(Qt.Key.Key_Space)
    hands.until(lambda: visit.state.on_trial)
    walk.look("visit, what if")
    hands.press(Qt.Key.Key_Escape)
    hands.press(Qt.Key.Key_3, CONTROL)
    visit.decision.confirm.click()
    walk.look("visit, a decision that lacks its reason")
    hands.press(Qt.Key.Key_Escape)
    return visit


def papers(walk, visit, hands):
    hands.press(Qt.Key.Key_P, CONTROL)
    hands.until(lambda: getattr(visit, "letter", None) and visit.letter.isVisible())
    walk.look("letter", visit.letter)
    visit.letter.close()
    visit.show_history()
    hands.until(lambda: visit.history.shown.state.visits)
    walk.look("history", visit.history)
    visit.history.close()


def offices(walk, window, hands):
    for name in ("all_settings", "counts", "cloud", "manage", "transparency"):
        getattr(window, name).trigger()
        hands.rest(0.3)
        walk.look(name)
    window.show_keys()
    walk.look("keys", window.key_map)
    window.key_map.accept()
    session = window._session
    card = replace(session.clinician, role=Role.AUDITOR)
    window._signed_in(Session(replace(session._desk, clinician=card), Settings()))
    window.audit.trigger()
    screen = hands.screen(window, AuditLogScreen)
    hands.until(lambda: screen.state.entries)
    walk.look("audit")


@pytest.mark.slow
@pytest.mark.parametrize("appearance", [Appearance.LIGHT, Appearance.DARK])
def test_every_screen_can_be_read_and_named(new_window, tmp_path, set_up, hands, appearance):
    empty = type(set_up)(tmp_path / "nobody", set_up._shelf)
    start = new_window()
    start.choose(replace(start.preferences, appearance=appearance))
    walk = Walk(hands, start)
    first_start(walk, start, empty, hands)
    start.jobs.drain()
    start.close()
    walk.window = window = new_window()
    window.choose(replace(window.preferences, appearance=appearance))
    window.attach(set_up, set_up=True)
    sign_in = hands.screen(window, SignInScreen)
    hands.until(lambda: sign_in.state.may_try)
    walk.look("sign in")
    hands.sign_in(window, set_up)
    walk.look("patients")
    hands.press(Qt.Key.Key_N, CONTROL)
    walk.look("new patient")
    hands.press(Qt.Key.Key_Escape)
    visit = visit_screens(walk, window, hands)
    papers(walk, visit, hands)
    visit.leave()
    hands.screen(window, PatientsScreen)
    offices(walk, window, hands)
    assert len(walk.seen) == 24
    assert walk.wrong == {}


def test_a_faint_label_and_a_nameless_field_are_found(qtbot):
    root = QWidget()
    qtbot.addWidget(root)
    root.setStyleSheet("QWidget { background: white } QLabel { color: #999999 }")
    lines = QVBoxLayout(root)
    lines.addWidget(QLabel("apenas se lee"))
    lines.addWidget(QLineEdit())
    root.show()
    qtbot.waitExposed(root)
    assert [(text, ink) for text, ink, *_ in faint(root)] == [("apenas se lee", "#999999")]
    assert nameless(root) == ["QLineEdit in QWidget"]
