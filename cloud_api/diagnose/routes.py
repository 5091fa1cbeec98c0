"""POST /predict and POST /explain, for people and enrolled devices.

Nothing of a case is logged; of a prediction its digests and the head of the answer are kept.
"""

from typing import Final

from fastapi import APIRouter, Request, Response

from cloud_api.auth.access import people_or_devices
from cloud_api.auth.admitted import AdmittedRoute
from cloud_api.auth.guard import Guard, caller_of
from cloud_api.diagnose import examples
from cloud_api.diagnose.kept import KeptDiagnosis
from cloud_api.diagnose.room import WaitingRoom
from cloud_api.diagnose.schemas import (
    AskedCase,
    ExplainRequest,
    ExplainResponse,
    PredictRequest,
    Receipted,
)
from cloud_api.operation import JSON, operation
from cloud_api.predictions.service import Receipts
from ddx.domain.canonical import digest_of
from ddx.domain.case import Case, VitalSigns
from ddx.domain.finding import Presence
from ddx.domain.identifiers import disease_id
from ddx.domain.roles import Permission
from ddx.domain.wire import case_from_json, case_to_json
from ddx.errors import CaseError
from sync_service.gateway.reading import read_message

REQUEST_MODELS: Final = (PredictRequest, ExplainRequest)
_REFUSED: Final = ("case.invalid", "finding.unknown", "engine.not_ready", "engine.busy")


def router(
    guard: Guard, service: KeptDiagnosis, receipts: Receipts, room: WaitingRoom
) -> APIRouter:
    """Return the routes of the diagnosis service.

    The room is looked at before anything is read, and entered by callers who were admitted and
    whose question is readable: nobody takes a place in it by sending slowly.
    """
    routes = APIRouter(tags=["diagnosis"], route_class=AdmittedRoute)

    @routes.post(
        "/predict",
        **operation(
            guard,
            people_or_devices(Permission.DIAGNOSE),
            answer=Receipted,
            example=examples.PREDICTED,
            body=PredictRequest,
            sent=examples.ASKED,
            problems=_REFUSED,
            first=room.check,
        ),
    )
    async def predict(request: Request) -> Response:
        """Return the differential of one case, how soon to attend, why, and what to ask next."""
        caller = caller_of(request)
        asked = read_message(caller.content, PredictRequest)
        case = _case(asked.case)
        case_digest = digest_of(case_to_json(case))
        with room.turn():
            answer = await service.answer(caller.tenant_id, case, case_digest, asked)
            receipt = await receipts.keep(caller, case_digest, answer.head)
        return _json(answer.receipted(receipt))

    @routes.post(
        "/explain",
        **operation(
            guard,
            people_or_devices(Permission.EXPLAIN),
            answer=ExplainResponse,
            example=examples.EXPLAINED,
            body=ExplainRequest,
            sent={"case": examples.CASE, "disease": "VD:dengue"},
            problems=(*_REFUSED, "disease.unknown", "identifier.malformed"),
            first=room.check,
        ),
    )
    async def explain(request: Request) -> Response:
        """Return what each finding did to one disease."""
        caller = caller_of(request)
        asked = read_message(caller.content, ExplainRequest)
        case, disease = _case(asked.case), disease_id(asked.disease)
        case_digest = digest_of(case_to_json(case))
        with room.turn():
            return _json(await service.explain(caller.tenant_id, case, case_digest, disease))

    return routes


def _case(message: AskedCase) -> Case:
    """Return the case asked about; a field the engine would not read is an error, not ignored.

    Raises:
        CaseError: it cannot be read, or says nothing: "can wait" would be said of silence.
    """
    raw = message.model_dump(exclude_none=True)
    case = case_from_json({"age_days": None, **raw})
    stated = any(finding.presence is not Presence.UNKNOWN for finding in case.findings)
    if not stated and case.vitals == VitalSigns():
        raise CaseError("no finding is present or excluded, and no vital sign was measured")
    return case


def _json(answer: bytes) -> Response:
    return Response(answer, media_type=JSON, headers={"Cache-Control": "no-store"})
