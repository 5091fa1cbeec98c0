"""An exported audit log: JSON lines, sealed by the device, readable without any database.

    {"kind":"header", device, its public key, who exported it and when}
    {"kind":"entry", epoch, the fields of an AuditEntry, hash, signature}   in order, every epoch
    {"kind":"checkpoint", a countersigned head}                             as many as there are
    {"kind":"seal", per epoch how many entries and which head; SHA-256 of the lines above}

`ddx.domain.audit_verdict` judges one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from ddx.domain.audit import AuditEntry, body_of
from ddx.domain.canonical import canonical_json
from ddx.domain.statements import Checkpoint, EpochSeal, seal_statement

FORMAT: Final = 1
BODY_FIELDS: Final = (
    "sequence",
    "id",
    "at",
    "actor",
    "action",
    "subject",
    "previous",
    "detail",
)
ENTRY_FIELDS: Final = frozenset({"kind", "epoch", "hash", "signature", *BODY_FIELDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEntry:
    """One link with the epoch it belongs to. signature: hex; empty before signatures existed."""

    epoch: int
    entry: AuditEntry
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHeader:
    """Whose log it is. device_key: Ed25519 public key, hex; at: UTC, as text."""

    device_id: str
    device_key: str
    exported_at: str
    exported_by: str


def seals_of(entries: Iterable[SignedEntry]) -> tuple[EpochSeal, ...]:
    """Return how each epoch of `entries` (in order) ends."""
    seals: dict[int, EpochSeal] = {}
    for signed in entries:
        before = seals.get(signed.epoch)
        first = before.first_signed if before else 0
        seals[signed.epoch] = EpochSeal(
            epoch=signed.epoch,
            entries=signed.entry.sequence,
            head=signed.entry.hash,
            first_signed=first or (signed.entry.sequence if signed.signature else 0),
        )
    return tuple(seals.values())


def unsealed_lines(
    header: LogHeader, entries: Sequence[SignedEntry], checkpoints: Sequence[Checkpoint]
) -> tuple[bytes, ...]:
    """Return every line of a log but the seal, in order, each with its line break."""
    rows: list[Mapping[str, Any]] = [{"kind": "header", "format": FORMAT, **asdict(header)}]
    rows += [
        {
            "kind": "entry",
            "epoch": s.epoch,
            **body_of(s.entry),
            "hash": s.entry.hash,
            "signature": s.signature,
        }
        for s in entries
    ]
    rows += [{"kind": "checkpoint", **asdict(c)} for c in checkpoints]
    return tuple(canonical_json(row) + b"\n" for row in rows)


def to_be_sealed(device_id: str, lines: Sequence[bytes], seals: Sequence[EpochSeal]) -> bytes:
    """Return the statement the device signs to seal `lines`."""
    return seal_statement(device_id, seals, sha256_of(lines))


def seal_line(seals: Sequence[EpochSeal], lines: Sequence[bytes], signature: str) -> bytes:
    """Return the last line of a log."""
    row = {
        "kind": "seal",
        "content_sha256": sha256_of(lines),
        "epochs": [asdict(seal) for seal in seals],
        "signature": signature,
    }
    return canonical_json(row) + b"\n"


def sha256_of(lines: Iterable[bytes]) -> str:
    """Return the SHA-256 of some lines as they stand in the file, hex."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
    return digest.hexdigest()


def row_of(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object of one line, None when it is not one or is not written as we write.

    A line must be its own canonical form: no second spelling of the same entry can pass.
    """
    try:
        row = json.loads(line)
        return row if isinstance(row, dict) and canonical_json(row) + b"\n" == line else None
    except (ValueError, TypeError, RecursionError):
        return None
