"""Messages as a file on a stick: sealed to the cloud, signed by the device, answered by a file.

A file is one line of JSON (the head) and the sealed bytes. X25519 with a fresh key, HKDF-SHA256,
ChaCha20-Poly1305 over zstd; the head is authenticated, and the device's Ed25519 signature covers
head and sealed bytes. Who finds the stick reads which device wrote it, and nothing else.
Source: RFC 7748, RFC 5869, RFC 8439; the key derivation binds both public keys (RFC 9180, 4.1).
"""

import hashlib
import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Field, ValidationError

from ddx.domain.canonical import canonical_json
from sync_service.protocol.compression import compress, decompress
from sync_service.protocol.errors import MessageMalformedError, ProtocolError
from sync_service.protocol.fields import Message, RecordIdText, Sha256Hex, SignatureHex
from sync_service.protocol.messages import BatchReceipt, EnrolmentRequest, SyncBatch
from sync_service.protocol.versions import SCHEMA_VERSION

FORMAT: Final = "vereda-usb-1"
CARD: Final = "vereda-cloud-card-1"
RECEIPTS: Final = "vereda-usb-receipts-1"
MAX_FILE_BYTES: Final = 64 << 20
MAX_CONTENT_BYTES: Final = 256 << 20
_MAX_HEAD_BYTES: Final = 4096
_NONCE_BYTES: Final = 12

M = TypeVar("M", bound=Message)
Sign = Callable[[bytes], bytes]


class SealedFileError(ProtocolError):
    """A file is not ours, not for this cloud, or was changed on its way; nothing was taken."""

    code = "usb.unreadable"


class SealedSignatureError(SealedFileError):
    """The signature of a file does not fit the key it should be signed with."""

    code = "usb.signature"


class CloudCard(Message):
    """What a clinic without a network must know of its cloud, handed over once, by hand.

    seal_key: X25519, hex. statement_key: Ed25519, hex; signs receipts.
    """

    format: str = Field(default=CARD, pattern=f"^{CARD}$")
    seal_key: Sha256Hex
    statement_key: Sha256Hex


class SealedHead(Message):
    """The readable line of a file. fresh_key: X25519 of this file; device_key: Ed25519; hex."""

    format: str = Field(default=FORMAT, pattern=f"^{FORMAT}$")
    device_id: RecordIdText
    device_key: Sha256Hex
    fresh_key: Sha256Hex
    nonce: str = Field(pattern=r"^[0-9a-f]{24}$")
    content_sha256: Sha256Hex
    signature: str = Field(default="", pattern=r"^([0-9a-f]{128})?$")


class Parcel(Message):
    """The content of a file: the same batches as over the network, and an enrolment if asked."""

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    batches: tuple[SyncBatch, ...] = ()
    enrolment: EnrolmentRequest | None = None


class ReceiptFile(Message):
    """The cloud's answer, signed with its statement key. parcel: SHA-256 of the file answered."""

    format: str = Field(default=RECEIPTS, pattern=f"^{RECEIPTS}$")
    device_id: RecordIdText
    parcel: Sha256Hex
    receipts: tuple[BatchReceipt, ...]
    signature: SignatureHex | None = None


