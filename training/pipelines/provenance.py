"""What a release tells about itself besides its models: rules, drift reference, materials.

None of these is read to answer a case; an application without them misses nothing.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

import numpy as np

from ddx.domain.case import Case
from ddx.domain.differential import Differential
from ddx.domain.finding import Presence
from ddx.safety.rules import RULES
from model_bundles.authoring.sbom import SBOM, bill_of_materials
from training.shipped import LOCK

RULES_INVENTORY: Final = "rules/inventory.json"
DRIFT_REFERENCE: Final = "reference/drift.json"

AGE_EDGES_YEARS: Final = (0, 1, 5, 15, 30, 45, 60, 75)
"""Lower ends of the age groups that are counted; our choice, wide enough to hide a person."""
PROBABILITY_EDGES: Final = tuple(n / 10 for n in range(11))


class Diagnoses(Protocol):
    """The part of the engine the reference needs."""

    def diagnose(self, case: Case) -> Differential:
        """Return the differential of one case."""


def provenance_members(
    members: Mapping[str, bytes],
    engine: Diagnoses,
    reference: Sequence[Case],
    *,
    version: str,
    at: datetime,
) -> dict[str, bytes]:
    """Return the members that tell what a release of `members` was made of.

    reference: held-out cases, as the models meet them before anything drifts.
    """
    told = {
        RULES_INVENTORY: rules_inventory(),
        DRIFT_REFERENCE: drift_reference(engine, reference),
    }
    lock = LOCK.read_text(encoding="utf-8")
    return {**told, SBOM: bill_of_materials(lock, {**members, **told}, version=version, at=at)}


def rules_inventory() -> bytes:
    """Return the red flags in force at this release, each with the publication it is from."""
    rules = [{"code": r.code, "urgent": r.urgent, "source": r.source} for r in RULES]
    return _json({"format": 1, "rules": rules})


def drift_reference(engine: Diagnoses, cases: Sequence[Case]) -> bytes:
    """Return counts over `cases` that a device's own cases can be compared with; no case itself.

    findings: id -> [present, excluded]; what was not asked is the rest. top_probability: cases by
    the probability of the first candidate, in tenths.
    """
    findings: dict[str, list[int]] = {}
    for case in cases:
        for finding in case.findings:
            if finding.presence is not Presence.UNKNOWN:
                counted = findings.setdefault(str(finding.id), [0, 0])
                counted[finding.presence is Presence.EXCLUDED] += 1
    tops = [d.candidates[0] for d in map(engine.diagnose, cases) if d.candidates]
    ages = (c.age_days / 365.25 for c in cases if c.age_days is not None)
    return _json(
        {
            "format": 1,
            "cases": len(cases),
            "age_years": _histogram(ages, (*AGE_EDGES_YEARS, 200)),
            "sex": dict(sorted(Counter(str(case.sex.value) for case in cases).items())),
            "findings": dict(sorted(findings.items())),
            "top_disease": dict(sorted(Counter(str(top.disease) for top in tops).items())),
            "top_probability": _histogram((t.probability for t in tops), PROBABILITY_EDGES),
        }
    )


def _histogram(values: Iterable[float], edges: Sequence[float]) -> dict[str, Any]:
    counts, _ = np.histogram(np.fromiter(values, dtype=np.float64), bins=edges)
    return {"edges": list(edges), "counts": [int(count) for count in counts]}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
