"""A clinician's decision: checked by the domain's own rules, tied to a prediction we answered."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from cloud_api.auth.guard import Caller
from cloud_api.fields import FIRST, LAST
from cloud_api.predictions.service import Receipts
from cloud_api.records.ports import FeedbackLog, FeedbackRecord
from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.identifiers import RecordId, disease_id
from ddx.errors import CaseError
from sync_service.protocol.payloads import FeedbackPayload

Coded = TypeVar("Coded", Verb, OverrideReason)


class FeedbackService:
    """Takes decisions in, once each. counted: told outcome and verb of each new one."""

    def __init__(
        self,
        log: FeedbackLog,
        receipts: Receipts,
        now: Callable[[], datetime],
        counted: Callable[[str, str], None] = lambda _outcome, _verb: None,
    ) -> None:
        self.log, self._receipts, self._now, self._counted = log, receipts, now, counted

    async def take(self, caller: Caller, sent: FeedbackPayload) -> bool:
        """Store a decision and return whether it was new.

        Raises:
            CaseError: codes nobody knows, or a decision that contradicts itself.
            PredictionUnknownError: of a prediction this organisation never asked for.
            RecordConflictError: its id belongs to another decision.
        """
        decided = _decision(sent)
        await self._receipts.of(caller, decided.diagnosis_id)
        new = await self.log.append(
            FeedbackRecord(
                tenant_id=caller.tenant_id,
                id=decided.id,
                prediction_id=decided.diagnosis_id,
                at=decided.outcome_at,
                received_at=self._now(),
                actor=caller.actor,
                outcome=decided.outcome.value,
                verb=decided.verb.value,
                reason="" if decided.reason is None else decided.reason.value,
                disease=decided.disease or "",
            )
        )
        if new:
            self._counted(decided.outcome.value, decided.verb.value)
        return new


def _decision(sent: FeedbackPayload) -> Feedback:
    override = sent.override_reason
    if not FIRST <= sent.outcome_timestamp < LAST:
        raise CaseError("outcomeTimestamp is not of our time")
    decided = Feedback(
        id=RecordId(sent.feedback_id),
        diagnosis_id=RecordId(sent.diagnosis_id),
        verb=_coded(Verb, sent.verb),
        disease=None if sent.disease is None else disease_id(sent.disease),
        reason=None if override is None else _coded(OverrideReason, override.reason.code),
        outcome_at=sent.outcome_timestamp,
    )
    if decided.outcome.value != sent.outcome:
        raise CaseError(f"{decided.verb} is {decided.outcome}")
    return decided


def _coded(codes: type[Coded], text: str) -> Coded:
    try:
        return codes(text)
    except ValueError as error:
        raise CaseError(f"no such {codes.__name__.lower()}") from error
