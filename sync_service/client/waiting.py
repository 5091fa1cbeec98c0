"""Waiting for an answer of the network that nobody may want any more when it comes."""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from ddx.domain.course import StoppedError

T = TypeVar("T")

LOOK_EVERY_S: Final = 0.1
"""Between two looks at whether the answer is still wanted: a person feels no longer wait."""


def waited(
    ask: Callable[[], T],
    *,
    seconds: float | None = None,
    may_go_on: Callable[[], bool] = lambda: True,
    unwanted: Callable[[T], object] = lambda _late: None,
) -> T:
    """Return what `ask` returns, or leave it to end by its own timeouts, on a thread of its own.

    unwanted: is given an answer that came after we left.

    Raises:
        TimeoutError: no answer in `seconds`. StoppedError: `may_go_on` said no.
        Whatever `ask` raises.
    """
    answers: list[T] = []
    errors: list[BaseException] = []
    left: list[bool] = []
    lock, arrived = threading.Lock(), threading.Event()

    def work() -> None:
        try:
            got = ask()
        except BaseException as error:  # noqa: BLE001 -- raised again below, on the other thread
            errors.append(error)
        else:
            with lock:
                answers.append(got)
                late = bool(left)
            if late:
                unwanted(got)
        arrived.set()

    threading.Thread(target=work, name="answer", daemon=True).start()
    until_s = None if seconds is None else time.monotonic() + seconds
    while not arrived.wait(_next_look_s(until_s)):
        over = until_s is not None and time.monotonic() >= until_s
        if not over and may_go_on():
            continue
        with lock:
            if answers:
                break
            left.append(True)
        raise TimeoutError(f"no answer in {seconds:g} s") if over else StoppedError("left")
    if errors:
        raise errors[0]
    return answers[0]


def _next_look_s(until_s: float | None) -> float:
    left_s = LOOK_EVERY_S if until_s is None else until_s - time.monotonic()
    return max(0.0, min(LOOK_EVERY_S, left_s))
