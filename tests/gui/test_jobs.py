"""Work off the GUI thread."""

import threading
from concurrent.futures import wait

import pytest
import shiboken6
from PySide6.QtCore import QTimer

from ddx.errors import DdxError
from desktop.ui.jobs import Jobs, Lane, Work
from desktop.ui.screen import Screen


class TrialError(DdxError):
    code = "trial"


@pytest.fixture
def jobs(qtbot):
    made = Jobs()
    yield made
    made.drain()


def test_a_lane_keeps_the_order_and_answers_on_the_gui_thread(jobs, qtbot):
    order, threads = [], set()
    for i in range(20):
        jobs.run(
            lambda i=i: order.append(i) or i,
            lambda _i: threads.add(threading.current_thread()),
            pytest.fail,
        )
    qtbot.waitUntil(lambda: len(order) == len(threads) * 20 == 20)
    assert order == list(range(20))
    assert threads == {threading.main_thread()}


def test_a_look_up_does_not_wait_behind_the_store(jobs, qtbot):
    release, answers = threading.Event(), []
    jobs.run(lambda: release.wait(5), lambda _: answers.append("store"), pytest.fail)
    jobs.run(lambda: "found", answers.append, pytest.fail, Lane.LOOKUP)
    qtbot.waitUntil(lambda: answers == ["found"])
    release.set()
    qtbot.waitUntil(lambda: answers == ["found", "store"])


def test_an_error_arrives_with_its_code(jobs, qtbot):
    errors = []

    def work():
        raise TrialError("no")

    jobs.run(work, pytest.fail, errors.append)
    qtbot.waitUntil(lambda: len(errors) == 1)
    assert errors[0].code == "trial"


def test_what_nobody_foresaw_becomes_internal_and_logs_no_values(jobs, qtbot, caplog):
    errors = []

    def work():
        raise ValueError("Zenobia Quispe")

    jobs.run(work, pytest.fail, errors.append)
    qtbot.waitUntil(lambda: len(errors) == 1)
    assert errors[0].code == "internal"
    assert "ValueError" in caplog.text
    assert "Zenobia" not in caplog.text


def test_after_draining_no_answer_is_delivered(qtbot):
    jobs, answers = Jobs(), []
    jobs.run(lambda: 1, answers.append, pytest.fail)
    assert jobs.drain()
    qtbot.wait(20)
    assert answers == []


def test_an_answer_to_a_screen_that_was_taken_down_is_dropped(jobs):
    class Counter(Screen):
        reducer = staticmethod(lambda state, event: (state + event, ()))
        state = 0

        def redraw(self) -> None:
            self.setWindowTitle(str(self.state))

    screen = Counter(jobs)
    screen.dispatch(2)
    assert screen.windowTitle() == "2"
    shiboken6.delete(screen)
    screen.dispatch(3)
    assert screen.state == 2


def test_a_screen_that_is_gone_is_told_nothing_more(jobs, qtbot):
    """What it does with an answer beside `dispatch` (where the focus goes, say) has no place."""
    told, go_on = [], threading.Event()

    def refused():
        go_on.wait(5)
        raise TrialError("no")

    gone, here = Screen(jobs), Screen(jobs)
    qtbot.addWidget(here)
    for screen, name in ((gone, "gone"), (here, "here")):
        screen.ask(lambda: go_on.wait(5), lambda _, name=name: told.append(name), pytest.fail)
        screen.ask(refused, pytest.fail, lambda _, name=name: told.append(f"{name}, refused"))
    shiboken6.delete(gone)
    go_on.set()
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told == ["here", "here, refused"]


def test_long_work_lets_the_window_go_first(jobs, qtbot, monkeypatch):
    monkeypatch.setattr("desktop.ui.jobs.GOES_FIRST_AT_MOST_S", 30)
    steps, busy = [], threading.Event()

    def work():
        for step in range(50):
            jobs.let_window_go_first()
            steps.append(step)

    def compute():
        before = len(steps)
        for _ in range(20):
            threading.Event().wait(0.005)  # without the interpreter: the worker could go on
        during.append(len(steps) - before)
        busy.set()

    during = []
    jobs.run(work, lambda _none: None, pytest.fail, Lane.LOOKUP)
    QTimer.singleShot(0, jobs, compute)
    qtbot.waitUntil(busy.is_set)
    assert during[0] <= 1  # the step that had begun
    qtbot.waitUntil(lambda: len(steps) == 50)


def test_long_work_does_not_wait_for_a_window_that_has_closed(jobs):
    def work():
        for _ in range(1_000):  # minutes, if each step waited as long as it may
            jobs.let_window_go_first()

    jobs.run(work, lambda _none: None, pytest.fail, Lane.LOOKUP)
    assert jobs.drain()


def test_nothing_is_said_of_work_that_nobody_waits_for(jobs):
    told, awaited = [], Work("Calculando la lista…")
    jobs.slow.connect(told.append)
    jobs._grown_slow(Work(awaited=False))
    jobs._grown_slow(awaited)
    assert told == [awaited]


def test_between_two_answers_the_event_loop_comes_round(jobs, qtbot):
    """Answers that came together would keep the window from a key for as long as all take."""
    told, beats = [], QTimer()
    beats.timeout.connect(lambda: told.append("beat"))
    for lane in (Lane.STORE, Lane.LOOKUP):
        jobs.run(lambda: None, lambda _none: told.append("answer"), pytest.fail, lane)
    assert not wait(set(jobs._queued), 10).not_done  # both are there before the loop runs
    beats.start()
    qtbot.waitUntil(lambda: told.count("answer") == 2)
    first, second = (place for place, what in enumerate(told) if what == "answer")
    assert "beat" in told[first:second]


def test_what_is_asked_while_an_answer_is_drawn_waits_until_it_is(jobs, qtbot, monkeypatch):
    monkeypatch.setattr("desktop.ui.jobs.DRAWN_BY_S", 30)
    order = []

    def draw(_answer):
        jobs.run(lambda: order.append("computed"), lambda _none: None, pytest.fail)
        threading.Event().wait(0.05)  # without the interpreter: the worker could go on
        QTimer.singleShot(0, lambda: order.append("drawn"))

    jobs.run(lambda: None, draw, pytest.fail)
    qtbot.waitUntil(lambda: "computed" in order)
    assert order == ["drawn", "computed"]


def test_what_is_asked_does_not_wait_for_ever_until_an_answer_is_drawn(jobs, qtbot):
    computed, drawn = threading.Event(), []

    def draw(_answer):
        jobs.run(computed.set, lambda _none: None, pytest.fail)
        drawn.append(computed.wait(10))

    jobs.run(lambda: None, draw, pytest.fail)
    qtbot.waitUntil(lambda: drawn == [True])


def test_an_answer_that_cannot_be_drawn_keeps_no_job_waiting(jobs, qtbot, monkeypatch):
    monkeypatch.setattr("desktop.ui.jobs.DRAWN_BY_S", 30)
    order = []

    def draw(_answer):
        raise TrialError("no")

    with qtbot.captureExceptions() as raised:
        jobs.run(lambda: None, draw, pytest.fail)
        jobs.run(lambda: None, lambda _none: order.append("next"), pytest.fail)
        qtbot.waitUntil(lambda: order == ["next"])
    assert [error for error, _, _ in raised] == [TrialError]
