"""One problem of a draft: what, where, how serious, and what would mend it.

Codes, with their params (words for them live with the screens):

age.missing, age.not_a_number {text}, age.negative {text}, age.too_high {text, limit_years}
finding.unknown_code {finding}: suggestion is the nearest finding id, or empty
finding.repeated {finding}
finding.contradiction {finding}: the same finding both present and excluded
finding.excluded_kind {present, excluded}: excludes a general finding, states a special case of it
finding.excluded_implied {present, excluded}: our finding implies the excluded one
finding.grade_out_of_range {finding, grade}, finding.grade_not_expected {finding, grade},
finding.grade_missing {finding}
finding.onset_negative {finding, days}, finding.onset_before_birth {finding, days}
findings.none, findings.none_present
vital.unknown {vital}, vital.not_a_number {vital, text}, vital.not_yes_or_no {vital, text}
vital.out_of_range {vital, value, low, high}, vital.unusual_for_age {vital, value, low, high}
vital.diastolic_not_below_systolic {systolic, diastolic}
"""

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from ddx.errors import CaseError


class Level(StrEnum):
    """An error keeps the draft from becoming a case; a warning only asks to look again."""

    ERROR = "error"
    WARNING = "warning"


@dataclasses.dataclass(frozen=True, slots=True)
class CaseIssue:
    """One problem of a draft.

    field: "age", "findings", a finding id, or a field name of VitalSigns.
    suggestion: a value or finding id that may be what was meant; empty when there is none.
    """

    level: Level
    field: str
    code: str
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)
    suggestion: str = ""


class DraftRefusedError(CaseError):
    """The draft has errors and did not become a case. Nothing was changed."""

    code: ClassVar[str] = "draft.refused"

    def __init__(self, issues: tuple[CaseIssue, ...]) -> None:
        super().__init__(", ".join(issue.code for issue in issues))
        self.issues = issues
