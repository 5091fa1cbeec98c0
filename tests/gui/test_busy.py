"""What takes long: in words, with how far it is, and a key that ends it."""

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from ddx.domain.course import StoppedError
from desktop.presenters.manage import Done
from desktop.ui import keys
from desktop.ui.busy import BusyNote
from desktop.ui.jobs import Jobs, Work
from desktop.ui.manage import ManageScreen


@pytest.fixture
def jobs(qtbot):
    made = Jobs()
    yield made
    made.drain()


class Page(QWidget):
    """A page with a key of its own on Esc, and what says that something takes long above it."""

    def __init__(self, jobs):
        super().__init__()
        self.resize(700, 200)
        self.left = []
        self.inside = QPushButton("dentro", self)
        keys.on(self, keys.BACK, lambda: self.left.append(True))
        self.note = BusyNote(jobs, self)


@pytest.fixture
def page(qtbot, jobs):
    page = Page(jobs)
    qtbot.addWidget(page)
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    page.inside.setFocus()
    return page


class Digging:
    """Work that goes a step at each `dig`, and ends where it is asked to."""

    def __init__(self, course, steps):
        self.course, self.steps = course, steps
        self.may_step = threading.Semaphore(0)

    def __call__(self):
        for step in range(self.steps + 1):
            self.course.at(step, self.steps)
            while not self.may_step.acquire(timeout=0.02):
                self.course.at(step, self.steps)
        self.course.last_step()
        self.may_step.acquire()
        return "gold"


def start(jobs, steps=4, *, quiet=False):
    work, course = jobs.work("Cavando…", quiet=quiet)
    digging, told = Digging(course, steps), []
    jobs.run(digging, told.append, told.append, about=work)
    return digging, told


def test_it_says_what_it_does_and_how_far_it_is(page, jobs, qtbot):
    digging, _ = start(jobs)
    qtbot.waitUntil(page.note.isVisible)
    assert page.note.title.text() == "Cavando… 0 %"
    digging.may_step.release()
    qtbot.waitUntil(lambda: page.note.title.text() == "Cavando… 25 %")
    assert (page.note.bar.value(), page.note.bar.maximum()) == (25, 100)
    assert page.note.accessibleName() == "Cavando… 25 %"


def test_esc_ends_it_before_it_leaves_the_screen(page, jobs, qtbot):
    _, told = start(jobs)
    qtbot.waitUntil(page.note.isVisible)
    qtbot.keyClick(page.inside, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(told))
    assert isinstance(told[0], StoppedError)
    assert page.left == []
    assert not page.note.isVisible()
    qtbot.keyClick(page.inside, Qt.Key.Key_Escape)
    assert page.left == [True]


def test_while_it_ends_it_says_so_and_offers_nothing(page, jobs, qtbot):
    release = threading.Event()
    work, _course = jobs.work("Cavando…")
    jobs.run(release.wait, lambda _: None, pytest.fail, about=work)
    qtbot.waitUntil(page.note.isVisible)
    page.note.stop()
    assert page.note.title.text().startswith("Cancelando")
    assert not page.note.cancel.isVisible()
    release.set()
    qtbot.waitUntil(lambda: not page.note.isVisible())


def test_the_last_step_says_that_it_cannot_be_ended(page, jobs, qtbot):
    digging, told = start(jobs)
    qtbot.waitUntil(page.note.isVisible)
    digging.may_step.release(5)
    qtbot.waitUntil(lambda: page.note.title.text().startswith("Terminando"))
    assert not page.note.cancel.isVisible()
    qtbot.keyClick(page.inside, Qt.Key.Key_Escape)
    assert page.left == [True]
    digging.may_step.release()
    qtbot.waitUntil(lambda: told == ["gold"])


def test_what_goes_on_by_itself_is_not_in_the_way(page, jobs, qtbot):
    seen = []
    jobs.slow.connect(seen.append)
    _, told = start(jobs, quiet=True)
    qtbot.waitUntil(lambda: bool(seen))
    assert not page.note.isVisible()
    jobs.stop_all()
    qtbot.waitUntil(lambda: bool(told))


def test_what_waits_behind_it_does_not_take_its_cancel_away(page, jobs, qtbot):
    _, told = start(jobs)
    qtbot.waitUntil(page.note.isVisible)
    slow = []
    jobs.slow.connect(slow.append)
    jobs.run(lambda: None, lambda _: None, pytest.fail)  # of the same lane
    qtbot.waitUntil(lambda: bool(slow))
    assert page.note.title.text().startswith("Cavando…")
    qtbot.keyClick(page.inside, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(told))


def test_what_cannot_be_ended_offers_no_cancel(page, jobs, qtbot):
    release = threading.Event()
    jobs.run(release.wait, lambda _: None, pytest.fail, about=Work("Uniendo…"))
    qtbot.waitUntil(page.note.isVisible)
    assert not page.note.cancel.isVisible()
    release.set()
    qtbot.waitUntil(lambda: not page.note.isVisible())


def test_closing_the_window_does_not_wait_for_what_can_be_ended(qtbot):
    jobs = Jobs()
    start(jobs)
    assert jobs.drain(timeout_ms=5_000)


class SlowKeeping:
    """Backups of a large clinic: the copy goes on once it is let."""

    def __init__(self, keeping):
        self._keeping, self.large = keeping, True

    def __getattr__(self, name):
        return getattr(self._keeping, name)

    def back_up(self, course):
        while self.large:
            course.at(1, 4)
            threading.Event().wait(0.01)
        return self._keeping.back_up(course)

    def upkeep(self, course):
        self.back_up(course)


@pytest.fixture
def slow(window):
    session = window._session
    session._keeping = SlowKeeping(session._keeping)
    return session._keeping


def test_a_backup_is_ended_by_esc_and_made_the_next_time(window, slow, hands):
    window.show_manage()
    manage = hands.screen(window, ManageScreen)
    manage.back_up.click()
    hands.until(lambda: window.busy.title.text() == "Haciendo y comprobando la copia… 25 %")
    manage.back_up.setEnabled(True)
    manage.back_up.setFocus()
    hands.press(Qt.Key.Key_Escape)
    hands.until(lambda: manage.state.refusal and not manage.state.busy)
    assert manage.done.text().startswith("Cancelado.")
    assert window.screen_shown is manage
    assert slow.backups() == ()
    slow.large = False
    manage.back_up.click()
    hands.until(lambda: manage.state.done is Done.BACKED_UP)
    assert len(slow.backups()) == 1


def test_the_upkeep_is_told_in_the_bar_below_and_ended_with_its_key(window, slow, hands):
    window._keep_up(window._session)
    bar = window.status
    hands.until(lambda: bar.sync.text().startswith("Cuidando los datos"))
    assert not window.busy.isVisible()
    assert bar.now.text() == "Detener  F9"
    hands.press(Qt.Key.Key_F9)
    hands.until(lambda: bar.now.text() == "Sincronizar  F9")
    assert slow.backups() == ()
    assert window._session is not None
