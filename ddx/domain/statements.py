"""What device and server put their signature under: one byte string per statement.

Each begins with its own name, so that a signature under one can never pass for another. Keys and
signatures travel as lower-case hex. Signing and checking live at the edge (`SignatureCheck`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from ddx.domain.canonical import canonical_json

ENTRY: Final = "vereda-audit-entry-1"
CHECKPOINT: Final = "vereda-audit-checkpoint-1"
SEAL: Final = "vereda-audit-seal-1"
LEASE: Final = "vereda-role-lease-1"


class SignatureCheck(Protocol):
    """Whether `signature` (hex) of the Ed25519 key `public_key` (hex) covers `statement`."""

    def __call__(self, public_key: str, signature: str, statement: bytes) -> bool:
        """Return False for anything malformed, too."""


def moment_text(moment: datetime) -> str:
    """Return a moment as it stands in statements: UTC, microseconds, with its offset."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def entry_statement(device_id: str, epoch: int, sequence: int, entry_hash: str) -> bytes:
    """Return what the device signs for one audit entry; its hash covers the entries before it."""
    return canonical_json(
        {
            "statement": ENTRY,
            "device_id": device_id,
            "epoch": epoch,
            "sequence": sequence,
            "hash": entry_hash,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The server's word that a device showed it this head of this epoch, at this time.

    device_key, server_key: Ed25519 public keys; signature: of `server_key` over `statement`.
    """

    device_id: str
    device_key: str
    epoch: int
    sequence: int
    head: str
    server_time: str
    server_key: str
    signature: str = ""

    @property
    def statement(self) -> bytes:
        """The bytes the server signs."""
        return canonical_json(
            {
                "statement": CHECKPOINT,
                "device_id": self.device_id,
                "device_key": self.device_key,
                "epoch": self.epoch,
                "sequence": self.sequence,
                "head": self.head,
                "server_time": self.server_time,
                "server_key": self.server_key,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochSeal:
    """How one epoch ends in an exported log.

    first_signed: sequence from which every entry carries a signature; 0 when none does
    (entries written before signatures existed).
    """

    epoch: int
    entries: int
    head: str
    first_signed: int


def seal_statement(device_id: str, epochs: Sequence[EpochSeal], content_sha256: str) -> bytes:
    """Return what the device signs under an export. content_sha256: of every line before it."""
    return canonical_json(
        {
            "statement": SEAL,
            "device_id": device_id,
            "content_sha256": content_sha256,
            "epochs": [
                {
                    "epoch": e.epoch,
                    "entries": e.entries,
                    "head": e.head,
                    "first_signed": e.first_signed,
                }
                for e in epochs
            ],
        }
    )
