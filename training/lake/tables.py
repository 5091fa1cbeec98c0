"""The tables of the lake: names, columns, keys.

bronze: every record as it was received, reduced to what the protocol lets pass; append-only.
silver: one row per case, per stated finding, per label; units and codes normalised, no duplicates.
gold: one row per case with all that training and monitoring read.

Silver and gold lie in a folder a week, so that a run reads and writes anew only the weeks its
records tell of, whatever the lake's age.

Delta keeps statistics of the first 32 columns, nested ones counted one by one. A filter on a column
behind them finds nothing at all (delta-rs reads "no minimum" as a null): what readers filter by
stands before, what is added goes to the end.

Three states everywhere: a finding a case does not list is unknown. Nothing is ever imputed: a
null stays a null until a model's own encoder reads it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import pyarrow as pa

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")


class Kind(StrEnum):
    """What a bronze row records. All but the last are the protocol's own words."""

    DIAGNOSIS = "diagnosis"
    FEEDBACK = "feedback"
    ERASURE = "erasure"
    MODEL_FAILURE = "model_failure"
    VISIT = "visit"


class LabelSource(StrEnum):
    """Who says which disease it was.

    AGREED: the clinician followed the proposal. CORRECTED: the clinician named another disease.
    RECORD: a coded diagnosis of a hospital record. LABORATORY: a test decided it. PUBLISHED: the
    diagnosis of a published patient. SYNTHETIC: the disease a generator started from.
    """

    AGREED = "agreed"
    CORRECTED = "corrected"
    RECORD = "record"
    LABORATORY = "laboratory"
    PUBLISHED = "published"
    SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class LakeTable:
    """One Delta table. keys: columns that name a row. partitions: columns of its folders."""

    name: str
    schema: pa.Schema
    keys: tuple[str, ...]
    partitions: tuple[str, ...] = ()

    def empty(self) -> pa.Table:
        """Return the table without rows."""
        return self.schema.empty_table()


def _column(name: str, type_: pa.DataType, *, nullable: bool = True) -> pa.Field:
    return pa.field(name, type_, nullable=nullable)


_ORIGIN: Final = (
    _column("source", pa.string(), nullable=False),  # stream, ddxplus, fhir.<feed>, hl7v2.<feed> …
    _column("clinic", pa.string(), nullable=False),  # keyed hash of the device or facility
    _column("event_time", TIMESTAMP, nullable=False),  # when it happened at the clinic
    _column("ingested_at", TIMESTAMP, nullable=False),  # when the lake first held it
    _column("batch", pa.int64(), nullable=False),  # the commit of bronze that last touched it
)

WEEK: Final = "week"
"""The Monday, in UTC, of the week of the case's first event, or of the label: YYYY-MM-DD."""


def week_of(moment: datetime) -> str:
    """Return the `WEEK` of an aware time."""
    day = moment.astimezone(UTC).date()
    return (day - timedelta(days=day.weekday())).isoformat()


_WEEK: Final = _column(WEEK, pa.string(), nullable=False)

VITALS: Final = (
    _column("temperature_c", pa.float64()),
    _column("heart_rate_bpm", pa.float64()),
    _column("respiratory_rate_bpm", pa.float64()),
    _column("systolic_mmhg", pa.float64()),
    _column("diastolic_mmhg", pa.float64()),
    _column("spo2_percent", pa.float64()),
    _column("on_oxygen", pa.bool_()),
    _column("alert", pa.bool_()),
    _column("weight_kg", pa.float64()),
    _column("glucose_mg_dl", pa.float64()),
)
"""The columns of `ddx.domain.case.VitalSigns`; null is "not measured"."""

_PERSON: Final = (
    _column("patient", pa.string()),  # pseudonym; null where the source tells of no patient
    _column("age_days", pa.int64()),  # whole years, 90 and above pooled; null unknown
    _column("sex", pa.string(), nullable=False),  # ddx.domain.case.Sex
    *VITALS,
)

_PROPOSAL: Final = (
    _column("bundle_version", pa.string()),  # of the model that proposed; null without one
    _column("predicted", pa.string()),  # its first disease
    _column("predicted_probability", pa.float64()),  # 0..1
)

_ENGINE_S: Final = _column("engine_s", pa.float64())
"""How long the proposal took, a step of `ddx.domain.engine_time`; null where nobody says."""

