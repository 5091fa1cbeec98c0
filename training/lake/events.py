"""Bronze read for silver: the payload's JSON opened once, in DataFrame code.

Everything from here to gold is PySpark over Spark Connect: the same lines run in the embedded
engine, on Spark and on Databricks (docs/adr/0022).
"""

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from training.lake.tables import VITALS, Kind

_SPARK_TYPE: Final = {"double": "double", "bool": "boolean"}
_VITALS: Final = ", ".join(f"{v.name}: {_SPARK_TYPE[str(v.type)]}" for v in VITALS)

PAYLOAD: Final = (
    "patient_pseudonym string, "
    "case struct<age_days: bigint, sex: string, "
    "findings: array<struct<id: string, presence: string, grade: double, severity: string, "
    f"onset_days: bigint>>, vitals: struct<{_VITALS}>>, "
    "observations array<struct<code: string, unit: string, value: double>>, "
    "conditions array<struct<system: string, code: string, status: string>>, "
    "labels array<struct<disease: string, label_source: string, confirmed: boolean>>, "
    "differential struct<candidates: array<struct<rank: int, disease: string, "
    "probability: double>>, bundle_version: string>, "
    "verb string, disease string"
)
"""The fields of diagnosis, feedback and visit that silver reads; the others stay in bronze."""

_ENVELOPE: Final = (
    "event_id",
    "case_id",
    "kind",
    "source",
    "clinic",
    "event_time",
    "ingested_at",
    "batch",
    "content_sha256",
)


def opened(bronze: DataFrame) -> DataFrame:
    """Return bronze rows once per event, the payload opened as the struct `p`."""
    return bronze.select(*_ENVELOPE, F.from_json("payload", PAYLOAD).alias("p"))


def pending(bronze: DataFrame, after: int, upto: int) -> DataFrame:
    """Return the rows that silver must read again: after < batch <= upto, and what belongs to them.

    A diagnosis stands alone and never changes. Visits come in parts, and a case can have several
    feedbacks: of a case touched by the new rows, all such rows are returned.
    """
    held = bronze.where(F.col("batch") <= upto)
    fresh = held.where(F.col("batch") > after)
    if after == 0:
        return fresh
    parts = held.where(F.col("kind").isin(Kind.VISIT.value, Kind.FEEDBACK.value))
    earlier = parts.where(F.col("batch") <= after)
    touched = fresh.where(F.col("kind") != Kind.DIAGNOSIS.value).select("case_id").distinct()
    return fresh.unionByName(earlier.join(touched, "case_id", "left_semi"))
