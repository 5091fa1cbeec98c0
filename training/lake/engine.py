"""What runs the DataFrame code: the embedded engine, Databricks, or a Spark without Delta's jar.

All three take the same transformations. They differ in how a session starts and in who reads and
writes Delta: the engine itself, or delta-rs by way of Arrow.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import deltalake
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from training.lake.place import Lake
from training.lake.tables import LakeTable

_STAGING: Final = "_staging"
_UPSERT: Final = "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"


class Engine(Protocol):
    """Reads, stages and publishes the tables of one lake."""

    name: str
    spark: SparkSession

    def read(self, table: LakeTable) -> DataFrame:
        """Return the newest version of a table."""

    def stage(self, name: str, rows: DataFrame) -> DataFrame:
        """Compute `rows` once, keep them beside the tables, and return them as kept."""

    def forget_staged(self) -> None:
        """Empty what `stage` kept: it holds rows an erasure would not find."""

    def replace(self, table: LakeTable, rows: DataFrame, cases: DataFrame | None = None) -> None:
        """Put `rows` (staged) in the place of all rows of `cases`, by default of their own cases.

        cases: column case_id, distinct. Without it a table of one row a case is merged in one
        version; with it the rows go and then come. Done twice it leaves the same table;
        interrupted, it is done again.
        """

    def overwrite(self, table: LakeTable, rows: DataFrame) -> None:
        """Put `rows` in the place of the whole table, in one version."""

    def frame(self, rows: pa.Table) -> DataFrame:
        """Return a small table of this process as a DataFrame."""


class _Sparkly:
    """What every engine does alike."""

    def __init__(self, spark: SparkSession, lake: Lake) -> None:
        self.spark, self._lake = spark, lake
        self._staged: set[str] = set()

    def stage(self, name: str, rows: DataFrame) -> DataFrame:
        place = f"{self._lake.address}/{_STAGING}/{name}"
        self._staged.add(place)
        rows.write.mode("overwrite").parquet(place)
        return self.spark.read.schema(rows.schema).parquet(place)  # without rows, without a file

    def forget_staged(self) -> None:
        nothing = self.spark.createDataFrame([], "nothing int")
        for place in self._staged:
            nothing.write.mode("overwrite").parquet(place)
        self._staged.clear()

    def frame(self, rows: pa.Table) -> DataFrame:
        if not rows.num_rows:  # Spark reads no nested column without a chunk
            rows = pa.Table.from_batches([pa.RecordBatch.from_pylist([], rows.schema)])
        return self.spark.createDataFrame(rows)

    def _cases_in(self, table: DataFrame, cases: DataFrame) -> bool:
        return table.select("case_id").join(cases, "case_id", "left_semi").limit(1).count() > 0


class NativeEngine(_Sparkly):
    """An engine that speaks Delta itself: the embedded one, and Databricks."""

    def __init__(self, name: str, spark: SparkSession, lake: Lake) -> None:
        super().__init__(spark, lake)
        self.name = name

    def read(self, table: LakeTable) -> DataFrame:
        """Return the newest version of a table, made empty when it is not there."""
        self._lake.open(table)
        return self.spark.read.format("delta").load(self._lake.path(table))

    def replace(self, table: LakeTable, rows: DataFrame, cases: DataFrame | None = None) -> None:
        """See `Engine.replace`."""
        touched = rows.select("case_id").distinct() if cases is None else cases
        if self._cases_in(self.read(table), touched):
            if cases is None:
                self._merge(table, rows, _UPSERT)
                return
            self._merge(table, touched, "WHEN MATCHED THEN DELETE")
        rows.write.format("delta").mode("append").save(self._lake.path(table))

    def overwrite(self, table: LakeTable, rows: DataFrame) -> None:
        """See `Engine.overwrite`."""
        self._lake.open(table)
        rows.write.format("delta").mode("overwrite").save(self._lake.path(table))

    def _merge(self, table: LakeTable, rows: DataFrame, clauses: str) -> None:
        rows.createOrReplaceTempView("lake_rows")
        self.spark.sql(
            f"MERGE INTO delta.`{self._lake.path(table)}` AS t USING lake_rows AS s "
            f"ON t.case_id = s.case_id {clauses}"
        )


class ArrowEngine(_Sparkly):
    """A Spark without Delta's jar: delta-rs reads and writes, by way of Arrow on the driver.

    For tests of the real Spark and for small clusters; Databricks has no need of it.
    """

    name = "spark"

    def read(self, table: LakeTable) -> DataFrame:
        """Return the newest version of a table by way of Arrow."""
        rows = self._lake.open(table).to_pyarrow_table().select(table.schema.names)
        return self.frame(rows.cast(table.schema))

    def replace(self, table: LakeTable, rows: DataFrame, cases: DataFrame | None = None) -> None:
        """See `Engine.replace`."""
        arrow = rows.select(*table.schema.names).toArrow().cast(table.schema)
        touched = rows.select("case_id").distinct() if cases is None else cases
        if self._cases_in(self.read(table), touched):
            if cases is None:
                merge = self._merging(table, arrow)
                merge.when_matched_update_all().when_not_matched_insert_all().execute()
                return
            self._merging(table, touched.toArrow()).when_matched_delete().execute()
        deltalake.write_deltalake(self._lake.open(table), arrow, mode="append")

    def _merging(self, table: LakeTable, rows: pa.Table) -> deltalake.table.TableMerger:
        on = "t.case_id = s.case_id"
        return self._lake.open(table).merge(rows, on, source_alias="s", target_alias="t")

    def overwrite(self, table: LakeTable, rows: DataFrame) -> None:
        """See `Engine.overwrite`."""
        arrow = rows.select(*table.schema.names).toArrow().cast(table.schema)
        deltalake.write_deltalake(self._lake.open(table), arrow, mode="overwrite")


@contextmanager
def open_engine(name: str, lake: Lake) -> Iterator[Engine]:
    """Yield the engine `name` on `lake`; its session ends with the block."""
    match name:
        case "embedded":
            with embedded_session() as spark:
                yield NativeEngine(name, _in_utc(spark), lake)
        case "spark":
            spark = _local_spark()
            try:
                yield ArrowEngine(_in_utc(spark), lake)
            finally:
                spark.stop()
        case _:
            spark = SparkSession.builder.getOrCreate()
            yield NativeEngine(name, _in_utc(spark), lake)


@contextmanager
def embedded_session() -> Iterator[SparkSession]:
    """Yield a session on pysail, a Spark Connect server without a JVM, on loopback."""
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer  # noqa: PLC0415 - a Rust engine, only when used

    server: Any = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    try:
        _, port = server.listening_address
        spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
        try:
            yield spark
        finally:
            spark.stop()
    finally:
        server.stop()


def _local_spark() -> SparkSession:
    """Return Apache Spark in this process's own JVM, on loopback.

    A process that uses the embedded engine speaks Spark Connect, and so do its children by the
    environment they inherit; the two engines want a process each.
    """
    os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
    builder: Any = SparkSession.builder
    return (
        builder.master("local[2]")
        .appName("vereda-lake")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )


def _in_utc(spark: SparkSession) -> SparkSession:
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


def highest_batch(engine: Engine, table: LakeTable) -> int:
    """Return the newest batch in a table, 0 when it is empty."""
    row = engine.read(table).agg(F.max("batch")).collect()[0]
    return int(row[0] or 0)
