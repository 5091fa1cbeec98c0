"""What is written down of an answer: who asked, which bundle answered, and proof of both ends."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from cloud_api.auth.guard import Caller
from cloud_api.diagnose.schemas import PredictResponse
from cloud_api.errors import PredictionUnknownError
from cloud_api.records.ports import LeadingCandidate, PredictionLog, PredictionRecord
from ddx.domain.canonical import digest_of
from ddx.domain.case import Case
from ddx.domain.identifiers import RecordId, new_record_id
from ddx.domain.wire import case_to_json

LEADING: Final = 10
"""Candidates kept of an answer; the rest is in its digest."""


class Receipts:
    """Gives each answer an id under which it is kept before it is sent."""

    def __init__(self, log: PredictionLog, now: Callable[[], datetime]) -> None:
        self.log, self._now = log, now

    async def keep(self, caller: Caller, case: Case, answer: PredictResponse) -> RecordId:
        """Write an answer down durably and return its receipt id."""
        receipt = new_record_id()
        await self.log.append(
            PredictionRecord(
                tenant_id=caller.tenant_id,
                id=receipt,
                at=self._now(),
                actor=caller.actor,
                bundle_version=answer.bundle_version,
                bundle_digest=answer.bundle_digest,
                case_digest=digest_of(case_to_json(case)),
                answer_digest=digest_of(answer.differential),
                triage_level=answer.triage.level,
                leading=_leading(answer),
            )
        )
        return receipt

    async def of(self, caller: Caller, receipt: str) -> PredictionRecord:
        """Return the record of a receipt of the caller's organisation.

        Raises:
            PredictionUnknownError: it has none with this id.
        """
        record = await self.log.get(caller.tenant_id, receipt)
        if record is None:
            raise PredictionUnknownError("no prediction of this organisation has this id")
        return record


def _leading(answer: PredictResponse) -> tuple[LeadingCandidate, ...]:
    return tuple(
        LeadingCandidate(
            disease=candidate.disease,
            probability=candidate.confidence.probability,
            band=candidate.confidence.band,
            world=candidate.world,
        )
        for candidate in answer.candidates[:LEADING]
    )
