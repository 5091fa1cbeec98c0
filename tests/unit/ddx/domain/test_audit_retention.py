"""Where a chain that has grown old may begin anew."""

from datetime import UTC, datetime, timedelta

import pytest

from ddx.domain.audit_retention import LEAST_DAYS, beginning_of
from ddx.domain.statements import Checkpoint, moment_text

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def seen(sequence, days_ago, epoch=1):
    return Checkpoint(
        device_id="d",
        device_key="k",
        epoch=epoch,
        sequence=sequence,
        head=f"{sequence:064x}",
        server_time=moment_text(NOW - timedelta(days=days_ago)),
        server_key="s",
    )


def test_it_begins_at_the_last_head_that_is_old_enough():
    heads = [seen(10, 400), seen(20, 300), seen(30, 200), seen(40, 100), seen(50, 0)]
    assert beginning_of(heads, 200, NOW) == heads[2]
    assert beginning_of(heads, 201, NOW) == heads[1]


def test_what_no_server_saw_stays():
    assert beginning_of([], 183, NOW) is None


def test_one_clock_that_runs_ahead_lets_go_of_nothing():
    heads = [seen(10, 100), seen(20, 50), seen(30, 0)]
    assert beginning_of(heads, 183, NOW + timedelta(days=9_000)) is None
    ahead = [*heads, seen(40, -9_000)]
    assert beginning_of(ahead, 183, NOW) is None


def test_less_than_a_month_at_once_is_left_for_later():
    heads = [seen(10, 220), seen(20, 200), seen(30, 0)]
    assert beginning_of(heads, 190, NOW) is None
    assert beginning_of([seen(5, 230), *heads], 190, NOW) == heads[1]


def test_an_old_head_behind_a_young_one_does_not_take_the_young_one_along():
    heads = [seen(10, 400), seen(20, 30), seen(1, 300, epoch=2), seen(9, 0, epoch=2)]
    assert beginning_of(heads, 183, NOW) is None
    assert beginning_of([seen(4, 500), *heads], 183, NOW) == heads[0]


def test_nobody_may_keep_less_than_the_law_asks_for():
    with pytest.raises(ValueError, match=str(LEAST_DAYS)):
        beginning_of([seen(10, 400)], LEAST_DAYS - 1, NOW)
