"""GET /me: who the service takes the caller for."""

from typing import Final

from fastapi import APIRouter, Request

from cloud_api.auth.access import people
from cloud_api.auth.guard import Guard, caller_of
from cloud_api.operation import operation
from ddx.domain.roles import PERMISSIONS, Role
from sync_service.protocol.fields import Message

_ME: Final = {
    "actor": "person:oid-ana",
    "organisation": "san-juan",
    "role": "Auditor",
    "permissions": ["read_audit", "read_model_history", "read_prediction_log", "view_sent"],
}


class Me(Message):
    """The caller. permissions: what their role carries, sorted."""

    actor: str
    organisation: str
    role: Role
    permissions: tuple[str, ...]


def router(guard: Guard) -> APIRouter:
    """Return the one route."""
    routes = APIRouter(tags=["identity"])

    @routes.get("/me", **operation(guard, people(), answer=Me, example=_ME))
    async def me(request: Request) -> Me:
        """Return who the service takes the caller for, and what they may do."""
        caller = caller_of(request)
        role = Role(caller.role or "")
        return Me(
            actor=caller.actor,
            organisation=caller.tenant_id,
            role=role,
            permissions=tuple(sorted(PERMISSIONS[role])),
        )

    return routes
