"""Periodic work in the background: push every few minutes, look for a bundle once a day.

APScheduler on a daemon thread; jitter keeps a district's clinics from arriving together.
"""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler

PUSH_EVERY_S: Final = 300
UPDATE_EVERY_S: Final = 86_400
FIRST_UPDATE_S: Final = 120
"""After the start: a machine that is switched off every night looks every day all the same."""


class SyncSchedule:
    """Calls `push`, `wake` and `update` at their times; at most one call of each at once."""

    def __init__(
        self,
        *,
        push: Callable[[], object],
        wake: Callable[[], object],
        update: Callable[[], object] | None = None,
        push_every_s: int = PUSH_EVERY_S,
        update_every_s: int = UPDATE_EVERY_S,
    ) -> None:
        self._wake = wake
        self._numbers = itertools.count(1)
        self._arranged = 0
        self._scheduler = BackgroundScheduler(
            daemon=True,
            timezone=UTC,
            # a laptop that slept does the missed run once, however late
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._every(push_every_s, "push", push)
        if update is not None:
            first_s = min(update_every_s, FIRST_UPDATE_S)
            at = datetime.now(UTC) + timedelta(seconds=first_s)
            self._every(update_every_s, "update", update, next_run_time=at)

    def _every(self, seconds: int, name: str, call: Callable[[], object], **when: datetime) -> None:
        jitter = max(1, seconds // 5)
        self._scheduler.add_job(call, "interval", id=name, seconds=seconds, jitter=jitter, **when)

    def start(self) -> None:
        """Start the thread. The first push comes after one interval."""
        self._scheduler.start()

    def wake_after(self, seconds: float) -> None:
        """Arrange one call of `wake`; a later arrangement replaces an earlier one.

        Each arrangement is a job of its own and a superseded one does nothing when its time
        comes. Replacing or removing a job by id would race with the scheduler, which removes a
        job that has run by the same id: the new one would be lost, or the thread would die.
        """
        self._arranged = number = next(self._numbers)
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        self._scheduler.add_job(self._wake_if_latest, "date", [number], run_date=at)

    def _wake_if_latest(self, number: int) -> None:
        if number == self._arranged:
            self._wake()

    def stop(self) -> None:
        """Stop; a call in progress is finished first."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
