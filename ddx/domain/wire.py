"""Domain values as plain JSON objects and back: one shape for store, receipt, wire and bundle.

Reading is strict where medicine is at stake (ids, presence, ranges) and raises CaseError or
IdentifierError; unknown extra keys are ignored here and kept by `sync_service.protocol`.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.differential import (
    NOT_ASSESSED,
    Alert,
    Band,
    Candidate,
    CommonFit,
    Differential,
    Fit,
    World,
)
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Finding, Presence, Severity
from ddx.domain.identifiers import disease_id, finding_id
from ddx.errors import CaseError

JsonObject = dict[str, Any]


def case_to_json(case: Case) -> JsonObject:
    """Return `case` as a JSON object; what is not known is left out."""
    vitals = {f.name: getattr(case.vitals, f.name) for f in fields(VitalSigns)}
    return {
        "age_days": case.age_days,
        "sex": case.sex.value,
        "findings": [finding_to_json(f) for f in case.findings],
        "vitals": {name: value for name, value in vitals.items() if value is not None},
    }


def case_from_json(raw: Mapping[str, Any]) -> Case:
    """Return the case `raw` describes. Raises CaseError or IdentifierError."""
    try:
        return Case(
            age_days=raw["age_days"],
            sex=Sex(raw["sex"]),
            findings=tuple(finding_from_json(f) for f in raw["findings"]),
            vitals=VitalSigns(**raw.get("vitals", {})),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CaseError(f"case record cannot be read: {error}") from error


def finding_to_json(finding: Finding) -> JsonObject:
    """Return `finding` as a JSON object; what is not known is left out."""
    raw: JsonObject = {"id": finding.id, "presence": finding.presence.value}
    if finding.grade is not None:
        raw["grade"] = finding.grade
    if finding.severity is not None:
        raw["severity"] = finding.severity.value
    if finding.onset_days is not None:
        raw["onset_days"] = finding.onset_days
    return raw


def finding_from_json(raw: Mapping[str, Any]) -> Finding:
    """Return the finding `raw` describes. Raises KeyError, ValueError or IdentifierError."""
    severity = raw.get("severity")
    return Finding(
        id=finding_id(raw["id"]),
        presence=Presence(raw["presence"]),
        grade=raw.get("grade"),
        severity=None if severity is None else Severity(severity),
        onset_days=raw.get("onset_days"),
    )


def differential_to_json(differential: Differential) -> JsonObject:
    """Return `differential` as a JSON object."""
    return {
        "candidates": [
            {
                "rank": c.rank,
                "disease": c.disease,
                "probability": c.probability,
                "band": c.band.value,
                "world": c.world.value,
                "severity": c.severity,
            }
            for c in differential.candidates
        ],
        "outside_probability": differential.outside_probability,
        "unused": list(differential.unused),
        "alerts": [
            {
                "code": a.code,
                "urgent": a.urgent,
                "evidence": list(a.evidence),
                "source": a.source,
            }
            for a in differential.alerts
        ],
        "bundle_version": differential.bundle_version,
        "bundle_digest": differential.bundle_digest,
        **_common_fit_to_json(differential.common_fit),
        **({"blocked": [w.value for w in differential.blocked]} if differential.blocked else {}),
    }


def differential_from_json(raw: Mapping[str, Any]) -> Differential:
    """Return the differential `raw` describes. Raises CaseError or IdentifierError."""
    try:
        return Differential(
            candidates=tuple(
                Candidate(
                    rank=c["rank"],
                    disease=disease_id(c["disease"]),
                    probability=c["probability"],
                    band=Band(c["band"]),
                    world=World(c["world"]),
                    severity=c["severity"],
                )
                for c in raw["candidates"]
            ),
            outside_probability=raw["outside_probability"],
            unused=tuple(finding_id(f) for f in raw["unused"]),
            alerts=tuple(
                Alert(
                    code=a["code"],
                    urgent=a["urgent"],
                    evidence=tuple(a["evidence"]),
                    source=a["source"],
                )
                for a in raw["alerts"]
            ),
            bundle_version=raw["bundle_version"],
            bundle_digest=raw["bundle_digest"],
            common_fit=_common_fit(raw.get("common_fit")),
            blocked=tuple(World(world) for world in raw.get("blocked", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CaseError(f"differential record cannot be read: {error}") from error


def _common_fit_to_json(found: CommonFit) -> JsonObject:
    """Return the entry; none when not assessed, so that older records keep their digest."""
    if found == NOT_ASSESSED:
        return {}
    return {"common_fit": {"fit": found.fit.value, "p_value": found.p_value}}


def _common_fit(raw: Mapping[str, Any] | None) -> CommonFit:
    """Return what a record says; records written before it was assessed say nothing."""
    if raw is None:
        return NOT_ASSESSED
    return CommonFit(fit=Fit(raw["fit"]), p_value=raw["p_value"])


def explanation_to_json(explanation: Explanation) -> JsonObject:
    """Return `explanation` as a JSON object."""
    return {
        "disease": explanation.disease,
        "world": explanation.world.value,
        "base": explanation.base,
        "margin": explanation.margin,
        "contributions": [
            {
                "subject": c.subject,
                "presence": c.presence.value,
                "weight": c.weight,
                "frequency": c.frequency,
            }
            for c in explanation.contributions
        ],
        "expected": list(explanation.expected),
    }


def explanation_from_json(raw: Mapping[str, Any]) -> Explanation:
    """Return the explanation `raw` describes. Raises CaseError or IdentifierError."""
    try:
        return Explanation(
            disease=disease_id(raw["disease"]),
            world=World(raw["world"]),
            base=raw["base"],
            margin=raw["margin"],
            contributions=tuple(
                Contribution(
                    subject=c["subject"],
                    presence=Presence(c["presence"]),
                    weight=c["weight"],
                    frequency=c["frequency"],
                )
                for c in raw["contributions"]
            ),
            expected=tuple(finding_id(f) for f in raw["expected"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CaseError(f"explanation record cannot be read: {error}") from error
