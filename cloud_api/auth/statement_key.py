"""The key the server signs statements with: checkpoints of audit chains, leases of roles.

A file of 32 raw bytes that only the service can read. Where the platform mounts secrets, the
setting names that file; the embedded server makes its own once and keeps it.
"""

import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from ddx.once import once

_KEY_BYTES: Final = 32  # Ed25519 and X25519 alike take any 32 random bytes


class FileStatementKey:
    """Implements `sync_service.gateway.checkpoints.StatementKey` over a file, read on first use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def public_key(self) -> str:
        """The public half, hex."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, statement: bytes) -> str:
        """Return the signature, hex."""
        return self._key.sign(statement).hex()

    @once
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(secret_of(self._path))


def secret_of(path: Path) -> bytes:
    """Return the 32 secret bytes of a key file, made at random when there is none."""
    if not path.exists():
        _make(path)
    return path.read_bytes()


def _make(path: Path) -> None:
    """Write a new key whole or not at all: another process may be doing the same."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # fails when somebody was first; theirs is the key then
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def ed25519_check(public_key: str, signature: str, statement: bytes) -> bool:
    """Implement `ddx.domain.statements.SignatureCheck`; malformed input is False."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), statement)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
