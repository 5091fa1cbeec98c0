"""The definitions on Apache Spark itself: the same rows as on the embedded engine."""

import os
import shutil

import pytest
from support.lake_records import DAY, NOON, diagnosis, feedback, findings, visit

from training.lake.bronze import Bronze
from training.lake.build import build
from training.lake.engine import NativeEngine, open_engine
from training.lake.gold import read_cases
from training.lake.place import Lake

NO_JAVA = "no Java here: install openjdk-17-jre-headless to test on Apache Spark"


def java_or_reason():
    """Skip without a Java; where CI installed one, its absence is a failure."""
    if shutil.which("java") is None:
        if os.environ.get("VEREDA_REQUIRE_JAVA"):
            pytest.fail(NO_JAVA)
        pytest.skip(NO_JAVA)


def records():
    told = [
        diagnosis(patient=f"{i:02x}" * 32, stated=findings(p1="present", p1354="excluded"))
        for i in range(4)
    ]
    again = diagnosis(patient="00" * 32, stated=findings(p1="present", p1354="excluded"))
    words = [feedback(t, disease="VD:croup", at=NOON + DAY) for t in told[:3]]
    parts = [
        visit("a", part="1", observations=[("8310-5", "degF", 101.3), ("2708-6", "percent", 0)]),
        visit(
            "a", part="2", at=NOON + DAY, conditions=[("J18.9", "provisional"), ("R51", "refuted")]
        ),
    ]
    return [*told, again, *words], parts


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_spark_and_the_embedded_engine_make_the_same_gold(tmp_path, session, ears):
    java_or_reason()
    runs = records()
    lakes = {name: Lake(str(tmp_path / name)) for name in ("embedded", "spark")}
    with open_engine("spark", lakes["spark"]) as on_spark:
        engines = {
            "embedded": NativeEngine("embedded", session, lakes["embedded"]),
            "spark": on_spark,
        }
        for arriving in runs:
            for name, lake in lakes.items():
                Bronze(lake, now=NOON).store(arriving)
                build(lake, engines[name], ears)
    embedded, spark = (
        read_cases(lake.address, labelled=False).table.to_pylist() for lake in lakes.values()
    )
    assert len(embedded) == 5
    assert spark == embedded
