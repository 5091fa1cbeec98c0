"""The gateway over HTTP. The application supplies sink, directory, authentication and clock.

Order of a request: bound the body, check the signature over it as sent, only then decompress
and parse. Errors are DdxErrors with a code; the application turns them into problem details.
"""

import asyncio
import base64
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from ddx.domain.statements import SignatureCheck
from sync_service.gateway.checkpoints import Heads, StatementKey, countersign
from sync_service.gateway.devices import (
    Authenticator,
    Device,
    DeviceDirectory,
    SignedRequest,
)
from sync_service.gateway.intake import Sink
from sync_service.gateway.leases import Identities, lend
from sync_service.gateway.pressure import Pressure
from sync_service.gateway.reading import judge, read_message, unpack
from sync_service.gateway.receive import answer_to, receive, tally
from sync_service.gateway.settings import DeviceSettings, page_after
from sync_service.protocol import compression, versions
from sync_service.protocol.checkpoints import CheckpointAnswer, CheckpointRequest
from sync_service.protocol.errors import (
    DeviceMismatchError,
    MessageMalformedError,
    MessageTooLargeError,
)
from sync_service.protocol.fields import Message
from sync_service.protocol.leases import LeaseMessage, LeaseRequest
from sync_service.protocol.messages import (
    BatchReceipt,
    DeviceStatus,
    EnrolmentRequest,
    EnrolmentResponse,
    SyncBatch,
)
from sync_service.protocol.settings import SettingsPage

log = logging.getLogger(__name__)

REQUEST_MODELS: Final = (SyncBatch, EnrolmentRequest, CheckpointRequest, LeaseRequest)
"""Read by hand (signature first), so FastAPI does not see them; the OpenAPI document needs them."""

_WORTH_COMPRESSING_BYTES: Final = 512
_TOKEN_BYTES: Final = 32 << 10
_CURSOR_DIGITS: Final = 18
_SMALL_BYTES: Final = 4096

"""Enrolments and heads are a few hundred bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The ports of the routes. counted: told how many records ended how, by status or reason."""

    sink: Sink
    heads: Heads
    key: StatementKey
    check: SignatureCheck
    identities: Identities
    directory: DeviceDirectory
    authenticator: Authenticator
    now: Callable[[], datetime]
    settings: DeviceSettings
    pressure: Pressure = field(default_factory=Pressure)
    counted: Callable[[str, int], None] = lambda _result, _count: None


Described = Callable[[str], Mapping[str, Any]]
"""Path -> further keyword arguments of its route: who may call it, examples, how it fails."""


def _nothing_more(_path: str) -> Mapping[str, Any]:
    return {}


def router(gateway: Gateway, described: Described = _nothing_more) -> APIRouter:
    """Return the routes of the sync gateway."""
    routes = APIRouter(tags=["sync"])

    async def post_batch(request: Request) -> Response:
        """Store a batch of records; one result per record."""
        return await _post_batch(gateway, request)

    async def post_device(request: Request) -> Response:
        """Enrol a device with a one-time code."""
        return await _post_device(gateway, request)

    async def post_checkpoint(request: Request) -> Response:
        """Countersign the head of the calling device's audit chain."""
        return await _post_checkpoint(gateway, request)

    async def post_lease(request: Request) -> Response:
        """Lend a role to a person of the calling device."""
        return await _post_lease(gateway, request)

    async def get_status(request: Request) -> Response:
        """Return what the server holds of the calling device."""
        device = await gateway.authenticator.device_of(await signed_request(request))
        return _answer(request, await gateway.directory.status(device.id, gateway.now()))

    async def get_settings(request: Request) -> Response:
        """Return the settings for the calling device after a cursor."""
        device = await gateway.authenticator.device_of(await signed_request(request))
        cursor = _cursor(request.query_params.get("after", "0"))
        return _answer(request, await page_after(gateway.settings, device.id, cursor))

    for path, method, call, body, answer in (
        (versions.BATCHES_PATH, "POST", post_batch, SyncBatch, BatchReceipt),
        (versions.DEVICES_PATH, "POST", post_device, EnrolmentRequest, EnrolmentResponse),
        (versions.CHECKPOINTS_PATH, "POST", post_checkpoint, CheckpointRequest, CheckpointAnswer),
        (versions.LEASES_PATH, "POST", post_lease, LeaseRequest, LeaseMessage),
        (versions.SETTINGS_PATH, "GET", get_settings, None, SettingsPage),
        (versions.STATUS_PATH, "GET", get_status, None, DeviceStatus),
    ):
        plain: dict[str, Any] = {
            "responses": {200: {"model": answer}},
            "response_class": Response,
            "openapi_extra": _documented(body) if body else None,
        }
        routes.add_api_route(path, call, methods=[method], **(plain | dict(described(path))))
    return routes


