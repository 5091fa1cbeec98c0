"""The feature tables: what they hold, and since when each row could have been known.

`available_at` is the clock of every join: the later of the visit and its arrival in the lake. A
visit that a clinic without a network sent three weeks late was known three weeks late, and a
training row of the day between must not see it.
"""

from typing import Final

import pyarrow as pa

from training.lake.tables import TIMESTAMP, LakeTable

PATIENT_FEATURES: Final = LakeTable(
    "features_patient",
    pa.schema(
        [
            pa.field("patient", pa.string(), nullable=False),
            pa.field("available_at", TIMESTAMP, nullable=False),
            pa.field("made_at", TIMESTAMP, nullable=False),
            pa.field("visits_365d", pa.int64()),  # the newest included
            pa.field(
                "days_since_previous_visit", pa.float64()
            ),  # between the visits; 0 when it came late
            pa.field("last_temperature_c", pa.float64()),  # of the newest visit; null not measured
            pa.field("last_spo2_percent", pa.float64()),
            pa.field("last_disease", pa.string()),  # newest confirmed label; null without one
        ]
    ),
    keys=("patient", "available_at"),
)

CLINIC_FEATURES: Final = LakeTable(
    "features_clinic",
    pa.schema(
        [
            pa.field("clinic", pa.string(), nullable=False),
            pa.field("available_at", TIMESTAMP, nullable=False),  # midnight after the day (UTC)
            pa.field("made_at", TIMESTAMP, nullable=False),
            pa.field("cases_28d", pa.int64()),
            pa.field("fever_share_28d", pa.float64()),  # of cases that state fever; null of none
            pa.field("confirmed_28d", pa.int64()),  # confirmed labels that arrived
        ]
    ),
    keys=("clinic", "available_at"),
)

TABLES: Final = (PATIENT_FEATURES, CLINIC_FEATURES)
