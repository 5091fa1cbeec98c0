"""The core of bronze to gold in three ways: the project's definitions, Polars, Ibis on DuckDB.

What all three do: open the payload's JSON, keep the earliest event of each case, one row per case
and finding (seen wins), the newest label, and gold with findings as a sorted list. Units, condition
codes, aliases, repeats and suites are left out of every one of them.
"""

from pathlib import Path

import ibis
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from pyspark.sql import Window
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from training.lake.engine import Engine
from training.lake.events import opened
from training.lake.place import Lake
from training.lake.tables import BRONZE_EVENTS

FINDING = pl.Struct({"id": pl.String, "presence": pl.String, "grade": pl.Float64})
PAYLOAD = pl.Struct(
    {
        "patient_pseudonym": pl.String,
        "case": pl.Struct(
            {
                "age_days": pl.Int64,
                "sex": pl.String,
                "findings": pl.List(FINDING),
                "vitals": pl.Struct({"temperature_c": pl.Float64, "heart_rate_bpm": pl.Float64}),
            }
        ),
        "disease": pl.String,
    }
)


def on_engine(engine: Engine) -> int:
    """Return the number of gold cases; PySpark on the engine given."""
    events = engine.stage("core_events", opened(engine.read(BRONZE_EVENTS)))
    told = events.where("kind = 'diagnosis'")
    first = Window.partitionBy("case_id").orderBy("event_time", "event_id")
    cases = told.withColumn("n", F.row_number().over(first)).where("n = 1")
    findings = (
        told.select("case_id", F.explode("p.case.findings").alias("f"))
        .groupBy("case_id", "f.id")
        .agg(F.max(F.struct("f.presence", "f.grade")).alias("s"))
        .groupBy("case_id")
        .agg(
            F.sort_array(F.collect_list(F.struct("id", "s.presence", "s.grade"))).alias("findings")
        )
    )
    newest = Window.partitionBy("case_id").orderBy(F.desc("event_time"))
    labels = (
        events.where("kind = 'feedback'")
        .select("case_id", "event_time", F.col("p.disease").alias("disease"))
        .withColumn("n", F.row_number().over(newest))
        .where("n = 1")
        .select("case_id", "disease")
    )
    vitals = [F.col(f"p.case.vitals.{n}").alias(n) for n in ("temperature_c", "heart_rate_bpm")]
    people = cases.select(
        "case_id", "event_time", "p.case.age_days", "p.case.sex", "p.patient_pseudonym", *vitals
    )
    gold = people.join(findings, "case_id", "left").join(labels, "case_id", "left")
    return engine.stage("core_gold", gold).count()


def on_polars(lake: Lake) -> int:
    """Return the number of gold cases; Polars, lazily, by way of Arrow."""
    whole = pl.from_arrow(_bronze(lake))
    assert isinstance(whole, pl.DataFrame)
    events = (
        whole.lazy()
        .with_columns(pl.col("payload").str.json_decode(PAYLOAD).alias("p"))
        .drop("payload")
    )
    told = events.filter(pl.col("kind") == "diagnosis")
    case = pl.col("p").struct.field("case").struct
    cases = (
        told.sort("event_time", "event_id")
        .unique("case_id", keep="first")
        .select(
            "case_id",
            "event_time",
            case.field("age_days"),
            case.field("sex"),
            pl.col("p").struct.field("patient_pseudonym"),
            case.field("vitals").struct.unnest(),
        )
    )
    findings = (
        told.select("case_id", case.field("findings").alias("f"))
        .explode("f")
        .unnest("f")
        .sort("presence", "grade", descending=True, nulls_last=True)
        .unique(["case_id", "id"], keep="first")
        .sort("id")
        .group_by("case_id")
        .agg(pl.struct("id", "presence", "grade").alias("findings"))
    )
    labels = (
        events.filter(pl.col("kind") == "feedback")
        .sort("event_time", descending=True)
        .unique("case_id", keep="first")
        .select("case_id", pl.col("p").struct.field("disease"))
    )
    gold = cases.join(findings, on="case_id", how="left").join(labels, on="case_id", how="left")
    return _written(lake, gold.collect().to_arrow())


def on_ibis(lake: Lake) -> int:
    """Return the number of gold cases; Ibis expressions on DuckDB."""
    connection = ibis.duckdb.connect(threads=2)
    events = ibis.memtable(_bronze(lake))
    payload = events.payload.cast("json")
    told = events.mutate(p=payload).filter(events.kind == "diagnosis")
    first = ibis.window(group_by="case_id", order_by=["event_time", "event_id"])
    case = told.p["case"]
    cases = (
        told.mutate(n=ibis.row_number().over(first))
        .filter(lambda t: t.n == 0)
        .select(
            "case_id",
            "event_time",
            age_days=lambda t: t.p["case"]["age_days"].int,
            sex=lambda t: t.p["case"]["sex"].str,
            patient=lambda t: t.p["patient_pseudonym"].str,
            temperature_c=lambda t: t.p["case"]["vitals"]["temperature_c"].float,
            heart_rate_bpm=lambda t: t.p["case"]["vitals"]["heart_rate_bpm"].float,
        )
    )
    each = told.select("case_id", f=case["findings"].array.unnest())
    findings = (
        each.select(
            "case_id",
            id=each.f["id"].str,
            presence=each.f["presence"].str,
            grade=each.f["grade"].float,
        )
        .group_by("case_id", "id")
        .agg(presence=lambda t: t.presence.max(), grade=lambda t: t.grade.max())
        .mutate(f=lambda t: ibis.struct({"id": t.id, "presence": t.presence, "grade": t.grade}))
        .group_by("case_id")
        .agg(findings=lambda t: t.f.collect(order_by=t.id))
    )
    newest = ibis.window(group_by="case_id", order_by=ibis.desc("event_time"))
    labels = (
        events.filter(events.kind == "feedback")
        .mutate(n=ibis.row_number().over(newest), disease=payload["disease"].str)
        .filter(lambda t: t.n == 0)
        .select("case_id", "disease")
    )
    gold = cases.left_join(findings, "case_id").drop("case_id_right")
    gold = gold.left_join(labels, "case_id").drop("case_id_right")
    return _written(lake, connection.to_pyarrow(gold))


def _bronze(lake: Lake) -> pa.Table:
    names = ["event_id", "case_id", "kind", "event_time", "payload"]
    return lake.open(BRONZE_EVENTS).to_pyarrow_dataset().to_table(columns=names)


def _written(lake: Lake, gold: pa.Table) -> int:
    """Write gold to a file, as the engine does, and return its rows."""
    pa.parquet.write_table(gold, Path(lake.address) / "rival.parquet")
    return int(pc.count(gold["case_id"]).as_py())
