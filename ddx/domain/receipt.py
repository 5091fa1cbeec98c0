"""A receipt: what a prediction was made from, so that it can be replayed years later."""

from dataclasses import dataclass
from datetime import datetime

from ddx.domain.canonical import digest_of
from ddx.domain.case import Case
from ddx.domain.differential import Differential
from ddx.domain.identifiers import RecordId
from ddx.domain.wire import case_to_json, differential_to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One prediction with everything needed to repeat it.

    made_at: UTC. feature_digest: SHA-256 of the float32 feature row, hex.
    """

    diagnosis_id: RecordId
    made_at: datetime
    case: Case
    feature_digest: str
    differential: Differential

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over input, features and output."""
        return digest_of(
            {
                "diagnosis_id": self.diagnosis_id,
                "made_at": self.made_at.isoformat(),
                "case": case_to_json(self.case),
                "feature_digest": self.feature_digest,
                "differential": differential_to_json(self.differential),
            }
        )

    @property
    def short_code(self) -> str:
        """First ten hex digits of the digest, grouped for reading aloud: `3fa9-12bc-77`."""
        head = self.digest[:10]
        return f"{head[:4]}-{head[4:8]}-{head[8:]}"
