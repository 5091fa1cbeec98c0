"""Answers of /predictions."""

from datetime import datetime

from pydantic import Field

from cloud_api.records.ports import PredictionRecord
from sync_service.protocol.fields import Message, Probability


class LeadingMessage(Message):
    """One disease of the head of the list."""

    disease: str
    probability: Probability
    band: str
    world: str


class PredictionMessage(Message):
    """One answered prediction: digests and the head of the answer, nothing of a patient."""

    receipt_id: str
    at: datetime
    actor: str
    bundle_version: str
    bundle_digest: str
    case_digest: str
    answer_digest: str
    triage_level: int = Field(ge=1, le=5)
    leading: tuple[LeadingMessage, ...]

    @classmethod
    def of(cls, record: PredictionRecord) -> "PredictionMessage":
        """Return a record as it is answered."""
        kept = [n for n in cls.model_fields if n not in {"receipt_id", "leading"}]
        return cls(
            receipt_id=record.id,
            leading=tuple(
                LeadingMessage(
                    disease=c.disease, probability=c.probability, band=c.band, world=c.world
                )
                for c in record.leading
            ),
            **{name: getattr(record, name) for name in kept},
        )


class PredictionPage(Message):
    """Predictions by receipt id, which sorts by time. next: `after` for more, null at the end."""

    predictions: tuple[PredictionMessage, ...]
    next: str | None
