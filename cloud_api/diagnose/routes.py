"""POST /predict and POST /explain, for enrolled devices. Nothing of a case is kept or logged."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from cloud_api.diagnose.schemas import (
    ExplainRequest,
    ExplainResponse,
    PredictRequest,
)
from cloud_api.diagnose.service import DiagnosisService
from ddx.domain.case import Case
from ddx.domain.identifiers import disease_id
from ddx.domain.wire import case_from_json, explanation_to_json
from sync_service.gateway.devices import Authenticator
from sync_service.gateway.reading import read_message, unpack
from sync_service.gateway.routes import signed_request
from sync_service.protocol.fields import Message
from sync_service.protocol.payloads import CaseMessage

MAX_BODY_BYTES: Final = 256 << 10
REQUEST_MODELS: Final = (PredictRequest, ExplainRequest)


def router(service: DiagnosisService, authenticator: Authenticator) -> APIRouter:
    """Return the routes of the diagnosis service."""
    routes = APIRouter(tags=["diagnosis"])

    async def message_of(request: Request) -> bytes:
        signed = await signed_request(request, limit_bytes=MAX_BODY_BYTES)
        await authenticator.device_of(signed)
        return unpack(signed.body, signed.headers.get("content-encoding", ""))

    @routes.post("/predict", response_class=Response, openapi_extra=_documented(PredictRequest))
    async def predict(request: Request) -> Response:
        """Return the differential of one case, how soon to attend, why, and what to ask next."""
        asked = read_message(await message_of(request), PredictRequest)
        return _json(await service.answer(_case(asked.case), asked))

    @routes.post("/explain", response_class=Response, openapi_extra=_documented(ExplainRequest))
    async def explain(request: Request) -> Response:
        """Return what each finding did to one disease."""
        asked = read_message(await message_of(request), ExplainRequest)
        engine = service.engine
        explanation = await service.explain(_case(asked.case), disease_id(asked.disease))
        return _json(
            ExplainResponse(
                explanation=explanation_to_json(explanation),
                bundle_version=engine.version,
                bundle_digest=engine.digest,
            )
        )

    return routes


def _case(message: CaseMessage) -> Case:
    """Return the case asked about; a field the engine would not read is an error, not ignored."""
    raw = message.model_dump(exclude_none=True)
    return case_from_json({"age_days": None, **raw})


def _json(answer: Message) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(answer.model_dump_json(), media_type="application/json", headers=headers)


def _documented(model: type[Message]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}, "required": True}}
