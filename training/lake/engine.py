"""What runs the DataFrame code: the embedded engine, Databricks, or a Spark without Delta's jar.

All three take the same transformations. They differ in how a session starts and in who reads and
writes Delta: the engine itself, or delta-rs.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import deltalake
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its usual name
from pyspark.sql.pandas.types import from_arrow_schema

from training.lake.place import Lake
from training.lake.tables import WEEK, LakeTable

_STAGING: Final = "_staging"


class Engine(ABC):
    """Reads, stages and publishes the tables of one lake."""

    name: str

    def __init__(self, spark: SparkSession, lake: Lake) -> None:
        self.spark, self._lake = spark, lake
        self._staged: set[str] = set()

    @abstractmethod
    def read(self, table: LakeTable) -> DataFrame:
        """Return the newest version of a table, made empty when it is not there."""

    @abstractmethod
    def overwrite(self, table: LakeTable, rows: DataFrame) -> None:
        """Put `rows` in the place of the whole table, in one version."""

    @abstractmethod
    def _append(self, table: LakeTable, rows: DataFrame) -> None: ...

    @abstractmethod
    def _rewrite(self, table: LakeTable, rows: DataFrame, weeks: Sequence[str]) -> None:
        """Put `rows` in the place of these weeks of the table, in one version."""

    def replace(self, table: LakeTable, rows: DataFrame, cases: DataFrame) -> None:
        """Put `rows` (staged) in the place of all rows of `cases`, in one version.

        cases: column case_id. Cases the table does not hold are appended; else the weeks that hold
        some are written anew. Done twice it leaves the same table.
        """
        names, standing = table.schema.names, self.read(table)
        weeks = {True: set[str](), False: set[str]()}  # held already -> weeks
        held = standing.join(cases, "case_id", "left_semi").select(WEEK, F.lit(col=True))
        coming = rows.select(WEEK, F.lit(col=False))
        for week, is_held in held.union(coming).distinct().collect():
            weeks[is_held].add(week)
        if weeks[True]:
            touched = sorted(weeks[True] | weeks[False])
            kept = standing.where(F.col(WEEK).isin(touched)).join(cases, "case_id", "left_anti")
            self._rewrite(table, kept.select(*names).unionByName(rows.select(*names)), touched)
        elif weeks[False]:
            self._append(table, rows.select(*names))

    def stage(self, name: str, rows: DataFrame) -> DataFrame:
        """Compute `rows` once, keep them beside the tables, and return them as kept."""
        place = f"{self._lake.address}/{_STAGING}/{name}"
        self._staged.add(place)
        rows.write.mode("overwrite").parquet(place)
        return self.spark.read.schema(rows.schema).parquet(place)  # without rows, without a file

    def forget_staged(self) -> None:
        """Empty what `stage` kept: it holds rows an erasure would not find."""
        nothing = self.spark.createDataFrame([], "nothing int")
        for place in self._staged:
            nothing.write.mode("overwrite").parquet(place)
        self._staged.clear()

    def frame(self, rows: pa.Table) -> DataFrame:
        """Return a small table of this process as a DataFrame."""
        if not rows.num_rows:  # Spark reads no nested column without a chunk
            rows = pa.Table.from_batches([pa.RecordBatch.from_pylist([], rows.schema)])
        return self.spark.createDataFrame(rows)


class NativeEngine(Engine):
    """An engine that speaks Delta itself: the embedded one, and Databricks."""

    def __init__(self, name: str, spark: SparkSession, lake: Lake) -> None:
        super().__init__(spark, lake)
        self.name = name

    def read(self, table: LakeTable) -> DataFrame:
        """See `Engine.read`."""
        self._lake.open(table)
        return self.spark.read.format("delta").load(self._lake.path(table))

    def overwrite(self, table: LakeTable, rows: DataFrame) -> None:
        """See `Engine.overwrite`."""
        self._lake.open(table)
        rows.write.format("delta").mode("overwrite").save(self._lake.path(table))

    def _append(self, table: LakeTable, rows: DataFrame) -> None:
        rows.write.format("delta").mode("append").save(self._lake.path(table))

    def _rewrite(self, table: LakeTable, rows: DataFrame, weeks: Sequence[str]) -> None:
        writer = rows.write.format("delta").mode("overwrite")
        writer.option("replaceWhere", _in_weeks(weeks)).save(self._lake.path(table))


class ArrowEngine(Engine):
    """A Spark without Delta's jar: it reads the files of the newest version, delta-rs writes.

    What is written passes through this process as Arrow. For tests of the real Spark and for small
    clusters; Databricks has no need of it.
    """

    name = "spark"

    def read(self, table: LakeTable) -> DataFrame:
        """See `Engine.read`."""
        files = self._lake.open(table).file_uris()
        if not files:
            return self.frame(table.empty())
        reader = self.spark.read.schema(from_arrow_schema(table.schema))
        rows = reader.option("basePath", self._lake.path(table)).parquet(*files)
        return rows.select(*table.schema.names)

    def overwrite(self, table: LakeTable, rows: DataFrame) -> None:
        """See `Engine.overwrite`."""
        deltalake.write_deltalake(
            self._lake.open(table), self._arrow(table, rows), mode="overwrite"
        )

    def _append(self, table: LakeTable, rows: DataFrame) -> None:
        deltalake.write_deltalake(self._lake.open(table), self._arrow(table, rows), mode="append")

    def _rewrite(self, table: LakeTable, rows: DataFrame, weeks: Sequence[str]) -> None:
        deltalake.write_deltalake(
            self._lake.open(table),
            self._arrow(table, rows),
            mode="overwrite",
            predicate=_in_weeks(weeks),
        )

    @staticmethod
    def _arrow(table: LakeTable, rows: DataFrame) -> pa.Table:
        return rows.select(*table.schema.names).toArrow().cast(table.schema)


def _in_weeks(weeks: Sequence[str]) -> str:
    return f"{WEEK} IN ({', '.join(repr(week) for week in weeks)})"


def weeks_of(rows: DataFrame) -> list[str]:
    """Return the weeks that hold a row, sorted."""
    return sorted(row[0] for row in rows.select(WEEK).distinct().collect())


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
    session: SparkSession = (
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
    return session


def _in_utc(spark: SparkSession) -> SparkSession:
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark
