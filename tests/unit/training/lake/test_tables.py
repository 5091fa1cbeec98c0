"""What readers filter by has statistics, for without them delta-rs finds nothing."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from support import tiny_loop
from support.gold_lake import START, write_gold

from training.lake.gold import read_cases
from training.lake.tables import BRONZE_EVENTS, GOLD_CASES, SILVER_CASES, SILVER_LABELS

WITH_STATISTICS = 32
"""Source: Delta Lake, delta.dataSkippingNumIndexedCols."""

FILTERED = (
    (BRONZE_EVENTS, ("kind", "source", "offset", "ingested_at", "case_id", "batch")),
    (SILVER_CASES, ("case_id", "batch")),
    (SILVER_LABELS, ("case_id", "batch")),
    (GOLD_CASES, ("case_id", "event_time", "known_at", "disease", "bundle_version")),
)


def leaves(type_):
    if pa.types.is_list(type_):
        return leaves(type_.value_type)
    return sum(leaves(f.type) for f in type_.fields) if pa.types.is_struct(type_) else 1


@pytest.mark.parametrize(("table", "names"), FILTERED, ids=lambda v: getattr(v, "name", ""))
def test_what_readers_filter_by_is_among_the_columns_with_statistics(table, names):
    for name in names:
        place = table.schema.get_field_index(name)
        assert sum(leaves(f.type) for f in list(table.schema)[: place + 1]) <= WITH_STATISTICS


@pytest.mark.parametrize("clock", ["event_time", "known_at"])
def test_cases_are_found_by_either_clock(tmp_path, clock):
    write_gold(tmp_path, tiny_loop.cases(5))
    hour = timedelta(hours=1)
    assert len(read_cases(tmp_path, START - hour, START + hour, clock=clock)) == 5
    assert len(read_cases(tmp_path, datetime(2027, 1, 1, tzinfo=UTC), clock=clock)) == 0
