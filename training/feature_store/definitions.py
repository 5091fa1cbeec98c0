"""Feast's view of the feature tables: one definition for offline and online.

Imported by `training.feature_store.store` only: Feast takes seconds to import.
"""

from datetime import timedelta
from typing import Final

import pyarrow as pa
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.data_format import DeltaFormat
from feast.types import FeastType, Float64, Int64, String

from training.feature_store.tables import CLINIC_FEATURES, PATIENT_FEATURES
from training.lake.place import Lake
from training.lake.tables import LakeTable

SERVICE: Final = "visit_context"
_TYPES: Final[dict[pa.DataType, FeastType]] = {
    pa.int64(): Int64,
    pa.float64(): Float64,
    pa.string(): String,
}
_CLOCKS: Final = ("available_at", "made_at")

PATIENT_TTL: Final = timedelta(days=730)
CLINIC_TTL: Final = timedelta(days=28)
"""Older states say nothing any more: a clinic of four weeks' silence has an empty window."""

Definition = Entity | FeatureView | FeatureService


def definitions(lake: Lake) -> list[Definition]:
    """Return entities, views and the service on the tables of `lake`."""
    patient = Entity(name="patient", join_keys=["patient"], value_type=ValueType.STRING)
    clinic = Entity(name="clinic", join_keys=["clinic"], value_type=ValueType.STRING)
    views = [
        _view(PATIENT_FEATURES, patient, PATIENT_TTL, lake),
        _view(CLINIC_FEATURES, clinic, CLINIC_TTL, lake),
    ]
    return [patient, clinic, *views, FeatureService(name=SERVICE, features=[*views])]


def feature_names(table: LakeTable) -> tuple[str, ...]:
    """Return the columns that are features: neither key nor clock."""
    return tuple(n for n in table.schema.names if n not in {*table.keys, *_CLOCKS})


def _view(table: LakeTable, entity: Entity, ttl: timedelta, lake: Lake) -> FeatureView:
    return FeatureView(
        name=table.name,
        entities=[entity],
        ttl=ttl,
        schema=[
            Field(name=name, dtype=_TYPES[table.schema.field(name).type])
            for name in feature_names(table)
        ],
        source=FileSource(
            name=f"{table.name}_delta",
            path=lake.path(table),
            file_format=DeltaFormat(),
            timestamp_field="available_at",
            created_timestamp_column="made_at",
        ),
    )