FINDING: Final = pa.struct(
    [
        _column("id", pa.string()),  # HP:… or VF:…; never null
        _column("presence", pa.string()),  # present | excluded; never null
        _column("grade", pa.float64()),  # 0..10 of a graded finding
        _column("severity", pa.string()),
        _column("onset_days", pa.int64()),
    ]
)
"""One stated finding. UNKNOWN is never stored: what is not listed is unknown.

Nullable as engines write structs; the suites hold id and presence."""

BRONZE_EVENTS: Final = LakeTable(
    "bronze_events",
    pa.schema(
        [
            _column("event_id", pa.string(), nullable=False),  # made where the record was made
            _column("kind", pa.string(), nullable=False),  # Kind; the table is partitioned by it
            _column("case_id", pa.string(), nullable=False),  # its visit; of none, event_id
            *_ORIGIN,
            _column("offset", pa.int64()),  # server sequence of a stream's record; else null
            _column("content_sha256", pa.string(), nullable=False),  # see `training.lake.door`
            _column("schema_version", pa.int32(), nullable=False),
            _column("payload", pa.string(), nullable=False),  # canonical JSON, allow-listed
        ]
    ),
    keys=("event_id",),
    partitions=("kind",),
)

SILVER_CASES: Final = LakeTable(
    "silver_cases",
    pa.schema(
        [
            _column("case_id", pa.string(), nullable=False),
            *_ORIGIN,
            *_PERSON,
            *_PROPOSAL,
            _column("content_sha256", pa.string(), nullable=False),
            # the same patient, clinic, day and content came before under this id; null when not
            _column("duplicate_of", pa.string()),
            _ENGINE_S,
            _WEEK,
        ]
    ),
    keys=("case_id",),
    partitions=(WEEK,),
)

SILVER_FINDINGS: Final = LakeTable(
    "silver_findings",
    pa.schema(
        [
            _column("case_id", pa.string(), nullable=False),
            _column("id", pa.string(), nullable=False),
            _column("presence", pa.string(), nullable=False),
            *(FINDING.field(name) for name in ("grade", "severity", "onset_days")),
            _column("batch", pa.int64(), nullable=False),
            _WEEK,  # of the case
        ]
    ),
    keys=("case_id", "id"),
    partitions=(WEEK,),
)

SILVER_LABELS: Final = LakeTable(
    "silver_labels",
    pa.schema(
        [
            _column("case_id", pa.string(), nullable=False),
            _column("disease", pa.string(), nullable=False),  # OMIM:…, ORPHA:… or VD:…
            _column("label_source", pa.string(), nullable=False),  # LabelSource
            _column("confirmed", pa.bool_(), nullable=False),  # see GOLD_CASES
            _column("label_time", TIMESTAMP, nullable=False),
            _column("ingested_at", TIMESTAMP, nullable=False),
            _column("batch", pa.int64(), nullable=False),
            _WEEK,  # of label_time
        ]
    ),
    keys=("case_id",),  # the newest label of a case stands
    partitions=(WEEK,),
)

GOLD_CASES: Final = LakeTable(
    "gold_cases",
    pa.schema(
        [
            _column("case_id", pa.string(), nullable=False),
            *_ORIGIN,
            *_PERSON,
            *_PROPOSAL,
            _column("findings", pa.list_(FINDING), nullable=False),  # sorted by id, one per id
            _column("disease", pa.string()),  # the label; null while nobody said
            _column("label_source", pa.string()),  # LabelSource
            # True: a clinician, laboratory, final record or publication stands for the label;
            # False: provisional, deduced by a program; null without a label
            _column("confirmed", pa.bool_()),
            _column("label_time", TIMESTAMP),  # when the label was given
            _column("known_at", TIMESTAMP, nullable=False),  # case and label both in the lake
            _column("content_sha256", pa.string(), nullable=False),
            _ENGINE_S,
            _WEEK,
        ]
    ),
    keys=("case_id",),
    partitions=(WEEK,),
)

TABLES: Final = (BRONZE_EVENTS, SILVER_CASES, SILVER_FINDINGS, SILVER_LABELS, GOLD_CASES)

BRONZE_READ: Final = "bronze"
SILVER_READ: Final = "silver"
"""Names of the positions in `silver_cases` and `gold_cases`: the newest batch taken in."""
