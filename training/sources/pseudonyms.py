"""Keyed hashes in place of the ids of hospitals: the key stays with the lake's keeper.

A record of the stream comes with its clinic's pseudonyms already; what a hospital's system calls a
patient, a visit or a facility is replaced here, before anything is stored.
"""

import hashlib
import hmac
import os
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from ddx.errors import DdxError

KEY_BYTES: Final = 32
KEY_FILE: Final = "lake_pseudonyms.key"


class PseudonymKeyError(DdxError):
    """The key of the pseudonyms cannot be used. Another key would make new people of everyone."""

    code: ClassVar[str] = "lake.pseudonym_key"


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """HMAC-SHA256 under one key; what kind of thing is named is part of the message."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise PseudonymKeyError(f"the key has {len(self.key)} bytes, not {KEY_BYTES}")

    def patient(self, source: str, id: str) -> str:
        """Return the pseudonym of a patient: 64 hex digits, as the protocol's."""
        return self._digest("patient", source, id).hex()

    def clinic(self, id: str) -> str:
        """Return the pseudonym of a device or facility: 32 hex digits."""
        return self._digest("clinic", id).hex()[:32]

    def record(self, source: str, *names: str) -> str:
        """Return an id for a record the source names so: the same names, the same UUID.

        Version 8 of RFC 9562, section 5.8: the bits are ours.
        """
        raw = bytearray(self._digest("record", source, *names)[:16])
        raw[6] = (raw[6] & 0x0F) | 0x80
        raw[8] = (raw[8] & 0x3F) | 0x80
        return str(uuid.UUID(bytes=bytes(raw)))

    def _digest(self, *parts: str) -> bytes:
        message = "\x1f".join(parts).encode()
        return hmac.new(self.key, message, hashlib.sha256).digest()


def open_pseudonyms(folder: Path) -> Pseudonyms:
    """Return the pseudonyms under the key in `folder`; a key is made on first use.

    Raises:
        PseudonymKeyError: the file is not a key.
    """
    path = folder / KEY_FILE
    if not path.exists():
        _write_new(path)
    return Pseudonyms(path.read_bytes())


def _write_new(path: Path) -> None:
    """Create the key file whole or not at all; somebody who was faster wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
