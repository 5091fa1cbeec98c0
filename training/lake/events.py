"""Bronze read for silver: the payload's JSON opened once, in DataFrame code.

Everything from here to gold is PySpark over Spark Connect: the same lines run in the embedded
engine, on Spark and on Databricks (docs/adr/0022).
"""

from dataclasses import dataclass
from typing import Final

from pyspark.sql import Column, DataFrame
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
    "probability: double>>, bundle_version: string>, engine_s double, "
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


PIECE_BYTES: Final = 64 * 2**20
"""Payload a step of `build` takes at once, some 80,000 events of clinics: about 1 GB of memory with
the engine (docs/lake.md, "Figures"). A batch is never divided; it is one commit of bronze."""


def tells_of_a_case() -> Column:
    """Return whether an event tells of a case."""
    return F.col("kind").isin(Kind.DIAGNOSIS.value, Kind.VISIT.value)


def may_label() -> Column:
    """Return whether an event may label a case."""
    return F.col("kind").isin(Kind.FEEDBACK.value, Kind.VISIT.value)


def opened(bronze: DataFrame) -> DataFrame:
    """Return bronze rows once per event, the payload opened as the struct `p`."""
    return bronze.select(*_ENVELOPE, F.from_json("payload", PAYLOAD).alias("p"))


@dataclass(frozen=True, slots=True)
class Piece:
    """Batches of bronze that one step reads: after < batch <= upto."""

    after: int
    upto: int


def pieces(bronze: DataFrame, after: int) -> tuple[Piece, ...]:
    """Return what is newer than `after` in pieces of about PIECE_BYTES, whole batches each."""
    sizes = (
        bronze.where(F.col("batch") > after)
        .groupBy("batch")
        .agg(F.sum(F.length("payload")).alias("size"))
        .orderBy("batch")
        .collect()
    )
    found, held = list[Piece](), 0
    for row in sizes:
        if found and held + row["size"] <= PIECE_BYTES:
            found[-1] = Piece(found[-1].after, row["batch"])
            held += row["size"]
        else:
            found.append(Piece(found[-1].upto if found else after, row["batch"]))
            held = row["size"]
    return tuple(found)


def pending(bronze: DataFrame, piece: Piece) -> DataFrame:
    """Return the rows of `piece`, and the older ones that belong to them.

    Of a case told of again all that was told, of a case labelled again all that labels: visits come
    in parts, and a case can have several feedbacks. Older rows are looked for by their ids alone;
    only the batches that hold some are opened.
    """
    new = (F.col("batch") > piece.after) & (F.col("batch") <= piece.upto)
    fresh = bronze.where(new)
    if not piece.after:
        return fresh
    touched = fresh.groupBy("case_id").agg(
        F.max(tells_of_a_case()).alias("_told"), F.max(may_label()).alias("_labelled")
    )
    older = bronze.where(F.col("batch") <= piece.after)
    where = sorted(
        row["batch"]
        for row in _belonging(older.select("case_id", "kind", "batch"), touched)
        .select("batch")
        .distinct()
        .collect()
    )
    if not where:
        return fresh
    held = _belonging(bronze.where(F.col("batch").isin(where)), touched)
    return fresh.unionByName(held.select(*bronze.columns))


def _belonging(older: DataFrame, touched: DataFrame) -> DataFrame:
    return older.join(touched, "case_id").where(
        (F.col("_told") & tells_of_a_case()) | (F.col("_labelled") & may_label())
    )
