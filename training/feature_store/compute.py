"""Gold to features, in the same DataFrame code as the lake.

A patient's or clinic's state changes when a visit enters the lake and again when its label does;
each change is a row, dated by when it was known.
"""

from typing import Final

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from ddx.domain.finding import Presence
from training.feature_store.tables import CLINIC_FEATURES, PATIENT_FEATURES

_DAY_S: Final = 86_400
_YEAR_S: Final = 365 * _DAY_S
_FOUR_WEEKS: Final = 28
_FEVER: Final = "HP:0001945"


def patient_features(gold: DataFrame) -> DataFrame:
    """Return a row per moment at which something became known of a patient."""
    known = _moments(gold.where(F.col("patient").isNotNull()), "patient")
    order = Window.partitionBy("patient").orderBy("available_at", "is_label", "case_id")
    year = Window.partitionBy("patient").orderBy("_s").rangeBetween(-_YEAR_S, 0)
    visit, label = F.col("is_label") == 0, F.col("is_label") == 1
    newest = Window.partitionBy("patient", "available_at").orderBy(
        F.desc("is_label"), F.desc("case_id")
    )
    apart = F.col("_last._e") - F.col("_last._before")
    visits = known.withColumn("_before", F.max(F.when(visit, F.col("_e"))).over(_earlier(order)))
    return (
        visits.withColumn("visits_365d", _count(visit).over(year))
        .withColumn(
            "_last",
            F.last(
                F.when(visit, F.struct("_e", "_before", "temperature_c", "spo2_percent")),
                ignorenulls=True,
            ).over(order),
        )
        .withColumn(
            "last_disease", F.last(F.when(label, F.col("disease")), ignorenulls=True).over(order)
        )
        .withColumn("_n", F.row_number().over(newest))
        .where("_n = 1")
        .withColumn(
            "days_since_previous_visit",
            F.when(apart < 0, 0).otherwise(apart) / _DAY_S,
        )
        .withColumn("last_temperature_c", F.col("_last.temperature_c"))
        .withColumn("last_spo2_percent", F.col("_last.spo2_percent"))
        .withColumn("made_at", F.current_timestamp())
        .select(*PATIENT_FEATURES.schema.names)
    )


def _earlier(order: WindowSpec) -> WindowSpec:
    return order.rowsBetween(Window.unboundedPreceding, -1)


def clinic_features(gold: DataFrame) -> DataFrame:
    """Return a row per clinic and day with news: its last four weeks, known from midnight."""
    fever = F.get(F.filter("findings", lambda f: f["id"] == _FEVER), 0)["presence"]
    visit, label = F.col("is_label") == 0, F.col("is_label") == 1
    daily = (
        _moments(gold.withColumn("fever", fever), "clinic")
        .withColumn("_day", F.to_date("available_at"))
        .groupBy("clinic", "_day")
        .agg(
            _count(visit).alias("cases"),
            _count(visit & (F.col("fever") == Presence.PRESENT.value)).alias("febrile"),
            _count(visit & F.col("fever").isNotNull()).alias("asked"),
            _count(label).alias("confirmed"),
        )
        .withColumn("_at", F.datediff("_day", F.lit("1970-01-01").cast("date")))
    )
    weeks = Window.partitionBy("clinic").orderBy("_at").rangeBetween(1 - _FOUR_WEEKS, 0)
    asked = F.sum("asked").over(weeks)
    return daily.select(
        "clinic",
        F.date_add("_day", 1).cast("timestamp").alias("available_at"),
        F.current_timestamp().alias("made_at"),
        F.sum("cases").over(weeks).alias("cases_28d"),
        F.when(asked > 0, F.sum("febrile").over(weeks) / asked).alias("fever_share_28d"),
        F.sum("confirmed").over(weeks).alias("confirmed_28d"),
    ).select(*CLINIC_FEATURES.schema.names)


def _moments(gold: DataFrame, entity: str) -> DataFrame:
    """Return each visit when it was in the lake, and each confirmed label when it was."""
    kept = [entity, "case_id", "event_time", "temperature_c", "spo2_percent", "disease"]
    kept += ["fever"] if "fever" in gold.columns else []
    visits = gold.select(
        *kept,
        F.greatest("event_time", "ingested_at").alias("available_at"),
        F.lit(0).alias("is_label"),
    )
    labels = gold.where(F.col("confirmed")).select(
        *kept,
        F.greatest("event_time", "known_at").alias("available_at"),
        F.lit(1).alias("is_label"),
    )
    return (
        visits.unionByName(labels)
        .withColumn("_s", F.unix_timestamp("available_at"))
        .withColumn("_e", F.unix_timestamp("event_time"))
    )


def _count(holds: Column) -> Column:
    return F.sum(F.when(holds, 1).otherwise(0))
