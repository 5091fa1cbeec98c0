"""Answers of /drift and /metrics/summary: counts, never a record."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from sync_service.protocol.fields import Message, Probability


class FieldDrift(Message):
    """One property of the answers. index: population stability index, 0 = no change.

    level: "too_few" while either window holds too few records to say anything.
    """

    field: str
    records: int = Field(ge=0)
    reference_records: int = Field(ge=0)
    index: float = Field(ge=0.0)
    level: Literal["stable", "some", "large", "too_few"]


class Drift(Message):
    """A window against the one before it."""

    since: datetime
    until: datetime
    reference_since: datetime
    fields: tuple[FieldDrift, ...]


class Summary(Message):
    """A window in counts. accepted_share: of the decisions; null when there was none."""

    since: datetime
    until: datetime
    predictions: int = Field(ge=0)
    predictions_by: dict[str, dict[str, int]]
    feedback: int = Field(ge=0)
    feedback_by: dict[str, dict[str, int]]
    accepted_share: Probability | None