async def signed_request(
    request: Request, *, limit_bytes: int = versions.MAX_BODY_BYTES
) -> SignedRequest:
    """Return the parts of `request` a signature covers.

    Raises:
        MessageTooLargeError: the body is longer than `limit_bytes`; reading stopped there.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise MessageTooLargeError(limit_bytes)
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope.get("query_string", b"")
    return SignedRequest(
        method=request.method,
        target=(path + b"?" + query if query else path).decode("ascii", "replace"),
        body=bytes(body),
        headers=dict(request.headers),
    )


async def _post_batch(gateway: Gateway, request: Request) -> Response:
    signed = await signed_request(request)
    device = await gateway.authenticator.device_of(signed)
    encoding = signed.headers.get("content-encoding", "")
    with gateway.pressure.one_batch(device.id):
        batch = await asyncio.to_thread(lambda: judge(unpack(signed.body, encoding)))
        if batch.header.device_id != device.id:
            raise DeviceMismatchError("the batch names another device than its signature")
        receipt = await receive(batch, gateway.sink, now=gateway.now())
    for result, count in tally(receipt).items():
        gateway.counted(result, count)
    return _answer(request, answer_to(batch, receipt))


async def _post_checkpoint(gateway: Gateway, request: Request) -> Response:
    signed = await signed_request(request, limit_bytes=_SMALL_BYTES)
    device = await gateway.authenticator.device_of(signed)
    asked = read_message(signed.body, CheckpointRequest)
    answer = await countersign(
        asked,
        device,
        heads=gateway.heads,
        key=gateway.key,
        check=gateway.check,
        now=gateway.now(),
    )
    return _answer(request, answer)


async def _post_lease(gateway: Gateway, request: Request) -> Response:
    signed = await signed_request(request, limit_bytes=_TOKEN_BYTES)
    device = await gateway.authenticator.device_of(signed)
    asked = read_message(signed.body, LeaseRequest)
    lease = await lend(
        asked, device, identities=gateway.identities, key=gateway.key, now=gateway.now()
    )
    return _answer(request, lease)


async def _post_device(gateway: Gateway, request: Request) -> Response:
    signed = await signed_request(request, limit_bytes=_SMALL_BYTES)
    asked = read_message(signed.body, EnrolmentRequest)
    device = Device(id=asked.device_id, public_key=base64.b64decode(asked.public_key))
    await gateway.authenticator.check_proof(signed, device)
    now = gateway.now()
    await gateway.directory.enrol(asked, device.public_key, now)
    log.info("device enrolled")
    answer = EnrolmentResponse(
        device_id=device.id,
        accepted_versions=tuple(sorted(versions.ACCEPTED_VERSIONS)),
        max_events_per_batch=versions.MAX_EVENTS_PER_BATCH,
        server_time=now,
    )
    return _answer(request, answer)


def _cursor(text: str) -> int:
    """Return a cursor as typed. Raises MessageMalformedError."""
    if not text.isdecimal() or len(text) > _CURSOR_DIGITS:
        raise MessageMalformedError("after")
    return int(text)


def _answer(request: Request, message: Message) -> Response:
    body, headers = message.wire_bytes(), {"Vary": "Accept-Encoding"}
    accepted = request.headers.get("accept-encoding", "")
    if compression.ZSTD in accepted and len(body) > _WORTH_COMPRESSING_BYTES:
        body, headers = compression.compress(body), headers | {"Content-Encoding": compression.ZSTD}
    return Response(body, media_type="application/json", headers=headers)


def _documented(model: type[Message]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}, "required": True}}
