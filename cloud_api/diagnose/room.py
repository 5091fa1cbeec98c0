"""The waiting room of the engine: whoever would wait too long is told so before any work is done.

How long a request would wait is how many are in hand times the pace, the time one takes when
they stand in line: from its turn (it came, or the one before it was done, whichever is later) to
its end. So whatever is scarce at the moment counts: engine, disk, processors others use too.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from cloud_api.errors import EngineBusyError

LONGEST_WAIT_S: Final = 0.2
"""Spec: p99 < 500 ms. Asked for twice what it carries, the slowest answer in a hundred took twice
as long as expected (docs/benchmark_api.md): rare cases take three times as long as common ones."""

MOST_IN_HAND: Final = 40
"""However fast the last ones went: the next may not be kept answers. 40 of 10 ms are 0.4 s."""

FEWEST_IN_HAND: Final = 4
"""However slow the last ones went: one being read, two computed, one written down."""

RETRY_AFTER_S: Final = 1
"""A full room is empty long before."""

_FIRST_PACE_S: Final = 0.01
"""Before anything was measured; a common visit (docs/benchmark_api.md)."""

_WEIGHT: Final = 1 / 8
"""Of the newest measurement: eight requests are a tenth of a second of full load."""


class WaitingRoom:
    """Counts requests in hand and keeps their pace; one worker has one.

    refused: told of each refusal. Some are always let in, so that the pace is measured on.
    """

    def __init__(
        self,
        *,
        refused: Callable[[], None] = lambda: None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._refused, self._monotonic_s = refused, monotonic_s
        self._in_hand, self._pace_s, self._done_s = 0, _FIRST_PACE_S, monotonic_s()

    @property
    def in_hand(self) -> int:
        """How many are being answered or wait for it."""
        return self._in_hand

    @property
    def wait_s(self) -> float:
        """How long a request that comes now would take to be answered."""
        return (self._in_hand + 1) * self._pace_s

    def check(self) -> None:
        """Return if a request that came now would be let in. Raises EngineBusyError."""
        late = self.wait_s > LONGEST_WAIT_S and self._in_hand >= FEWEST_IN_HAND
        if late or self._in_hand >= MOST_IN_HAND:
            self._refused()
            raise EngineBusyError(RETRY_AFTER_S)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Count one request while the block runs. Raises EngineBusyError as `check` does."""
        self.check()
        self._in_hand += 1
        came_s = self._monotonic_s()
        try:
            yield
        finally:
            self._in_hand -= 1
            self._measure(came_s)

    def _measure(self, came_s: float) -> None:
        now_s = self._monotonic_s()
        took_s = now_s - max(came_s, self._done_s)
        self._done_s = now_s
        # one stall (a disk, a paused machine) says little about the next request
        self._pace_s += _WEIGHT * (min(took_s, LONGEST_WAIT_S) - self._pace_s)
