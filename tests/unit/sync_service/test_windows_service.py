"""The answers a service owes Windows, in their order; Windows itself is stood in for."""

import threading

import pytest

from sync_service.client.__main__ import NOT_SET_UP, main
from sync_service.client.windows_service import (
    INTERROGATE,
    NO_ERROR,
    NOT_IMPLEMENTED,
    SHUTDOWN,
    STOP,
    State,
    run_as_service,
)


class Manager:
    """Starts the service and sends it one control code once it runs."""

    def __init__(self, *codes):
        self.codes, self.said, self.answers = codes, [], []
        self.handler = None

    def dispatch(self, service_main):
        thread = threading.Thread(target=service_main)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()

    def on_control(self, handler):
        self.handler = handler

    def report(self, state, exit_code=0):
        self.said.append((state, exit_code))
        if state is State.RUNNING:
            self.answers = [self.handler(code) for code in self.codes]


def until_stopped(stop):
    assert stop.wait(5)
    return 0


@pytest.mark.parametrize("code", [STOP, SHUTDOWN])
def test_a_service_runs_until_windows_says_stop(code):
    manager = Manager(code)
    assert run_as_service(until_stopped, manager) == 0
    states = [state for state, _ in manager.said]
    assert states == [State.STARTING, State.RUNNING, State.STOPPING, State.STOPPED]
    assert manager.answers == [NO_ERROR]


def test_a_question_is_answered_and_an_unknown_control_is_not_ours():
    manager = Manager(INTERROGATE, 128, STOP)
    run_as_service(until_stopped, manager)
    assert manager.answers == [NO_ERROR, NOT_IMPLEMENTED, NO_ERROR]


def test_the_exit_code_reaches_windows():
    manager = Manager()
    assert run_as_service(lambda _stop: 4, manager) == 4
    assert manager.said[-1] == (State.STOPPED, 4)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_service_that_breaks_is_never_left_running():
    manager = Manager()

    def broken(_stop):
        raise RuntimeError("the disk is gone")

    assert run_as_service(broken, manager) == 1
    assert manager.said[-1] == (State.STOPPED, 1)


def test_outside_windows_the_option_is_refused_with_a_reason(capsys):
    assert main(["--windows-service"]) == NOT_SET_UP
    assert "sync.not_a_service" in capsys.readouterr().err
