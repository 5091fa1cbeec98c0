"""POST /audit, GET /audit, GET /audit/verify: the chain of the caller's organisation."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from cloud_api.audit.actions import CloudAction
from cloud_api.audit.schemas import LinkMessage, LinkPage, ReportRequest, VerdictMessage
from cloud_api.audit.service import Journal, verify
from cloud_api.auth.access import people
from cloud_api.auth.guard import Guard, caller_of
from cloud_api.fields import Actor, AfterSequence, CodeOrNothing, Limit, Since, Until, window_of
from cloud_api.operation import operation
from ddx.domain.roles import Permission
from sync_service.gateway.reading import read_message

REQUEST_MODELS: Final = (ReportRequest,)
_LINK: Final = {
    "sequence": 7,
    "id": "0198a000-0000-7000-8000-000000000007",
    "at": "2026-11-26T12:00:00Z",
    "actor": "person:oid-ana",
    "role": "MedicoAdmin",
    "action": "device_revoked",
    "subject": "0198a000-0000-7000-8000-000000000002",
    "detail": {"reason": "lost"},
    "previous": "0" * 64,
    "hash": "a" * 64,
}
_REPORT: Final = {"action": "training_run", "subject": "2026.11.7", "detail": {"folds": 5}}
_VERDICT: Final = {"holds": True, "checked": 7, "head": "a" * 64, "broken_at": None, "reason": ""}


def router(guard: Guard, journal: Journal) -> APIRouter:
    """Return the routes of the audit."""
    routes = APIRouter(tags=["audit"])
    readers = people(Permission.READ_AUDIT)
    reporters = people(Permission.MANAGE_CLINICIANS, Permission.MANAGE_INFRASTRUCTURE)

    @routes.post(
        "/audit",
        **operation(
            guard,
            reporters,
            answer=LinkMessage,
            example=_LINK | {"action": "reported.training_run"},
            body=ReportRequest,
            sent=_REPORT,
            status=201,
        ),
    )
    async def report(request: Request) -> LinkMessage:
        """Add something done outside the service, under the caller's name."""
        caller = caller_of(request)
        asked = read_message(caller.content, ReportRequest)
        link = await journal.report(caller, asked.action, asked.subject, dict(asked.detail))
        return LinkMessage.of(link)

    @routes.get(
        "/audit",
        **operation(
            guard, readers, answer=LinkPage, example={"links": [_LINK], "next": 7}, asks=True
        ),
    )
    async def search(
        request: Request,
        *,
        since: Since = None,
        until: Until = None,
        actor: Annotated[Actor, Query(examples=["person:7f3c"])] = "",
        action: Annotated[CodeOrNothing, Query(examples=["prediction.read"])] = "",
        after: AfterSequence = 0,
        limit: Limit = 100,
    ) -> LinkPage:
        """Return links of the caller's organisation, oldest first. The search is noted too."""
        caller = caller_of(request)
        await journal.note(caller, CloudAction.AUDIT_SEARCHED, "audit", after=after)
        found = await journal.log.search(
            caller.tenant_id,
            window=window_of(since, until),
            actor=actor,
            action=action,
            after=after,
            limit=limit,
        )
        return LinkPage(
            links=tuple(LinkMessage.of(link) for link in found),
            next=found[-1].sequence if len(found) == limit else None,
        )

    @routes.get(
        "/audit/verify", **operation(guard, readers, answer=VerdictMessage, example=_VERDICT)
    )
    async def verdict(request: Request) -> VerdictMessage:
        """Return whether the whole chain of the caller's organisation still holds."""
        caller = caller_of(request)
        found = await verify(journal.log, caller.tenant_id)
        await journal.note(caller, CloudAction.AUDIT_VERIFIED, "audit", holds=found.holds)
        return VerdictMessage.of(found)

    return routes
