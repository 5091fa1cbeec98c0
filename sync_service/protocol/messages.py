"""Envelopes: a batch up, a receipt down; enrolment; status."""

from typing import Any, Final

from pydantic import AwareDatetime, Field

from sync_service.protocol.fields import (
    Code,
    Message,
    RecordIdText,
    Sequence63,
    Sha256Hex,
)
from sync_service.protocol.versions import MAX_EVENTS_PER_BATCH, SCHEMA_VERSION


class SyncEvent(Message):
    """One record on its way up.

    sequence: 1, 2, 3 … per device epoch. payload_sha256: over the canonical JSON of `payload`
    (`ddx.domain.canonical`), unknown fields of the payload included.
    """

    id: RecordIdText
    sequence: Sequence63
    kind: Code
    created_at: AwareDatetime
    payload: dict[str, Any]
    payload_sha256: Sha256Hex


class BatchHeader(Message):
    """What a batch says about its sender. `sent_at` is the device's clock: advisory only."""

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    device_id: RecordIdText
    epoch: int = Field(ge=1, le=(1 << 31) - 1)
    batch_id: Code
    app_version: Code
    bundle_version: Code | None = None
    sent_at: AwareDatetime


class SyncBatch(BatchHeader):
    """Events sent together; each gets its own result."""

    events: tuple[SyncEvent, ...] = Field(min_length=1, max_length=MAX_EVENTS_PER_BATCH)


class LooseEvent(Message):
    """An event of which only the name is certain; the rest is judged record by record."""

    id: RecordIdText
    sequence: Sequence63


class LooseBatch(BatchHeader):
    """A batch as the gateway first reads it: one bad record does not spoil the others."""

    events: tuple[LooseEvent, ...] = Field(min_length=1, max_length=MAX_EVENTS_PER_BATCH)


MAX_PROOF_HASHES: Final = 500
"""Hashes in a proof; the digest covers every one of them."""


class ErasureProof(Message):
    """What an erasure erased so far; a record that comes late is added.

    digest: SHA-256 over the canonical JSON of every payload hash, in server order.
    payload_sha256: the first of those hashes, as the device gave them.
    """

    records: int = Field(ge=0)
    digest: Sha256Hex
    payload_sha256: tuple[Sha256Hex, ...] = Field(default=(), max_length=MAX_PROOF_HASHES)


class RecordResult(Message):
    """The server's word on one record.

    status: a `RecordStatus`. server_sequence: given when stored or duplicate.
    reason: a `RejectReason` when rejected; where: the first field it concerns.
    erased: given for an erasure that is stored or duplicate.
    """

    id: RecordIdText
    status: Code
    server_sequence: Sequence63 | None = None
    reason: Code | None = None
    where: str | None = Field(default=None, max_length=200)
    erased: ErasureProof | None = None


class ResultRun(Message):
    """The server's word on neighbours of a batch, answered alike.

    It covers the records whose device sequence lies in first..last and that `results` does not
    name: `count` of them, stored under consecutive server sequences in the order of their own,
    `server_sequence` for the first.
    """

    first: Sequence63
    last: Sequence63
    count: int = Field(ge=1, le=MAX_EVENTS_PER_BATCH)
    status: Code
    server_sequence: Sequence63


class BatchReceipt(Message):
    """The server's word on every record of a batch, by sequence.

    results: one per record for a sender of version 1 and on a stick; since version 2 the records
    that no run covers. See `sync_service.protocol.receipts`.
    """

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    batch_id: Code
    results: tuple[RecordResult, ...]
    runs: tuple[ResultRun, ...] | None = None
    server_time: AwareDatetime


class EnrolmentRequest(Message):
    """A device introduces itself with a one-time code.

    public_key: raw Ed25519 key (32 bytes) in base64. The request is signed with its other half.
    """

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    device_id: RecordIdText
    code: str = Field(pattern=r"^[0-9A-Za-z-]{16,32}$")
    public_key: str = Field(pattern=r"^[A-Za-z0-9+/]{43}=$")
    app_version: Code


class EnrolmentResponse(Message):
    """The device may sync from now on."""

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    device_id: RecordIdText
    accepted_versions: tuple[int, ...]
    max_events_per_batch: int = Field(ge=1)
    server_time: AwareDatetime


class DeviceStatus(Message):
    """What the server holds of one device. `last_sequence`: highest stored of `epoch`."""

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    device_id: RecordIdText
    epoch: int | None = None
    last_sequence: int = Field(default=0, ge=0)
    stored: int = Field(ge=0)
    server_time: AwareDatetime
