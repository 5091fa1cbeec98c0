"""What is written down of an answer: who asked, which bundle answered, and proof of both ends."""

from collections.abc import Callable
from datetime import datetime

from cloud_api.auth.guard import Caller
from cloud_api.diagnose.told import AnswerHead
from cloud_api.errors import PredictionUnknownError
from cloud_api.records.ports import PredictionLog, PredictionRecord
from ddx.domain.identifiers import RecordId, new_record_id


class Receipts:
    """Gives each answer an id under which it is kept before it is sent."""

    def __init__(self, log: PredictionLog, now: Callable[[], datetime]) -> None:
        self.log, self._now = log, now

    async def keep(self, caller: Caller, case_digest: str, head: AnswerHead) -> RecordId:
        """Write an answer down durably and return its receipt id."""
        receipt = new_record_id()
        await self.log.append(
            PredictionRecord(
                tenant_id=caller.tenant_id,
                id=receipt,
                at=self._now(),
                actor=caller.actor,
                bundle_version=head.bundle_version,
                bundle_digest=head.bundle_digest,
                case_digest=case_digest,
                answer_digest=head.answer_digest,
                triage_level=head.triage_level,
                leading=head.leading,
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
