"""A file from a stick: opened, tied to its device, taken in as batches of the network are."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sync_service.gateway.checkpoints import StatementKey
from sync_service.gateway.devices import Device, DeviceDirectory
from sync_service.gateway.intake import Sink
from sync_service.gateway.reading import judge
from sync_service.gateway.receive import receive, tally
from sync_service.protocol.errors import DeviceMismatchError, UnknownDeviceError
from sync_service.protocol.messages import BatchReceipt, SyncBatch
from sync_service.protocol.sealed import (
    SealedHead,
    SealedSignatureError,
    parcel_of,
    signed_receipts,
    unseal,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The file to carry back, and how many records ended how."""

    file: bytes
    device_id: str
    results: dict[str, int]


async def take_in(
    file: bytes,
    *,
    private_key: bytes,
    key: StatementKey,
    directory: DeviceDirectory,
    find: Callable[[str], Awaitable[Device | None]],
    sink: Sink,
    now: datetime,
) -> Taken:
    """Store what a file holds and return its answer; the same file again is answered the same way.

    find: the enrolled device with an id, None when there is none or it was revoked.

    Raises:
        SealedFileError, SealedSignatureError, MessageMalformedError: nothing was stored.
        EnrolmentRefusedError, UnknownDeviceError, DeviceMismatchError: nothing was stored.
    """
    head, content = unseal(file, private_key)
    parcel = parcel_of(content)
    if parcel.enrolment is not None:
        if parcel.enrolment.device_id != head.device_id:
            raise DeviceMismatchError("the enrolment names another device than the signature")
        await directory.enrol(parcel.enrolment, bytes.fromhex(head.device_key), now)
    await _known(head, find)
    if any(batch.device_id != head.device_id for batch in parcel.batches):
        raise DeviceMismatchError("a batch names another device than the signature")
    receipts = tuple([await _receive(batch, sink, now) for batch in parcel.batches])
    results: dict[str, int] = {}
    for receipt in receipts:
        for result, count in tally(receipt).items():
            results[result] = results.get(result, 0) + count

    def sign(statement: bytes) -> bytes:
        return bytes.fromhex(key.sign(statement))

    answer = signed_receipts(head.device_id, file, receipts, sign)
    return Taken(file=answer, device_id=head.device_id, results=results)


async def _known(head: SealedHead, find: Callable[[str], Awaitable[Device | None]]) -> None:
    device = await find(head.device_id)
    if device is None:
        raise UnknownDeviceError("no such device; the clinic can add an enrolment code to the file")
    if device.public_key.hex() != head.device_key:
        raise SealedSignatureError("signed with another key than the device enrolled with")


async def _receive(batch: SyncBatch, sink: Sink, now: datetime) -> BatchReceipt:
    return await receive(judge(batch.wire_bytes()), sink, now=now)
