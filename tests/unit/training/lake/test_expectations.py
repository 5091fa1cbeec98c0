"""The suites let healthy tables pass, name what is broken, and never repeat a value."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from support.lake_records import DAY, NOON, diagnosis, feedback, findings

from training.lake.bronze import Bronze
from training.lake.build import build
from training.lake.expectations import (
    ExpectationsFailedError,
    check,
    require,
    require_trainable,
)
from training.lake.gold import GoldCases, read_cases
from training.lake.tables import GOLD_CASES, SILVER_CASES, SILVER_FINDINGS, SILVER_LABELS

ROWS = 60


@pytest.fixture(scope="module")
def tables(tmp_path_factory, session):
    """A healthy lake, built with its suites on."""
    from support.lake_records import Ears

    from training.lake.engine import NativeEngine
    from training.lake.place import Lake

    lake = Lake(str(tmp_path_factory.mktemp("healthy")))
    told = [
        diagnosis(
            patient=f"{i:02x}" * 32,
            at=NOON + i * DAY,
            stated=findings(p1="present", p2="excluded"),
            temperature_c=36.5 + (i % 4),
            heart_rate_bpm=70.0 + i,
        )
        for i in range(ROWS)
    ]
    words = [
        feedback(t, disease=("VD:croup", "VD:anemia", "VD:pneumonia")[i % 3])
        for i, t in enumerate(told)
    ]
    Bronze(lake).store([*told, *words])
    ears = Ears()
    report = build(lake, NativeEngine("embedded", session, lake), ears)
    assert not ears.heard
    assert report.checked == {
        "silver_cases": ROWS,
        "silver_findings": 2 * ROWS,
        "silver_labels": ROWS,
        "gold_cases": ROWS,
    }
    held = (SILVER_CASES, SILVER_FINDINGS, SILVER_LABELS, GOLD_CASES)
    return {t.name: lake.open(t).to_pyarrow_table().select(t.schema.names) for t in held} | {
        "lake": lake.address
    }


def with_column(table, name, values):
    return table.set_column(table.schema.get_field_index(name), name, values)


def fahrenheit(table):
    return with_column(
        table, "temperature_c", pc.add(pc.multiply(table["temperature_c"], 0.12), 40.0)
    )


def early(table):
    return with_column(table, "known_at", pc.subtract(table["known_at"], DAY))


BROKEN = [
    ("silver_cases", lambda t: pa.concat_tables([t, t]), "unique"),
    ("silver_cases", lambda t: t.drop_columns(["sex"]), "columns"),
    ("silver_cases", lambda t: with_column(t, "age_days", pc.add(t["age_days"], 99_999)), "age"),
    ("silver_cases", fahrenheit, "mean"),
    ("silver_findings", lambda t: pa.concat_tables([t, t]), "case_id, id"),
    (
        "silver_findings",
        lambda t: with_column(t, "presence", pa.array(["unknown"] * t.num_rows)),
        "presence",
    ),
    ("silver_findings", lambda t: t.filter(pc.equal(t["id"], "HP:0000001")), "id"),
    ("silver_labels", lambda t: with_column(t, "disease", pa.array(["Rosa"] * ROWS)), "disease"),
    (
        "gold_cases",
        lambda t: with_column(t, "known_at", pc.subtract(t["known_at"], DAY)),
        "greater",
    ),
]


@pytest.mark.parametrize(("suite", "breaks", "named"), BROKEN)
def test_what_is_broken_is_named_without_a_value(tables, ears, suite, breaks, named):
    with pytest.raises(ExpectationsFailedError) as stopped:
        require(suite, breaks(tables[suite]), ears)
    (alarm,) = ears.heard
    assert any(named in fact for fact in alarm.facts), alarm.facts
    assert "Rosa" not in str(stopped.value)


def test_a_training_of_one_disease_is_refused(tables, ears):
    cases = read_cases(tables["lake"])
    assert require_trainable(cases, ears).failures == ()
    one = with_column(cases.table, "disease", pa.array(["VD:croup"] * ROWS))
    with pytest.raises(ExpectationsFailedError, match="disease"):
        require_trainable(GoldCases(one, cases.version, cases.table_id), ears)


def test_a_few_rows_are_held_to_ranges_and_not_to_means(tables):
    few = fahrenheit(tables["silver_cases"]).slice(0, 5)
    assert check("silver_cases", few).failures == ()
