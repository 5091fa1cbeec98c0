"""What was typed so far for one visit: possibly wrong, possibly incomplete, never lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from ddx.domain.case import Sex
from ddx.domain.finding import Presence, Severity
from ddx.errors import CaseError

JsonObject = dict[str, Any]

UNDECIDED: Final = "undecided"
"""`opinion` of who was asked before the list and has none yet."""


class AgeUnit(StrEnum):
    """Unit of the age as typed."""

    YEARS = "years"
    MONTHS = "months"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class DraftFinding:
    """One finding as entered; nothing about it has been checked.

    id: a finding code, perhaps unknown. grade: 0..10 when right.
    onset_days: days before the visit.
    """

    id: str
    presence: Presence
    grade: float | None = None
    onset_days: int | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """One visit as typed.

    vitals: text as typed ("38,5") by field name of `ddx.domain.case.VitalSigns`; yes/no signs
    hold "true" or "false"; blank is "not measured". opinion: the disease the clinician thinks of
    before any list is shown, `UNDECIDED`, or empty when nobody asked.
    """

    age_text: str = ""
    age_unit: AgeUnit = AgeUnit.YEARS
    sex: Sex = Sex.UNKNOWN
    findings: tuple[DraftFinding, ...] = ()
    vitals: Mapping[str, str] = field(default_factory=dict)
    opinion: str = ""


def draft_to_json(draft: Draft) -> JsonObject:
    """Return `draft` as a JSON object; what was not entered of a finding is left out."""
    raw: JsonObject = {
        "age_text": draft.age_text,
        "age_unit": draft.age_unit.value,
        "sex": draft.sex.value,
        "findings": [_finding_to_json(finding) for finding in draft.findings],
        "vitals": dict(draft.vitals),
    }
    if draft.opinion:
        raw["opinion"] = draft.opinion
    return raw


def draft_from_json(raw: Mapping[str, Any]) -> Draft:
    """Return the draft `raw` describes; its content may still be wrong.

    Raises:
        CaseError: not the shape of a draft.
    """
    try:
        return Draft(
            age_text=str(raw["age_text"]),
            age_unit=AgeUnit(raw["age_unit"]),
            sex=Sex(raw["sex"]),
            findings=tuple(_finding_from_json(finding) for finding in raw["findings"]),
            vitals={str(name): str(text) for name, text in raw["vitals"].items()},
            opinion=str(raw.get("opinion", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CaseError(f"draft record cannot be read: {error!r}") from error


def _finding_to_json(finding: DraftFinding) -> JsonObject:
    raw: JsonObject = {"id": finding.id, "presence": finding.presence.value}
    if finding.grade is not None:
        raw["grade"] = finding.grade
    if finding.onset_days is not None:
        raw["onset_days"] = finding.onset_days
    if finding.severity is not None:
        raw["severity"] = finding.severity.value
    return raw


def _finding_from_json(raw: Mapping[str, Any]) -> DraftFinding:
    severity = raw.get("severity")
    return DraftFinding(
        id=str(raw["id"]),
        presence=Presence(raw["presence"]),
        grade=raw.get("grade"),
        onset_days=raw.get("onset_days"),
        severity=None if severity is None else Severity(severity),
    )
