"""GET /settings, PUT /settings/{key}: what the devices of an organisation are told."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request

from cloud_api.auth.access import people
from cloud_api.auth.guard import Guard, caller_of
from cloud_api.clinic_settings.schemas import Key, SettingAnswer, SettingList, SettingRequest
from cloud_api.clinic_settings.service import SettingService
from cloud_api.operation import operation
from ddx.domain.roles import Permission
from sync_service.gateway.reading import read_message

KeyInPath = Annotated[Key, Path(examples=["DailyByteBudget"])]
REQUEST_MODELS: Final = (SettingRequest,)
_SETTING: Final = {
    "key": "DailyByteBudget",
    "value": 50000000,
    "device_id": None,
    "set_at": "2026-11-26T12:00:00Z",
    "server_sequence": 12,
    "by_operator": False,
}


def router(guard: Guard, service: SettingService) -> APIRouter:
    """Return the routes of settings."""
    routes = APIRouter(prefix="/settings", tags=["settings"])
    administrators = people(Permission.MANAGE_CLINICIANS)

    @routes.get(
        "",
        **operation(guard, administrators, answer=SettingList, example={"settings": [_SETTING]}),
    )
    async def in_force(request: Request) -> SettingList:
        """Return the settings in force for the devices of the caller's organisation."""
        return SettingList(settings=await service.in_force(caller_of(request).tenant_id))

    @routes.put(
        "/{key}",
        **operation(
            guard,
            administrators,
            answer=SettingAnswer,
            example=_SETTING,
            body=SettingRequest,
            sent={"value": 50000000},
            problems=("device.unknown",),
        ),
    )
    async def put(request: Request, key: KeyInPath) -> SettingAnswer:
        """Set a policy key; devices take it with their next contact."""
        caller = caller_of(request)
        return await service.put(caller, key, read_message(caller.content, SettingRequest))

    return routes
