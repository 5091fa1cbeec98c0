"""One call of wake, at the latest time arranged, even when it is arranged from within a wake."""

import threading
import time

from sync_service.client.schedule import SyncSchedule


def scheduled(wake) -> SyncSchedule:
    schedule = SyncSchedule(push=lambda: None, wake=wake)
    schedule.start()
    return schedule


def test_a_later_arrangement_replaces_an_earlier_one():
    woken = []
    schedule = scheduled(lambda: woken.append(time.monotonic()))
    schedule.wake_after(0.05)
    schedule.wake_after(0.2)
    time.sleep(0.5)
    schedule.stop()
    assert len(woken) == 1


def test_wakes_arranged_from_within_a_wake_are_never_lost():
    rounds, done = 60, threading.Event()
    woken: list[int] = []

    def wake() -> None:
        woken.append(len(woken))
        if len(woken) < rounds:
            schedule.wake_after(0.0)
        else:
            done.set()

    schedule = scheduled(wake)
    schedule.wake_after(0.0)
    assert done.wait(10)
    schedule.stop()
    assert len(woken) == rounds
