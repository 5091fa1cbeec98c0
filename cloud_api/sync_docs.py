"""What the documentation says of the sync gateway, whose routes know no application."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from cloud_api.auth.access import DEVICES, Access, everyone
from cloud_api.operation import JSON, operation
from sync_service.protocol import versions
from sync_service.protocol.checkpoints import CheckpointAnswer, CheckpointRequest
from sync_service.protocol.leases import LeaseMessage, LeaseRequest
from sync_service.protocol.messages import (
    BatchReceipt,
    DeviceStatus,
    EnrolmentRequest,
    EnrolmentResponse,
    SyncBatch,
)
from sync_service.protocol.settings import SettingsPage

_ENROLLING: Final = everyone("a one-time code, and a signature with the key that is enrolled")
_DEVICE: Final = "0198a000-0000-7000-8000-000000000002"
_TIME: Final = "2026-11-26T12:00:00Z"
_HEAD: Final = {"epoch": 1, "sequence": 40, "head": "a" * 64}
_TOKEN: Final = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJvaWQtYW5hIn0.c2lnbmF0dXJl"  # noqa: S105 - an example
_EVENT: Final = {
    "id": "0198a000-0000-7000-8000-000000000009",
    "sequence": 41,
    "kind": "audit",
    "created_at": _TIME,
    "payload": {},
    "payload_sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
}
_EXAMPLES: Final[dict[str, tuple[Any, Any]]] = {
    versions.BATCHES_PATH: (
        {
            "device_id": _DEVICE,
            "epoch": 1,
            "batch_id": "0198a000-0000-7000-8000-00000000000a",
            "app_version": "0.1.0",
            "sent_at": _TIME,
            "events": [_EVENT],
        },
        {
            "batch_id": "0198a000-0000-7000-8000-00000000000a",
            "results": [{"id": _EVENT["id"], "status": "stored", "server_sequence": 1207}],
            "server_time": _TIME,
        },
    ),
    versions.DEVICES_PATH: (
        {
            "device_id": _DEVICE,
            "code": "7QK2-M9XD-4HTB-W3ZC",
            "public_key": "A" * 43 + "=",
            "app_version": "0.1.0",
        },
        {
            "device_id": _DEVICE,
            "accepted_versions": [1, 2],
            "max_events_per_batch": 500,
            "server_time": _TIME,
        },
    ),
    versions.CHECKPOINTS_PATH: (
        _HEAD | {"device_id": _DEVICE, "signature": "5" * 128},
        {
            "verdict": "countersigned",
            "checkpoint": _HEAD
            | {
                "device_id": _DEVICE,
                "device_key": "d" * 64,
                "server_time": "2026-11-26T12:00:00.000000+00:00",
                "server_key": "e" * 64,
                "signature": "6" * 128,
            },
        },
    ),
    versions.LEASES_PATH: (
        {
            "device_id": _DEVICE,
            "clinician_id": "0198a000-0000-7000-8000-00000000000b",
            "id_token": _TOKEN,
        },
        {
            "device_id": _DEVICE,
            "clinician_id": "0198a000-0000-7000-8000-00000000000b",
            "subject": "oid-ana",
            "role": "MedicoAdmin",
            "issued_at": "2026-11-26T12:00:00.000000+00:00",
            "expires_at": "2027-03-26T12:00:00.000000+00:00",
            "server_key": "e" * 64,
            "signature": "6" * 128,
        },
    ),
    versions.SETTINGS_PATH: (
        None,
        {
            "settings": [{"server_sequence": 12, "key": "DailyByteBudget", "value": 50000000}],
            "cursor": 12,
            "more": False,
        },
    ),
    versions.STATUS_PATH: (
        None,
        {
            "device_id": _DEVICE,
            "epoch": 1,
            "last_sequence": 41,
            "stored": 41,
            "server_time": _TIME,
        },
    ),
}
_BODIES: Final[dict[str, tuple[type[BaseModel] | None, type[BaseModel]]]] = {
    versions.BATCHES_PATH: (SyncBatch, BatchReceipt),
    versions.DEVICES_PATH: (EnrolmentRequest, EnrolmentResponse),
    versions.CHECKPOINTS_PATH: (CheckpointRequest, CheckpointAnswer),
    versions.LEASES_PATH: (LeaseRequest, LeaseMessage),
    versions.SETTINGS_PATH: (None, SettingsPage),
    versions.STATUS_PATH: (None, DeviceStatus),
}
_PROBLEMS: Final = {
    versions.BATCHES_PATH: ("sync.device_mismatch", "sync.conflict"),
    versions.DEVICES_PATH: (
        "auth.unsigned",
        "auth.signature_invalid",
        "auth.clock_skew",
        "auth.replayed",
        "enrolment.refused",
    ),
    versions.CHECKPOINTS_PATH: ("sync.device_mismatch", "audit.head_not_signed"),
    versions.LEASES_PATH: ("sync.device_mismatch", "lease.refused"),
    versions.SETTINGS_PATH: ("sync.malformed",),
}
_AFTER: Final = {
    "name": "after",
    "in": "query",
    "required": False,
    "description": "`cursor` of the page before; 0 for the first.",
    "schema": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1, "default": 0},
    "example": 0,
}


ANSWER_MODELS: Final = tuple(answer for _, answer in _BODIES.values())
"""For the document: the gateway writes its answers by hand."""


def access_of(path: str) -> Access:
    """Return who may call an operation of the gateway."""
    return _ENROLLING if path == versions.DEVICES_PATH else DEVICES


def described(path: str) -> Mapping[str, Any]:
    """Return the further keyword arguments of a route of the gateway."""
    (body, answer), (sent, shown) = _BODIES[path], _EXAMPLES[path]
    arguments = operation(
        None,
        access_of(path),
        example=shown,
        body=body,
        sent=sent,
        problems=_PROBLEMS.get(path, ()),
    )
    # answers leave out what is null, so their schema is that of a reader
    schema = {"$ref": f"#/components/schemas/{answer.__name__}"}
    arguments["responses"][200] = {"content": {JSON: {"schema": schema}}}
    if path == versions.SETTINGS_PATH:
        arguments["openapi_extra"]["parameters"] = [_AFTER]
    return arguments
