"""An answer as it is sent, made once, and the little of it the service needs again."""

from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

from cloud_api.diagnose.schemas import PredictResponse
from cloud_api.records.ports import LeadingCandidate
from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import RecordId

LEADING: Final = 10
"""Candidates kept of an answer; the rest is in its digest."""


class AnswerHead(BaseModel):
    """What is counted and written down of an answer.

    answer_digest: SHA-256 (hex) of the canonical JSON of the differential. leading: the first
    LEADING candidates.
    """

    model_config = ConfigDict(frozen=True)

    bundle_version: str
    bundle_digest: str
    answer_digest: str
    triage_level: int
    leading: tuple[LeadingCandidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAnswer:
    """head: see `AnswerHead`. body: JSON of `PredictResponse`, without a receipt."""

    head: AnswerHead
    body: bytes

    @classmethod
    def of(cls, answer: PredictResponse) -> "ToldAnswer":
        """Return an answer written down."""
        head = AnswerHead(
            bundle_version=answer.bundle_version,
            bundle_digest=answer.bundle_digest,
            answer_digest=digest_of(answer.differential),
            triage_level=answer.triage.level,
            leading=tuple(
                LeadingCandidate(
                    disease=candidate.disease,
                    probability=candidate.confidence.probability,
                    band=candidate.confidence.band,
                    world=candidate.world,
                )
                for candidate in answer.candidates[:LEADING]
            ),
        )
        return cls(head=head, body=answer.model_dump_json().encode())

    @classmethod
    def from_bytes(cls, kept: bytes) -> "ToldAnswer":
        """Return what `to_bytes` wrote. Raises ValueError."""
        head, _, body = kept.partition(b"\n")
        return cls(head=AnswerHead.model_validate_json(head), body=body)

    def to_bytes(self) -> bytes:
        """Return it for keeping: the head in one line, then the body."""
        return self.head.model_dump_json().encode() + b"\n" + self.body

    def receipted(self, receipt: RecordId) -> bytes:
        """Return the JSON of `Receipted`: the body with its last field added."""
        return self.body[:-1] + b',"receipt_id":"' + receipt.encode() + b'"}'
