"""Silver to gold: one row per case, with its findings, its label and when both were known."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from training.lake.silver import Silver
from training.lake.tables import FINDING, GOLD_CASES


def to_gold(silver: Silver) -> DataFrame:
    """Return the gold rows of the cases of `silver`, repeated records left out.

    A label given to a repeated record counts for the case that stands.
    """
    standing = silver.cases.where(F.col("duplicate_of").isNull()).drop("duplicate_of")
    findings = silver.findings.groupBy("case_id").agg(
        F.sort_array(F.collect_list(F.struct(*(field.name for field in FINDING)))).alias("findings")
    )
    labels = _labels(silver)
    nothing = F.array().cast(
        "array<struct<id: string, presence: string, grade: double, severity: string, "
        "onset_days: bigint>>"
    )
    return (
        standing.join(findings, "case_id", "left")
        .join(labels, "case_id", "left")
        .withColumn("findings", F.coalesce("findings", nothing))
        .withColumn("known_at", F.greatest("ingested_at", "labelled_at"))
        .select(*GOLD_CASES.schema.names)
    )


def _labels(silver: Silver) -> DataFrame:
    """Return the label of each standing case: its own, or the best of its repeats."""
    stands = silver.cases.select("case_id", F.coalesce("duplicate_of", "case_id").alias("standing"))
    best = F.max(
        F.struct("confirmed", "label_time", "disease", "label_source", "ingested_at")
    ).alias("l")
    return (
        silver.labels.join(stands, "case_id")
        .groupBy("standing")
        .agg(best)
        .select(
            F.col("standing").alias("case_id"),
            "l.disease",
            "l.label_source",
            "l.confirmed",
            "l.label_time",
            F.col("l.ingested_at").alias("labelled_at"),
        )
    )
