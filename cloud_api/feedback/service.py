"""A clinician's decision: checked by the domain's own rules, tied to a prediction we answered."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from cloud_api.auth.guard import Caller
from cloud_api.db.online import online_device, online_event
from cloud_api.fields import FIRST, LAST
from cloud_api.predictions.service import Receipts
from cloud_api.records.ports import FeedbackLog, FeedbackRecord, PredictionRecord
from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.identifiers import RecordId, disease_id
from ddx.errors import CaseError
from sync_service.gateway.intake import NewEvent
from sync_service.protocol.codes import EventKind
from sync_service.protocol.decisions import feedback_payload
from sync_service.protocol.payloads import FeedbackPayload

DEVICE: Final = "device"
"""Kind of an actor, see `cloud_api.auth.guard.Caller`."""

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
        prediction, now = await self._receipts.of(caller, decided.diagnosis_id), self._now()
        record = FeedbackRecord(
            tenant_id=caller.tenant_id,
            id=decided.id,
            prediction_id=decided.diagnosis_id,
            at=decided.outcome_at,
            received_at=now,
            actor=caller.actor,
            outcome=decided.outcome.value,
            verb=decided.verb.value,
            reason="" if decided.reason is None else decided.reason.value,
            disease=decided.disease or "",
        )
        new = await self.log.append(record, _event(prediction, decided, now))
        if new:
            self._counted(decided.outcome.value, decided.verb.value)
        return new


def _event(prediction: PredictionRecord, decided: Feedback, now: datetime) -> NewEvent:
    """Return the decision as a clinic would have sent it: of the device that asked, if one did.

    Nothing but the decision's codes is in it; the case is where it was asked from.
    """
    kind, _, asked_on = prediction.actor.partition(":")
    return online_event(
        EventKind.FEEDBACK,
        decided.id,
        feedback_payload(decided),
        device_id=asked_on if kind == DEVICE else online_device(prediction.tenant_id),
        bundle=prediction.bundle_version,
        at=now,
    )


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
