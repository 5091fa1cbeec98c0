"""Bytes of a request -> a batch whose records have each been judged on their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from ddx.domain.canonical import canonical_json
from sync_service.gateway.intake import NewEvent
from sync_service.protocol import compression, versions
from sync_service.protocol.allowlist import (
    Objection,
    first_location,
    objection_to_keeping,
    objection_to_storing,
)
from sync_service.protocol.codes import RejectReason
from sync_service.protocol.errors import (
    EncodingUnsupportedError,
    MessageMalformedError,
    SchemaUnsupportedError,
)
from sync_service.protocol.fields import Message
from sync_service.protocol.messages import LooseBatch, LooseEvent, SyncEvent

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """A readable batch. records: in sequence order, each fit to store or with an objection."""

    header: LooseBatch
    records: Sequence[tuple[LooseEvent, NewEvent | Objection]]


class _VersionOnly(Message, extra="ignore"):  # the rest is read once, by its own model
    schema_version: int = versions.SCHEMA_VERSION


def unpack(body: bytes, encoding: str) -> bytes:
    """Return the message inside a request body.

    Raises:
        EncodingUnsupportedError: neither zstd nor identity.
        MessageTooLargeError, MessageMalformedError: see `compression.decompress`.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case compression.ZSTD:
            return compression.decompress(body, limit_bytes=versions.MAX_MESSAGE_BYTES)
        case _:
            raise EncodingUnsupportedError("send zstd or identity")


def read_message(message: bytes, model: type[M]) -> M:
    """Return `message` as `model`.

    Raises:
        SchemaUnsupportedError: written in a version this server does not read.
        MessageMalformedError: not what the schema asks for.
    """
    try:
        version = _VersionOnly.model_validate_json(message).schema_version
        if version not in versions.ACCEPTED_VERSIONS:
            raise SchemaUnsupportedError(version)
        return model.model_validate_json(message)
    except ValidationError as error:
        raise MessageMalformedError(first_location(error) or "json") from error


def judge(message: bytes) -> JudgedBatch:
    """Return the batch in `message`; one bad record leaves the others as they are.

    Raises as `read_message` does.
    """
    batch = read_message(message, LooseBatch)
    events = sorted(batch.events, key=lambda event: event.sequence)
    return JudgedBatch(batch, [(event, _judge(batch, event)) for event in events])


def _judge(batch: LooseBatch, loose: LooseEvent) -> NewEvent | Objection:
    try:
        event = SyncEvent.model_validate_json(canonical_json(loose.model_dump()))
        unknown = {"event": event.model_extra, "batch": batch.model_extra}
        extra = {where: fields for where, fields in unknown.items() if fields}
        objection = objection_to_keeping(extra) or objection_to_storing(
            event.kind, event.payload, event.payload_sha256
        )
    except ValidationError as error:
        return Objection(RejectReason.MALFORMED, first_location(error))
    except (ValueError, RecursionError):
        return Objection(RejectReason.MALFORMED)
    return objection or _new_event(batch, event, extra)


def _new_event(batch: LooseBatch, event: SyncEvent, extra: dict[str, Any]) -> NewEvent:
    return NewEvent(
        device_id=batch.device_id,
        epoch=batch.epoch,
        sequence=event.sequence,
        id=event.id,
        kind=event.kind,
        created_at=event.created_at,
        payload=event.payload,
        payload_sha256=event.payload_sha256,
        batch_id=batch.batch_id,
        schema_version=batch.schema_version,
        app_version=batch.app_version,
        bundle_version=batch.bundle_version,
        extra=extra,
    )
