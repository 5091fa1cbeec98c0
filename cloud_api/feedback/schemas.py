"""Requests and answers of /feedback. A request is `FeedbackPayload`, as clinics send it too."""

from datetime import datetime

from cloud_api.records.ports import FeedbackRecord
from sync_service.protocol.fields import Message


class FeedbackAnswer(Message):
    """What became of a decision. stored: false when it was there already."""

    feedback_id: str
    stored: bool


class FeedbackMessage(Message):
    """One decision, by codes."""

    feedback_id: str
    receipt_id: str
    at: datetime
    received_at: datetime
    actor: str
    outcome: str
    verb: str
    reason: str
    disease: str

    @classmethod
    def of(cls, record: FeedbackRecord) -> "FeedbackMessage":
        """Return a record as it is answered."""
        kept = [n for n in cls.model_fields if n not in {"feedback_id", "receipt_id"}]
        return cls(
            feedback_id=record.id,
            receipt_id=record.prediction_id,
            **{name: getattr(record, name) for name in kept},
        )


class FeedbackPage(Message):
    """Decisions by id. next: `after` for more, null at the end."""

    feedback: tuple[FeedbackMessage, ...]
    next: str | None
