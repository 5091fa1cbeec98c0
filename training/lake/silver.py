"""Bronze to silver: one row per case, per stated finding, per label.

Normalisation: units to those of `VitalSigns`, codes to ours, alternative HPO ids to current ones.
Imputation: none. A value that is missing, has no known unit or lies outside what the intake form
accepts (`ddx.intake.limits.POSSIBLE`) is null; a finding nobody stated is not there.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from ddx.domain.case import Sex
from ddx.domain.feedback import Verb
from ddx.domain.finding import Presence
from ddx.intake.limits import MAX_GRADE, POSSIBLE
from training.lake.events import tells_of_a_case
from training.lake.tables import (
    SILVER_CASES,
    SILVER_FINDINGS,
    SILVER_LABELS,
    VITALS,
    WEEK,
    Kind,
    LabelSource,
)

_FINDING_ID: Final = r"^(HP:[0-9]{7}|VF:[a-z0-9]+([-.][a-z0-9]+)*)$"
_DISEASE_ID: Final = r"^((OMIM|ORPHA|DECIPHER):[0-9]+|VD:[a-z0-9]+(-[a-z0-9]+)*)$"
_HELD_TRUE: Final = ("confirmed", "provisional", "unstated")
"""Verification status of a condition the record holds true, if only for now. A `differential` says
nothing either way; `refuted` excludes."""


@dataclass(frozen=True, slots=True)
class CodeTables:
    """The code tables as DataFrames.

    observations: code, unit, vital, factor, offset. conditions: system, code, finding, disease.
    aliases: alias, current (HPO ids that were merged into others).
    """

    observations: DataFrame
    conditions: DataFrame
    aliases: DataFrame


@dataclass(frozen=True, slots=True)
class Silver:
    """The three tables of silver, with the columns of `training.lake.tables`."""

    cases: DataFrame
    findings: DataFrame
    labels: DataFrame


def to_silver(events: DataFrame, codes: CodeTables) -> Silver:
    """Return what `events` (see `training.lake.events`) say, every event of a case at hand."""
    told = events.where(tells_of_a_case())
    stated = _conditions(told, codes)
    return Silver(
        cases=_cases(told, codes),
        findings=_findings(told, stated, codes),
        labels=_labels(events, stated),
    )


def _week_of(clock: Column) -> Column:
    """Return the `WEEK` of a timestamp; sessions are in UTC."""
    return F.date_format(F.date_trunc("week", clock), "yyyy-MM-dd")


def _cases(told: DataFrame, codes: CodeTables) -> DataFrame:
    first = _first_per_case(told)
    wide = first.join(_measured(told, codes), "case_id", "left")
    first_ranked = F.filter("p.differential.candidates", lambda candidate: candidate["rank"] == 1)
    top = F.get(first_ranked, 0)
    sex = F.coalesce(F.col("p.case.sex"), F.lit(Sex.UNKNOWN.value))
    columns = {
        "patient": F.col("p.patient_pseudonym"),
        "age_days": F.col("p.case.age_days"),
        "sex": F.when(sex.isin(*map(str, Sex)), sex).otherwise(Sex.UNKNOWN.value),
        "bundle_version": F.col("p.differential.bundle_version"),
        "predicted": top["disease"],
        "predicted_probability": top["probability"],
        "engine_s": F.col("p.engine_s"),
        "duplicate_of": F.lit(None).cast("string"),
        WEEK: _week_of(F.col("event_time")),
    } | {vital.name: _vital(vital.name) for vital in VITALS}
    return wide.select(*(columns.get(n, F.col(n)).alias(n) for n in SILVER_CASES.schema.names))


def _first_per_case(told: DataFrame) -> DataFrame:
    """Return the earliest event of each case, under the newest batch that touched the case."""
    parts = Window.partitionBy("case_id")
    order = parts.orderBy("event_time", "batch", "event_id")
    return (
        told.withColumn("_n", F.row_number().over(order))
        .withColumn("batch", F.max("batch").over(parts))
        .where("_n = 1")
    )


def _vital(name: str) -> Column:
    """Return a vital sign: as the case states it, else as first measured at the visit."""
    if name not in POSSIBLE:
        return F.col(f"p.case.vitals.{name}")
    return F.coalesce(_possible(name, F.col(f"p.case.vitals.{name}")), F.col(f"_{name}"))


def _possible(name: str, value: Column) -> Column:
    return F.when(value.between(POSSIBLE[name].low, POSSIBLE[name].high), value)


def _measured(told: DataFrame, codes: CodeTables) -> DataFrame:
    """Return case_id and `_<vital>`: the first possible value of each, in our units."""
    each = told.select(
        "case_id", "event_time", F.posexplode("p.observations").alias("at", "o")
    ).select("case_id", "event_time", "at", "o.*")
    known = each.join(F.broadcast(codes.observations), ["code", "unit"]).withColumn(
        "value", F.col("value") * F.col("factor") + F.col("offset")
    )
    return known.groupBy("case_id").agg(*(_earliest(name) for name in POSSIBLE))


def _earliest(vital: str) -> Column:
    value = F.col("value")
    usable = (F.col("vital") == vital) & _possible(vital, value).isNotNull()
    first = F.min(F.when(usable, F.struct("event_time", "at", "value")))
    return first["value"].alias(f"_{vital}")


def _conditions(told: DataFrame, codes: CodeTables) -> DataFrame:
    """Return the conditions that mean something to us, each by its longest known code.

    A condition stated again, in another part of the visit, has the newest status: a diagnosis
    refuted or withdrawn later is no diagnosis.
    """
    each = (
        told.where(F.col("kind") == Kind.VISIT.value)
        .select(
            "case_id",
            "event_id",
            "event_time",
            "ingested_at",
            "batch",
            F.posexplode("p.conditions").alias("at", "c"),
        )
        .select("case_id", "event_id", "event_time", "ingested_at", "batch", "at", "c.*")
        .withColumn("full", F.upper(F.regexp_replace("code", r"\.", "")))
        .drop("code")
    )
    newest = Window.partitionBy("case_id", "system", "full").orderBy(
        F.desc("event_time"), F.desc("batch"), "event_id", "at"
    )
    standing = each.withColumn("_n", F.row_number().over(newest)).where("_n = 1")
    lengths = [F.substring("full", 1, length) for length in range(3, 8)]
    prefixes = standing.withColumn("code", F.explode(F.array_distinct(F.array(*lengths, "full"))))
    longest = Window.partitionBy("event_id", "at").orderBy(F.desc(F.length("code")))
    return (
        prefixes.join(F.broadcast(codes.conditions), ["system", "code"])
        .withColumn("_n", F.row_number().over(longest))
        .where("_n = 1")
    )


def _findings(told: DataFrame, stated: DataFrame, codes: CodeTables) -> DataFrame:
    """Return one row per case and finding.

    Seen in any part of the visit is seen, with the greatest grade and severity and the earliest
    onset stated.
    """
    entered = told.select("case_id", "batch", F.explode("p.case.findings").alias("f")).select(
        "case_id",
        "batch",
        "f.id",
        "f.presence",
        F.when(F.col("f.grade").between(0, MAX_GRADE), F.col("f.grade")).alias("grade"),
        "f.severity",
        "f.onset_days",
    )
    meant = stated.where(F.col("finding").isNotNull()).select(
        "case_id",
        "batch",
        F.col("finding").alias("id"),
        _presence(F.col("status")).alias("presence"),
        F.lit(None).cast("double").alias("grade"),
        F.lit(None).cast("string").alias("severity"),
        F.lit(None).cast("bigint").alias("onset_days"),
    )
    said = entered.unionByName(meant).where(
        F.col("presence").isin(Presence.PRESENT.value, Presence.EXCLUDED.value)
    )
    current = (
        said.join(F.broadcast(codes.aliases), F.col("id") == F.col("alias"), "left")
        .withColumn("id", F.coalesce("current", "id"))
        .where(F.col("id").rlike(_FINDING_ID))
    )
    # plain maxima, computed by column: "present" sorts after "excluded", "severe" after "moderate"
    # after "mild". The maximum of a struct took twenty times as long on Sail.
    seen = F.col("presence") == Presence.PRESENT.value
    weeks = told.groupBy("case_id").agg(_week_of(F.min("event_time")).alias(WEEK))
    return (
        current.groupBy("case_id", "id")
        .agg(
            F.max("presence").alias("presence"),
            *(F.max(F.when(seen, F.col(n))).alias(n) for n in ("grade", "severity", "onset_days")),
            F.max("batch").alias("batch"),
        )
        .join(weeks, "case_id")
        .select(*SILVER_FINDINGS.schema.names)
    )


def _presence(status: Column) -> Column:
    return F.when(status.isin(*_HELD_TRUE), Presence.PRESENT.value).when(
        status == "refuted", Presence.EXCLUDED.value
    )


def _labels(events: DataFrame, stated: DataFrame) -> DataFrame:
    """Return the label of each case: a confirmed one before others, then the newest."""
    said = reduce(DataFrame.unionByName, (_feedback(events), _told(events), _recorded(stated)))
    order = Window.partitionBy("case_id").orderBy(
        F.desc("confirmed"), F.desc("label_time"), "at", "disease", "ingested_at"
    )  # the same decision twice, on line and from the device, is known since it came first
    return (
        said.where(F.col("disease").rlike(_DISEASE_ID))
        .withColumn("_n", F.row_number().over(order))
        .where("_n = 1")
        .withColumn(WEEK, _week_of(F.col("label_time")))
        .select(*SILVER_LABELS.schema.names)
    )


def _feedback(events: DataFrame) -> DataFrame:
    """Return the disease the clinician holds true. A refusal without one labels nothing."""
    agreed = F.col("p.verb") == Verb.AGREE.value
    return events.where(F.col("kind") == Kind.FEEDBACK.value).select(
        "case_id",
        F.lit(0).alias("at"),
        F.col("p.disease").alias("disease"),
        F.when(agreed, LabelSource.AGREED.value)
        .otherwise(LabelSource.CORRECTED.value)
        .alias("label_source"),
        F.lit(col=True).alias("confirmed"),
        F.col("event_time").alias("label_time"),
        "ingested_at",
        "batch",
    )


def _told(events: DataFrame) -> DataFrame:
    return (
        events.where(F.col("kind") == Kind.VISIT.value)
        .select(
            "case_id",
            "event_time",
            "ingested_at",
            "batch",
            F.posexplode("p.labels").alias("at", "label"),
        )
        .select(
            "case_id",
            "at",
            "label.*",
            F.col("event_time").alias("label_time"),
            "ingested_at",
            "batch",
        )
    )


def _recorded(stated: DataFrame) -> DataFrame:
    held = stated.where(F.col("disease").isNotNull() & F.col("status").isin(*_HELD_TRUE))
    return held.select(
        "case_id",
        "at",
        "disease",
        F.lit(LabelSource.RECORD.value).alias("label_source"),
        (F.col("status") == "confirmed").alias("confirmed"),
        F.col("event_time").alias("label_time"),
        "ingested_at",
        "batch",
    )


def with_duplicates(fresh: DataFrame, held: DataFrame, batch: int) -> DataFrame:
    """Return `fresh` cases, and the held ones like them or like what they were, `duplicate_of` set.

    Two cases are the same when patient, clinic, day and clinical content are: a message sent
    twice under two ids, a form saved twice. The one the lake held first stands. Without a patient
    two equal cases are two people. What is held is judged again under the number `batch`, so that
    runs in any order leave what one run leaves.
    held: cases of silver of the weeks in which `fresh` are, or were before.
    """
    names = SILVER_CASES.schema.names
    known = _alike(held).join(fresh.select("case_id"), "case_id", "left_anti")
    was = _alike(held).join(fresh.select("case_id"), "case_id", "left_semi")
    alike = _alike(fresh).select(*_SAME).union(was.select(*_SAME)).distinct()
    beside = known.join(alike, list(_SAME), "left_semi").withColumn(
        "batch", F.lit(batch).cast("bigint")
    )
    columns = [*names, "day"]
    first = F.first("case_id").over(
        Window.partitionBy(*_SAME).orderBy("ingested_at", "event_time", "case_id")
    )
    marked = (
        beside.select(*columns)
        .unionByName(_alike(fresh).select(*columns))
        .withColumn("duplicate_of", F.when(first != F.col("case_id"), first))
    )
    return marked.select(*names).unionByName(fresh.where(F.col("patient").isNull()).select(*names))


_SAME: Final = ("patient", "clinic", "content_sha256", "day")


def _alike(cases: DataFrame) -> DataFrame:
    """Return the cases that can be told again under another id, with their day."""
    return cases.where(F.col("patient").isNotNull()).withColumn("day", F.to_date("event_time"))
