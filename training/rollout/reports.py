"""What the fleet reported, as the controller's two arms: gold cases and the gateway's telemetry.

Gold tells which model proposed what and what clinicians made of it; errors and times are counted
where the diagnoses run: at the devices (`devices`), in the clouds (`telemetry`), or as one JSON
object by bundle version from whoever counts cases that neither of them tells of:

    {"2026.11.7": {"cases": 812, "errors": 1, "slow": 77}, "2026.11.6": {…}}
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ddx.domain.identifiers import disease_id
from training.evaluate.candidate import Severity
from training.evaluate.common import SEVERE
from training.lake.gold import GoldCases
from training.lake.tables import LabelSource
from training.pipelines.steps import StepError
from training.rollout.control import Arm

DECIDED = (LabelSource.AGREED.value, LabelSource.CORRECTED.value)
"""Labels that are a clinician's decision on a proposal."""


def arm_of(
    gold: GoldCases,
    version: str,
    telemetry: Mapping[str, Mapping[str, int]],
    severity: Severity,
) -> Arm:
    """Return what devices with `version` reported. gold: cases known since last time.

    Nothing was told of errors and times when there are cases and no telemetry of the version.
    """
    mine = gold.table.filter(pc.field("bundle_version") == version)
    told = telemetry.get(version, {})
    source = mine.column("label_source")
    decided = pc.is_in(source, pa.array(DECIDED))
    sure = mine.filter(pc.field("confirmed") & pc.field("predicted").is_valid())
    pairs = zip(*(sure.column(n).to_pylist() for n in ("disease", "predicted")), strict=True)
    missed = [d != first for d, first in pairs if severity(disease_id(d)) in SEVERE]
    return Arm(
        told=version in telemetry or not mine.num_rows,
        cases=told.get("cases", mine.num_rows),
        errors=told.get("errors", 0),
        slow=told.get("slow", 0),
        feedback=int(pc.sum(decided).as_py() or 0),
        overridden=sum(1 for s in source.to_pylist() if s == LabelSource.CORRECTED.value),
        first=dict(Counter(d for d in mine.column("predicted").to_pylist() if d is not None)),
        critical=len(missed),
        missed=sum(missed),
    )


def read_telemetry(path: Path | None) -> dict[str, dict[str, int]]:
    """Return version -> counts. Raises StepError."""
    if path is None:
        return {}
    try:
        found: Any = json.loads(path.read_bytes())
        return {
            str(version): {name: int(counts[name]) for name in ("cases", "errors", "slow")}
            for version, counts in found.items()
        }
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        raise StepError(f"telemetry {path} cannot be read: {error!r}") from error
