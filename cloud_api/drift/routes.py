"""GET /drift, GET /metrics/summary: counts of the caller's organisation."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from cloud_api.auth.access import people
from cloud_api.auth.guard import Guard, caller_of
from cloud_api.drift.schemas import Drift, Summary
from cloud_api.drift.service import DriftService
from cloud_api.operation import operation
from ddx.domain.roles import Permission

Days = Annotated[int, Query(ge=1, le=366, examples=[7])]
_DRIFT: Final = {
    "since": "2026-11-19T12:00:00Z",
    "until": "2026-11-26T12:00:00Z",
    "reference_since": "2026-10-22T12:00:00Z",
    "fields": [
        {
            "field": "leading_disease",
            "records": 412,
            "reference_records": 1650,
            "index": 0.04,
            "level": "stable",
        }
    ],
}
_SUMMARY: Final = {
    "since": "2026-11-19T12:00:00Z",
    "until": "2026-11-26T12:00:00Z",
    "predictions": 412,
    "predictions_by": {"bundle_version": {"2026.11.6": 412}, "triage_level": {"3": 300, "4": 112}},
    "feedback": 40,
    "feedback_by": {"outcome": {"accepted": 31, "overridden": 9}},
    "accepted_share": 0.775,
}


def router(guard: Guard, service: DriftService) -> APIRouter:
    """Return the routes of what changed."""
    routes = APIRouter(tags=["drift"])
    readers = people(Permission.VIEW_AGGREGATES)

    @routes.get("/drift", **operation(guard, readers, answer=Drift, example=_DRIFT, asks=True))
    async def drift(request: Request, days: Days = 7, reference_days: Days = 28) -> Drift:
        """Return how far the last days are from those before, per property of the answers."""
        tenant_id = caller_of(request).tenant_id
        return await service.drift(tenant_id, days=days, reference_days=reference_days)

    @routes.get(
        "/metrics/summary",
        **operation(guard, readers, answer=Summary, example=_SUMMARY, asks=True),
    )
    async def summary(request: Request, days: Days = 7) -> Summary:
        """Return what was asked, answered and decided, in counts."""
        return await service.summary(caller_of(request).tenant_id, days=days)

    return routes
