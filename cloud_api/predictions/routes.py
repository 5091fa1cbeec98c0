"""GET /predictions, GET /predictions/{receipt_id}: what the caller's organisation asked."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from cloud_api.audit.actions import CloudAction
from cloud_api.audit.service import Journal
from cloud_api.auth.access import people
from cloud_api.auth.guard import Guard, caller_of
from cloud_api.fields import AfterId, CodeOrNothing, Limit, RecordInPath, Since, Until, window_of
from cloud_api.operation import operation
from cloud_api.predictions.schemas import PredictionMessage, PredictionPage
from cloud_api.predictions.service import Receipts
from ddx.domain.roles import Permission

_ID: Final = "0198a000-0000-7000-8000-000000000001"
_PREDICTION: Final = {
    "receipt_id": _ID,
    "at": "2026-11-26T12:00:00Z",
    "actor": "person:oid-ana",
    "bundle_version": "2026.11.6",
    "bundle_digest": "b" * 64,
    "case_digest": "c" * 64,
    "answer_digest": "d" * 64,
    "triage_level": 3,
    "leading": [
        {"disease": "VD:dengue", "probability": 0.82, "band": "very_likely", "world": "common"}
    ],
}


def router(guard: Guard, receipts: Receipts, journal: Journal) -> APIRouter:
    """Return the routes of the prediction log."""
    routes = APIRouter(tags=["predictions"])
    readers = people(Permission.READ_PREDICTION_LOG, Permission.VIEW_HISTORY)

    @routes.get(
        "/predictions",
        **operation(
            guard,
            readers,
            answer=PredictionPage,
            example={"predictions": [_PREDICTION], "next": _ID},
            asks=True,
        ),
    )
    async def search(
        request: Request,
        *,
        since: Since = None,
        until: Until = None,
        bundle_version: Annotated[CodeOrNothing, Query(examples=["2026.11.6"])] = "",
        after: AfterId = None,
        limit: Limit = 100,
    ) -> PredictionPage:
        """Return predictions of the caller's organisation. The search is noted in the audit."""
        caller = caller_of(request)
        await journal.note(caller, CloudAction.PREDICTIONS_SEARCHED, "predictions", limit=limit)
        found = await receipts.log.search(
            caller.tenant_id,
            window=window_of(since, until),
            bundle_version=bundle_version,
            after=after or "",
            limit=limit,
        )
        return PredictionPage(
            predictions=tuple(PredictionMessage.of(record) for record in found),
            next=found[-1].id if len(found) == limit else None,
        )

    @routes.get(
        "/predictions/{receipt_id}",
        **operation(
            guard,
            readers,
            answer=PredictionMessage,
            example=_PREDICTION,
            problems=("prediction.unknown",),
            asks=True,
        ),
    )
    async def one(request: Request, receipt_id: RecordInPath) -> PredictionMessage:
        """Return what is written down of one prediction. Reading it is noted in the audit."""
        caller = caller_of(request)
        await journal.note(caller, CloudAction.PREDICTIONS_SEARCHED, receipt_id)
        return PredictionMessage.of(await receipts.of(caller, receipt_id))

    return routes
