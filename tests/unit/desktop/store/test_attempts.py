"""Back-off after wrong passphrases: it grows, survives a restart, and never locks for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from ddx.domain.identifiers import new_record_id
from desktop.store.attempts import Attempts, delay_after

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (3, 0), (4, 2), (5, 4), (6, 8), (12, 300), (10_000, 300)]
)
def test_waiting_doubles_after_three_free_tries_up_to_five_minutes(failures, seconds):
    assert delay_after(failures) == seconds


def test_five_failures_ask_for_four_seconds_also_after_a_restart(tmp_path):
    path, slot = tmp_path / "attempts.json", new_record_id()
    for _ in range(5):
        Attempts(path).begin(slot, NOON)
    assert Attempts(path).retry_after_s(slot, NOON + timedelta(seconds=1)) == 3
    assert Attempts(path).retry_after_s(slot, NOON + timedelta(seconds=4)) == 0


def test_one_clinicians_failures_do_not_lock_another_out(tmp_path):
    attempts, clumsy = Attempts(tmp_path / "attempts.json"), new_record_id()
    for _ in range(9):
        attempts.begin(clumsy, NOON)
    assert attempts.retry_after_s(new_record_id(), NOON) == 0


def test_a_clock_set_back_costs_the_delay_from_now_and_no_more(tmp_path):
    attempts, slot = Attempts(tmp_path / "attempts.json"), new_record_id()
    for _ in range(5):
        attempts.begin(slot, NOON + timedelta(days=3650))
    assert attempts.retry_after_s(slot, NOON) == 4
    assert attempts.retry_after_s(slot, NOON + timedelta(seconds=4)) == 0


def test_success_forgets_the_count_and_keeps_the_refusals_for_the_audit(tmp_path):
    attempts, slot = Attempts(tmp_path / "attempts.json"), new_record_id()
    wrong = attempts.begin(slot, NOON)
    right = attempts.begin(slot, NOON)
    attempts.succeeded(right)
    assert attempts.refused() == (wrong,)
    assert attempts.begin(slot, NOON) in attempts.refused()
    attempts.audited((wrong,))
    assert wrong not in attempts.refused()


def test_an_unreadable_attempts_file_starts_counting_again(tmp_path):
    path, slot = tmp_path / "attempts.json", new_record_id()
    path.write_text('{"counts": 3}')
    assert Attempts(path).retry_after_s(slot, NOON) == 0
    Attempts(path).begin(slot, NOON)
    assert len(Attempts(path).refused()) == 1
