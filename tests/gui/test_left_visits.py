"""What a visit leaves behind once it is left: no widget, no screen, no answer that nobody awaits.

Objects are counted, never bytes.
"""

import gc
from collections import Counter

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog
from shiboken6 import isValid

from ddx.domain.finding import Presence
from desktop.presenters.visit_state import FindingMarked
from desktop.ui.jobs import Work
from desktop.ui.patients import PatientsScreen
from desktop.ui.visit import VisitScreen

VISITS = 5
PATIENCE = 20
FEVER = "HP:0001945"


def live(kind):
    """The objects of `kind` there are, after what is on its way out has gone."""
    for _ in range(40):  # part by part, a part each time the event loop comes round
        QCoreApplication.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for _ in range(4):  # what a part held goes with the next round
        gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, kind)]


def gone():
    """Places of what Qt has deleted and Python still holds."""
    return {id(one): type(one).__name__ for one in live(QObject) if not isValid(one)}


def inside(window):
    """What hangs below `window`, by kind."""
    live(VisitScreen)  # what is on its way out goes
    return Counter(type(one).__name__ for one in window.findChildren(QObject))


def visit_and_leave(window, hands):
    screen = hands.patients(window)
    screen.list.setCurrentIndex(screen.list.lines.index(0))
    screen.list.open_current()
    visit = hands.screen(window, VisitScreen)
    hands.until(lambda: visit.state.draft_id)
    visit.dispatch(FindingMarked(FEVER, Presence.PRESENT))
    QTest.keyClick(visit, Qt.Key.Key_F5)
    hands.until(lambda: visit.state.explanation)
    visit.leave()
    hands.patients(window)


def test_a_left_visit_leaves_no_screen_no_widget_and_no_job(window, hands):
    before = gone()  # of other tests, whose windows may still be here
    screens, lists = len(live(VisitScreen)), len(live(PatientsScreen))
    over = sum(work.over for work in live(Work))
    for _ in range(VISITS):
        visit_and_leave(window, hands)
    hands.rest(0.6)  # the next visit is made, and no answer is under way
    assert [kind for place, kind in gone().items() if place not in before] == []
    assert len(live(VisitScreen)) <= screens + 1  # the one that is made beforehand
    assert len(live(PatientsScreen)) <= lists + 1
    for _ in range(PATIENCE):  # looking at every object takes a second: now and then
        if sum(work.over for work in live(Work)) <= over:
            break
        hands.rest(0.5)
    else:
        pytest.fail("work that is over is still held")


def test_the_window_holds_as_much_after_six_visits_as_after_three(window, hands):
    held = []
    for _ in range(2):
        for _ in range(3):
            visit_and_leave(window, hands)
        hands.until(
            lambda: window.visit_ahead.screen and not window.visit_ahead.screen.build_more()
        )
        held.append(inside(window))
    assert held[1] - held[0] == Counter()


def test_a_closed_dialog_is_gone_and_what_it_showed_with_it(window, hands):
    visit_and_leave(window, hands)
    patient = hands.patients(window).state.patients[0]
    for _ in range(3):
        window.show_keys()
        window.key_map.accept()
        window.show_history(patient)
        hands.until(lambda: window.history.shown.state.visits)
        window.history.close()
    live(QDialog)
    assert window.findChildren(QDialog) == []
