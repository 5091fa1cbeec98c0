"""GET /devices, POST /devices/codes, POST /devices/{device_id}/revoke."""

from typing import Final

from fastapi import APIRouter, Request

from cloud_api.auth.access import people
from cloud_api.auth.guard import Guard, caller_of
from cloud_api.devices.schemas import (
    CodeMessage,
    CodeRequest,
    DeviceMessage,
    DevicePage,
    RevocationRequest,
)
from cloud_api.devices.service import DeviceService
from cloud_api.fields import AfterId, Limit, RecordInPath
from cloud_api.operation import operation
from ddx.domain.roles import Permission
from sync_service.gateway.reading import read_message

REQUEST_MODELS: Final = (CodeRequest, RevocationRequest)
_ID: Final = "0198a000-0000-7000-8000-000000000002"
_DEVICE: Final = {
    "device_id": _ID,
    "key": "e" * 64,
    "app_version": "0.1.0",
    "enrolled_at": "2026-11-20T08:00:00Z",
    "revoked_at": None,
}
_CODE: Final = {"code": "7QK2-M9XD-4HTB-W3ZC", "expires_at": "2026-11-29T12:00:00Z"}


def router(guard: Guard, service: DeviceService) -> APIRouter:
    """Return the routes of devices."""
    routes = APIRouter(prefix="/devices", tags=["devices"])
    administrators = people(Permission.MANAGE_CLINICIANS)

    @routes.get(
        "",
        **operation(
            guard,
            administrators,
            answer=DevicePage,
            example={"devices": [_DEVICE], "next": _ID},
            asks=True,
        ),
    )
    async def search(request: Request, after: AfterId = None, limit: Limit = 100) -> DevicePage:
        """Return devices of the caller's organisation, revoked ones included."""
        return await service.search(caller_of(request), after=after or "", limit=limit)

    @routes.post(
        "/codes",
        **operation(
            guard,
            administrators,
            answer=CodeMessage,
            example=_CODE,
            body=CodeRequest,
            sent={"hours": 72},
            status=201,
        ),
    )
    async def issue(request: Request) -> CodeMessage:
        """Return a one-time code; the device that enrols with it joins the organisation."""
        caller = caller_of(request)
        return await service.issue_code(
            caller, hours=read_message(caller.content, CodeRequest).hours
        )

    @routes.post(
        "/{device_id}/revoke",
        **operation(
            guard,
            administrators,
            answer=DeviceMessage,
            example=_DEVICE | {"revoked_at": "2026-11-26T12:00:00Z"},
            body=RevocationRequest,
            sent={"reason": "lost"},
            problems=("device.unknown",),
        ),
    )
    async def revoke(request: Request, device_id: RecordInPath) -> DeviceMessage:
        """Revoke a device of the caller's organisation for good."""
        caller = caller_of(request)
        reason = read_message(caller.content, RevocationRequest).reason
        return await service.revoke(caller, device_id, reason)

    return routes
