"""Errors and times as the devices tell them: each compared with itself, none counted twice."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from support import tiny_loop
from support.gold_lake import write_gold

from ddx.domain.engine_time import SLOWEST_S, TENTHS_S, step_of
from training.change_plan import change_plan
from training.lake.gold import engine_times, read_cases
from training.lake.place import Lake
from training.lake.tables import BRONZE_EVENTS, TIMESTAMP
from training.rollout.devices import failures, together, told_by_devices, usual_times

CURRENT, NEW = "2026.11.6", "2026.11.7"
VERSIONS = {
    "current": CURRENT,
    "new": NEW,
    "share": change_plan().rollout.latency_may_rise_by_share.value,
}
T0 = datetime(2026, 11, 26, tzinfo=UTC)
FAST, SLOW = step_of(0.020), step_of(0.200)


def table(*rows):
    """Return gold columns of (clinic, version, engine_s) or (…, ingested_at)."""
    names = ("clinic", "bundle_version", "engine_s", "ingested_at")
    whole = [(*row, T0)[:4] for row in rows]
    columns = zip(*whole, strict=True)
    types = (pa.string(), pa.string(), pa.float64(), TIMESTAMP)
    return pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=names)


def gold(tmp_path, *rows):
    write_gold(tmp_path, tiny_loop.cases(1))
    return replace(read_cases(tmp_path), table=table(*rows))


def test_a_step_is_the_first_that_is_kept_and_what_is_slower_than_all_has_one_too():
    assert step_of(0.0) == TENTHS_S[0] == 0.002
    assert step_of(TENTHS_S[7]) == TENTHS_S[7]
    assert step_of(TENTHS_S[7] + 1e-6) == TENTHS_S[8]
    assert step_of(99.0) == SLOWEST_S > TENTHS_S[-1]


def test_a_slow_laptop_is_compared_with_itself(tmp_path):
    history = table(*[("old", CURRENT, SLOW)] * 20, *[("new", CURRENT, FAST)] * 60)
    usual = usual_times(history)
    assert (usual.limit("old"), usual.limit("new")) == (SLOW, FAST)
    cases = gold(tmp_path, *[("old", NEW, SLOW)] * 10, *[("new", NEW, SLOW)] * 3)
    told = told_by_devices(cases, {}, usual, None, **VERSIONS)
    assert told == {NEW: {"cases": 13, "errors": 0, "slow": 3}}


def test_a_device_with_too_little_of_its_own_is_compared_with_all(tmp_path):
    usual = usual_times(table(*[("old", CURRENT, SLOW)] * 19, *[("new", CURRENT, FAST)] * 60))
    assert usual.limit("old") == usual.limit("nobody") == FAST
    told = told_by_devices(gold(tmp_path, ("old", CURRENT, SLOW)), {}, usual, None, **VERSIONS)
    assert told[CURRENT]["slow"] == 1


@pytest.mark.parametrize("place", range(0, 79, 6))
def test_a_tenth_more_is_allowed_for_the_new_model_and_not_a_step_further(tmp_path, place):
    usual = usual_times(table(*[("one", CURRENT, TENTHS_S[place])] * 20))
    above, two_above = (*TENTHS_S, SLOWEST_S)[place + 1 : place + 3]
    rows = [("one", v, s) for v in (CURRENT, NEW) for s in (TENTHS_S[place], above, two_above)]
    told = told_by_devices(gold(tmp_path, *rows), {}, usual, None, **VERSIONS)
    assert (told[CURRENT]["slow"], told[NEW]["slow"]) == (2, 1)


def test_a_case_labelled_later_is_timed_once(tmp_path):
    usual = usual_times(table(*[("one", CURRENT, FAST)] * 20))
    before, since = T0 - timedelta(hours=1), T0
    rows = [("one", NEW, FAST, before), ("one", NEW, FAST, T0)]
    told = told_by_devices(gold(tmp_path, *rows), {}, usual, since, **VERSIONS)
    assert told[NEW]["cases"] == 1


def test_nothing_is_slow_before_anybody_told_what_is_usual_but_a_failure_counts(tmp_path):
    usual = usual_times(table(("one", CURRENT, FAST)).slice(1))
    cases = gold(tmp_path, ("one", NEW, SLOW), ("one", CURRENT, None))
    assert told_by_devices(cases, {}, usual, None, **VERSIONS) == {}
    told = told_by_devices(cases, Counter({NEW: 2}), usual, None, **VERSIONS)
    assert told == {NEW: {"cases": 2, "errors": 2, "slow": 0}}


def test_failures_are_those_the_lake_got_in_the_time(tmp_path):
    lake = Lake(str(tmp_path))
    assert failures(lake, None, T0) == Counter()
    rows = [a_failure(n, NEW if n else CURRENT, T0 + timedelta(hours=n)) for n in range(4)]
    lake.append(BRONZE_EVENTS, pa.Table.from_pylist(rows, schema=BRONZE_EVENTS.schema))
    assert failures(lake, None, T0 + timedelta(days=1)) == {CURRENT: 1, NEW: 3}
    hour = timedelta(hours=1)
    assert failures(lake, T0 + hour, T0 + 3 * hour) == {NEW: 2}


def a_failure(number, version, at):
    return {
        "event_id": f"event-{number}",
        "kind": "model_failure",
        "case_id": f"event-{number}",
        "source": "stream",
        "clinic": "c",
        "event_time": at,
        "ingested_at": at,
        "batch": 1,
        "offset": number,
        "content_sha256": "0" * 64,
        "schema_version": 2,
        "payload": json.dumps({"bundle_version": version}),
    }


def test_gold_of_before_devices_told_has_no_times(tmp_path):
    write_gold(tmp_path, tiny_loop.cases(5), model=CURRENT)
    assert engine_times(tmp_path, CURRENT, None, None).num_rows == 0
    old = tmp_path / "old"
    write_gold(old, tiny_loop.cases(5), model=CURRENT, without=("engine_s",))
    assert engine_times(old, CURRENT, None, None).num_rows == 0
    assert read_cases(old).table.column("engine_s").null_count == 5


def test_what_clouds_and_devices_tell_is_added():
    clouds = {NEW: {"cases": 5, "errors": 0, "slow": 2}}
    devices = {
        NEW: {"cases": 7, "errors": 1, "slow": 0},
        CURRENT: {"cases": 1, "errors": 0, "slow": 0},
    }
    assert together(({}, clouds, devices)) == {
        NEW: {"cases": 12, "errors": 1, "slow": 2},
        CURRENT: {"cases": 1, "errors": 0, "slow": 0},
    }
