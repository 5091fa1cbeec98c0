"""POST /feedback, GET /feedback: decisions about predictions of the caller's organisation."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from cloud_api.audit.actions import CloudAction
from cloud_api.audit.service import Journal
from cloud_api.auth.access import people, people_or_devices
from cloud_api.auth.guard import Guard, caller_of
from cloud_api.feedback.schemas import FeedbackAnswer, FeedbackMessage, FeedbackPage
from cloud_api.feedback.service import FeedbackService
from cloud_api.fields import AN_ID, AfterId, Limit, Since, Until, window_of
from cloud_api.operation import operation
from ddx.domain.roles import Permission
from sync_service.gateway.reading import read_message
from sync_service.protocol.fields import RecordIdText
from sync_service.protocol.payloads import FeedbackPayload

REQUEST_MODELS: Final = (FeedbackPayload,)
_ID: Final = "0198a000-0000-7000-8000-000000000003"
_RECEIPT: Final = "0198a000-0000-7000-8000-000000000001"
_SENT: Final = {
    "feedback_id": _ID,
    "diagnosis_id": _RECEIPT,
    "outcome": "overridden",
    "outcomeTimestamp": "2026-11-26T12:05:00Z",
    "overrideReason": {"reason": {"code": "not_my_judgement"}},
    "verb": "custom",
    "disease": "VD:malaria",
}
_ONE: Final = {
    "feedback_id": _ID,
    "receipt_id": _RECEIPT,
    "at": "2026-11-26T12:05:00Z",
    "received_at": "2026-11-26T12:05:02Z",
    "actor": "person:oid-ana",
    "outcome": "overridden",
    "verb": "custom",
    "reason": "not_my_judgement",
    "disease": "VD:malaria",
}


def router(guard: Guard, service: FeedbackService, journal: Journal) -> APIRouter:
    """Return the routes of feedback."""
    routes = APIRouter(tags=["feedback"])

    described = operation(
        guard,
        people_or_devices(Permission.GIVE_FEEDBACK),
        answer=FeedbackAnswer,
        example={"feedback_id": _ID, "stored": True},
        body=FeedbackPayload,
        sent=_SENT,
        problems=("case.invalid", "prediction.unknown", "record.conflict"),
        status=201,
    )
    described["responses"][200] = {
        "model": FeedbackAnswer,
        "description": "The same decision was stored before",
        "content": {"application/json": {"example": {"feedback_id": _ID, "stored": False}}},
    }

    @routes.post("/feedback", **described)
    async def give(request: Request, response: Response) -> FeedbackAnswer:
        """Store what a clinician decided about a prediction; sent twice, it is stored once."""
        caller = caller_of(request)
        sent = read_message(caller.content, FeedbackPayload)
        stored = await service.take(caller, sent)
        response.status_code = 201 if stored else 200
        return FeedbackAnswer(feedback_id=sent.feedback_id, stored=stored)

    @routes.get(
        "/feedback",
        **operation(
            guard,
            people(Permission.VIEW_HISTORY, Permission.READ_PREDICTION_LOG),
            answer=FeedbackPage,
            example={"feedback": [_ONE], "next": _ID},
            asks=True,
        ),
    )
    async def search(
        request: Request,
        *,
        since: Since = None,
        until: Until = None,
        receipt_id: Annotated[RecordIdText | None, Query(examples=[AN_ID])] = None,
        after: AfterId = None,
        limit: Limit = 100,
    ) -> FeedbackPage:
        """Return decisions of the caller's organisation. The search is noted in the audit."""
        caller = caller_of(request)
        await journal.note(caller, CloudAction.FEEDBACK_SEARCHED, "feedback", limit=limit)
        found = await service.log.search(
            caller.tenant_id,
            window=window_of(since, until),
            prediction_id=receipt_id or "",
            after=after or "",
            limit=limit,
        )
        return FeedbackPage(
            feedback=tuple(FeedbackMessage.of(record) for record in found),
            next=found[-1].id if len(found) == limit else None,
        )

    return routes
