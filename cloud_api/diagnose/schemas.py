"""Requests and answers of /predict and /explain."""

from typing import Any

from pydantic import Field

from sync_service.protocol.fields import DiseaseIdText, Message
from sync_service.protocol.payloads import CaseMessage


class PredictRequest(Message):
    """A case; limit: candidates wanted."""

    case: CaseMessage
    limit: int = Field(default=10, ge=1, le=100)


class ExplainRequest(Message):
    """A case and the disease to explain."""

    case: CaseMessage
    disease: DiseaseIdText


class PredictResponse(Message):
    """`ddx.domain.wire.differential_to_json` and the bundle that answered."""

    differential: dict[str, Any]
    bundle_version: str
    bundle_digest: str


class ExplainResponse(Message):
    """`ddx.domain.wire.explanation_to_json` and the bundle that answered."""

    explanation: dict[str, Any]
    bundle_version: str
    bundle_digest: str
