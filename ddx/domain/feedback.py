"""What the clinician decided about a differential, in the shape of CDS Hooks feedback.

Source: CDS Hooks 2.0, "Feedback" (accepted | overridden, overrideReason, outcomeTimestamp).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ddx.domain.identifiers import DiseaseId, RecordId
from ddx.errors import CaseError


class Verb(StrEnum):
    """What the clinician did with the proposal."""

    AGREE = "agree"
    REFUSE = "refuse"
    ADD = "add"
    CUSTOM = "custom"


class Outcome(StrEnum):
    """CDS Hooks outcome codes."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


class OverrideReason(StrEnum):
    """Why a proposal was not followed; coded so that it can be counted."""

    NOT_MY_JUDGEMENT = "not_my_judgement"
    MISUNDERSTOOD = "misunderstood"
    CANNOT_REFER = "cannot_refer"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One decision on one recorded diagnosis.

    disease: what the clinician holds true (None only for a plain refusal).
    outcome_at: UTC. note: why, plan: what is to be done; free text, both stay on the device.

    Raises:
        CaseError: refused, added or replaced without a reason; no disease where one is due;
            a timestamp without a time zone.
    """

    id: RecordId
    diagnosis_id: RecordId
    verb: Verb
    disease: DiseaseId | None
    reason: OverrideReason | None
    outcome_at: datetime
    note: str = ""
    plan: str = ""

    def __post_init__(self) -> None:
        if self.verb is not Verb.AGREE and self.reason is None:
            raise CaseError(f"{self.verb} needs a reason")
        if self.verb is not Verb.REFUSE and self.disease is None:
            raise CaseError(f"{self.verb} needs a disease")
        if self.outcome_at.utcoffset() is None:
            raise CaseError("outcome_at needs a time zone")

    @property
    def outcome(self) -> Outcome:
        """The CDS Hooks outcome: accepted when the clinician agreed, overridden otherwise."""
        return Outcome.ACCEPTED if self.verb is Verb.AGREE else Outcome.OVERRIDDEN
