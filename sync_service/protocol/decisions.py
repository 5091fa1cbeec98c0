"""A decision as it travels: out of a clinic's outbox, and out of the cloud's /feedback."""

from datetime import UTC

from ddx.domain.feedback import Feedback, Outcome
from ddx.domain.wire import JsonObject


def feedback_payload(feedback: Feedback) -> JsonObject:
    """Return one decision in the shape of CDS Hooks feedback; the note stays.

    Source: CDS Hooks 2.0, "Feedback".
    """
    payload: JsonObject = {
        "feedback_id": feedback.id,
        "diagnosis_id": feedback.diagnosis_id,
        "outcome": feedback.outcome.value,
        "outcomeTimestamp": feedback.outcome_at.astimezone(UTC).isoformat(),
        "verb": feedback.verb.value,
    }
    if feedback.disease is not None:
        payload["disease"] = feedback.disease
        if feedback.outcome is Outcome.ACCEPTED:
            payload["acceptedSuggestions"] = [{"id": feedback.disease}]
    if feedback.reason is not None:
        payload["overrideReason"] = {"reason": {"code": feedback.reason.value}}
    return payload