def seal(
    content: bytes, *, device_id: str, device_key: bytes, sign: Sign, card: CloudCard
) -> bytes:
    """Return `content` as a file only the cloud of `card` can open.

    Raises:
        SealedFileError: the content is larger than a file may be.
    """
    packed = compress(content)
    if len(packed) > MAX_FILE_BYTES - _MAX_HEAD_BYTES - 32:
        raise SealedFileError("more than a file may hold; export fewer records")
    fresh = X25519PrivateKey.generate()
    fresh_key = fresh.public_key().public_bytes_raw()
    cloud_key = bytes.fromhex(card.seal_key)
    nonce = os.urandom(_NONCE_BYTES)
    head: dict[str, Any] = {
        "format": FORMAT,
        "device_id": device_id,
        "device_key": device_key.hex(),
        "fresh_key": fresh_key.hex(),
        "nonce": nonce.hex(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
    }
    key = _key(fresh.exchange(X25519PublicKey.from_public_bytes(cloud_key)), fresh_key, cloud_key)
    sealed = ChaCha20Poly1305(key).encrypt(nonce, packed, canonical_json(head))
    head["signature"] = sign(_signed(head, sealed)).hex()
    return canonical_json(head) + b"\n" + sealed


def unseal(file: bytes, private_key: bytes) -> tuple[SealedHead, bytes]:
    """Return head and content of a file; the signature fits the key the head names.

    Whether that key is the device's is the caller's to judge.

    Raises:
        SealedFileError, SealedSignatureError.
    """
    if len(file) > MAX_FILE_BYTES:
        raise SealedFileError(f"more than {MAX_FILE_BYTES} bytes")
    line, found, sealed = file.partition(b"\n")
    if not found or len(line) > _MAX_HEAD_BYTES:
        raise SealedFileError("not a file of records")
    head = read_as(line, SealedHead)
    unsigned = {k: v for k, v in head.model_dump().items() if k != "signature"}
    _verify(head.device_key, head.signature, _signed(unsigned, sealed))
    own = X25519PrivateKey.from_private_bytes(private_key)
    fresh_key = bytes.fromhex(head.fresh_key)
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(fresh_key))
        key = _key(shared, fresh_key, own.public_key().public_bytes_raw())
        packed = ChaCha20Poly1305(key).decrypt(
            bytes.fromhex(head.nonce), sealed, canonical_json(unsigned)
        )
    except (InvalidTag, ValueError) as error:
        raise SealedFileError("sealed for another cloud, or changed on its way") from error
    return head, _content(packed, head)


def _content(packed: bytes, head: SealedHead) -> bytes:
    try:
        content = decompress(packed, limit_bytes=MAX_CONTENT_BYTES)
    except ProtocolError as error:
        raise SealedFileError("its content cannot be unpacked") from error
    if hashlib.sha256(content).hexdigest() != head.content_sha256:
        raise SealedFileError("its content is not what its head says")
    return content


def signed_receipts(
    device_id: str, parcel: bytes, receipts: tuple[BatchReceipt, ...], sign: Sign
) -> bytes:
    """Return the file that answers `parcel`."""
    answer = ReceiptFile(
        device_id=device_id, parcel=hashlib.sha256(parcel).hexdigest(), receipts=receipts
    )
    signature = sign(_receipts_signed(answer)).hex()
    return answer.model_copy(update={"signature": signature}).wire_bytes()


def read_receipts(file: bytes, *, device_id: str, statement_key: str) -> ReceiptFile:
    """Return the receipts in `file`, if the cloud signed them for this device.

    Raises:
        SealedFileError, SealedSignatureError.
    """
    if len(file) > MAX_FILE_BYTES:
        raise SealedFileError(f"more than {MAX_FILE_BYTES} bytes")
    answer = read_as(file, ReceiptFile)
    _verify(statement_key, answer.signature or "", _receipts_signed(answer))
    if answer.device_id != device_id:
        raise SealedFileError("these receipts are for another device")
    return answer


def read_as(text: bytes, model: type[M]) -> M:
    """Return `text` as `model`. Raises SealedFileError."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise SealedFileError(f"not a {model.__name__}") from error


def parcel_of(content: bytes) -> Parcel:
    """Return the parcel in `content`. Raises MessageMalformedError."""
    try:
        return Parcel.model_validate_json(content)
    except ValidationError as error:
        raise MessageMalformedError("parcel") from error


def _key(shared: bytes, fresh_key: bytes, cloud_key: bytes) -> bytes:
    return HKDF(
        algorithm=SHA256(), length=32, salt=fresh_key + cloud_key, info=FORMAT.encode()
    ).derive(shared)


def _signed(head: dict[str, Any], sealed: bytes) -> bytes:
    unsigned = {k: v for k, v in head.items() if k != "signature"}
    return b"\n".join((FORMAT.encode(), canonical_json(unsigned), hashlib.sha256(sealed).digest()))


def _receipts_signed(answer: ReceiptFile) -> bytes:
    unsigned = answer.model_copy(update={"signature": None})
    return RECEIPTS.encode() + b"\n" + unsigned.wire_bytes()


def _verify(public_key: str, signature: str, statement: bytes) -> None:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), statement)
    except (InvalidSignature, ValueError) as error:
        raise SealedSignatureError("the signature does not fit") from error
