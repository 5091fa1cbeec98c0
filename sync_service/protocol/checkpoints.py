"""Checkpoints: the device shows the head of its audit chain, the server countersigns it.

New fields are optional and unknown ones survive, as everywhere on the wire.
"""

from enum import StrEnum

from pydantic import Field

from ddx.domain.statements import Checkpoint
from sync_service.protocol.fields import Code, Message, RecordIdText, Sha256Hex, SignatureHex
from sync_service.protocol.versions import SCHEMA_VERSION


class CheckpointVerdict(StrEnum):
    """What the server makes of a head.

    COUNTERSIGNED: it follows what the server knows. PREVIOUS_UNKNOWN: perhaps; say your hash at
    the head `known`. FORK: not the history the server countersigned. RESTORED_BACKUP: older than
    what the server countersigned.
    """

    COUNTERSIGNED = "countersigned"
    PREVIOUS_UNKNOWN = "previous_unknown"
    FORK = "fork"
    RESTORED_BACKUP = "restored_backup"


class HeadMessage(Message):
    """One entry of a device's chain, by place and hash."""

    epoch: int = Field(ge=1, le=(1 << 31) - 1)
    sequence: int = Field(ge=1, le=(1 << 31) - 1)
    head: Sha256Hex


class CheckpointRequest(HeadMessage):
    """The head of a device's chain. signature: the device's, over `entry_statement`.

    previous: the device's own entry at the newest head the server is known to hold.
    """

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    device_id: RecordIdText
    signature: SignatureHex
    previous: HeadMessage | None = None


class CheckpointMessage(HeadMessage):
    """`ddx.domain.statements.Checkpoint`; server_time keeps the letters that were signed."""

    device_id: RecordIdText
    device_key: Sha256Hex
    server_time: Code
    server_key: Sha256Hex
    signature: SignatureHex

    def checkpoint(self) -> Checkpoint:
        """Return it as the domain's value; fields this version does not know stay behind."""
        return Checkpoint(**{name: getattr(self, name) for name in Checkpoint.__dataclass_fields__})


class CheckpointAnswer(Message):
    """verdict: a `CheckpointVerdict`. known: the newest head the server holds, unless it agrees."""

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    verdict: Code
    known: HeadMessage | None = None
    checkpoint: CheckpointMessage | None = None
