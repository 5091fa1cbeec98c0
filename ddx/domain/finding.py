"""A finding: one thing the clinician looked for, and what was seen."""

from dataclasses import dataclass
from enum import StrEnum

from ddx.domain.identifiers import FindingId


class Presence(StrEnum):
    """Whether the clinician saw the finding. UNKNOWN is "not asked", never "no"."""

    PRESENT = "present"
    EXCLUDED = "excluded"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How strong a finding is. HPO severity subset (HP:0012825, HP:0012826, HP:0012828)."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding of one case.

    grade: 0..10, only for findings the catalogue marks as graded (pain intensity and so on).
    onset_days: age of the finding in days before the visit, when known.
    """

    id: FindingId
    presence: Presence
    grade: float | None = None
    severity: Severity | None = None
    onset_days: int | None = None
