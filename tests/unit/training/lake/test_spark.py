"""The definitions on Apache Spark itself: the same rows as on the embedded engine."""

import multiprocessing
import os
import shutil

import pytest
from support.lake_records import DAY, NOON, diagnosis, feedback, findings, visit

from training.lake.bronze import Bronze
from training.lake.build import build
from training.lake.engine import NativeEngine, open_engine
from training.lake.gold import read_cases
from training.lake.place import Lake

QUICK = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",  # compiling costs more than a dozen rows
}
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


def build_alone(address):
    """Bring a lake up on Apache Spark. Runs in a process of its own."""
    from support.lake_records import Ears

    from training.lake import build as module
    from training.lake.expectations import Verdict

    module.require = lambda suite, *_: Verdict(suite, 0, 0, ())
    lake = Lake(address)
    with open_engine("spark", lake) as engine:
        for name, value in QUICK.items():
            engine.spark.conf.set(name, value)
        build(lake, engine, Ears())


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_spark_and_the_embedded_engine_make_the_same_gold(tmp_path, session, ears):
    java_or_reason()
    on_spark, embedded = (Lake(str(tmp_path / name)) for name in ("spark", "embedded"))
    for arriving in records():
        for lake in (on_spark, embedded):
            Bronze(lake, now=NOON).store(arriving)
    build(embedded, NativeEngine("embedded", session, embedded), ears)
    alone = multiprocessing.get_context("spawn").Process(
        target=build_alone, args=(on_spark.address,)
    )
    alone.start()
    alone.join(280)
    alone.kill()
    assert alone.exitcode == 0
    spark, sail = (
        read_cases(lake.address, labelled=False).table.to_pylist() for lake in (on_spark, embedded)
    )
    assert len(sail) == 5
    assert spark == sail
