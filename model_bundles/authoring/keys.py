"""Roles, how many keys sign for each, and the key files on the publisher's machine.

No private key belongs in the repository of the source or in a bundle. A `KeyRing` reads files;
whatever gives securesystemslib Signers per role (a key vault, a token) can take its place.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, Signer

from model_bundles import layout
from model_bundles.errors import SigningError
from model_bundles.orders import SAFETY

ROOT: Final = "root"
TARGETS: Final = "targets"
SNAPSHOT: Final = "snapshot"
TIMESTAMP: Final = "timestamp"
MODELS: Final = "models"
"""Delegated by targets: signs releases and channels (machine-learning lead + clinical safety)."""


@dataclass(frozen=True, slots=True)
class RolePolicy:
    """How a role signs: `threshold` of `keys` keys, valid for `lifetime_days` days."""

    keys: int
    threshold: int
    lifetime_days: int

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= self.keys or self.lifetime_days < 1:
            raise SigningError(f"{self.threshold} of {self.keys} keys cannot sign")


Policy = Mapping[str, RolePolicy]

HOUSE_POLICY: Final[Policy] = MappingProxyType(
    {
        ROOT: RolePolicy(keys=5, threshold=3, lifetime_days=730),
        TARGETS: RolePolicy(keys=3, threshold=2, lifetime_days=365),
        MODELS: RolePolicy(keys=3, threshold=2, lifetime_days=400),
        SAFETY: RolePolicy(keys=2, threshold=1, lifetime_days=30),
        SNAPSHOT: RolePolicy(keys=1, threshold=1, lifetime_days=7),
        TIMESTAMP: RolePolicy(keys=1, threshold=1, lifetime_days=3),
    }
)
"""Thresholds and expiries of the house; the clinic's clock matters for installing only."""

OFFLINE_LIFETIME_DAYS: Final = 180
"""What a stick says stays fresh this long: it travels by boat and mule, not by network."""

OFFLINE_POLICY: Final[Policy] = MappingProxyType(
    {
        **HOUSE_POLICY,
        **{
            role: replace(HOUSE_POLICY[role], lifetime_days=OFFLINE_LIFETIME_DAYS)
            for role in (TARGETS, SAFETY, SNAPSHOT, TIMESTAMP)
        },
    }
)
"""The separate repository for USB sticks (Uptane PURE-2): its own targets, snapshot and
timestamp keys; root, models and safety are signed by the same people as online."""

DELEGATED: Final = (MODELS, SAFETY)
"""Roles whose keys stand in targets; those of all others stand in the root."""

OPTIONAL_POLICY: Final[Policy] = MappingProxyType(
    {layout.APP: RolePolicy(keys=3, threshold=2, lifetime_days=400)}
)
"""Delegated roles a repository has only once somebody holds their keys (ADR 28)."""

DELEGABLE: Final = (*DELEGATED, *OPTIONAL_POLICY)
"""Every role targets may delegate to."""


class Signers(Protocol):
    """Who can sign for a role."""

    def signers(self, role: str) -> Sequence[Signer]:
        """Return the signers of `role`, always in the same order. Raises SigningError."""


class KeyRing:
    """Ed25519 keys as PKCS#8 PEM files `<role>-<n>.pem` in one folder, mode 0600."""

    def __init__(self, signers: Mapping[str, Sequence[Signer]]) -> None:
        self._signers = {role: tuple(keys) for role, keys in signers.items()}

    @classmethod
    def generate(
        cls, folder: Path, policy: Policy = HOUSE_POLICY, *, passphrase: bytes | None = None
    ) -> "KeyRing":
        """Make the keys of every role and keep them in `folder`.

        passphrase: encrypts the key files when given.

        Raises:
            SigningError: the folder holds keys already; keys are never overwritten.
        """
        if any(folder.glob("*.pem")):
            raise SigningError("the folder holds keys already")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for role, how in policy.items():
            for number in range(1, how.keys + 1):
                _write_key(folder / f"{role}-{number}.pem", passphrase)
        return cls.load(folder, passphrase=passphrase)

    @classmethod
    def load(cls, folder: Path, *, passphrase: bytes | None = None) -> "KeyRing":
        """Return the keys in `folder`; a folder may hold those of a few roles only.

        Raises:
            SigningError: no key files, a file that is not an Ed25519 key, a wrong passphrase.
        """
        signers: dict[str, list[Signer]] = {}
        for path in sorted(folder.glob("*-*.pem")):
            role = path.stem.rpartition("-")[0]
            signers.setdefault(role, []).append(_read_key(path, passphrase))
        if not signers:
            raise SigningError("no key files found")
        return cls(signers)

    @classmethod
    def ready(cls, folder: Path, policy: Policy = HOUSE_POLICY) -> "KeyRing":
        """Return the keys in `folder`, made now for roles that have none there yet.

        For the machine that trains before the first release (ADR 7); a key that is there stays.

        Raises:
            SigningError: as `load`.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for role, how in policy.items():
            if not any(folder.glob(f"{role}-*.pem")):
                for number in range(1, how.keys + 1):
                    _write_key(folder / f"{role}-{number}.pem", None)
        return cls.load(folder)

    def signers(self, role: str) -> Sequence[Signer]:
        """Return the signers of `role` in the order of their files. Raises SigningError."""
        if role not in self._signers:
            raise SigningError(f"no keys for role {role}")
        return self._signers[role]


def _write_key(path: Path, passphrase: bytes | None) -> None:
    encryption = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(pem)
        handle.flush()
        os.fsync(handle.fileno())


def _read_key(path: Path, passphrase: bytes | None) -> CryptoSigner:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
    except (OSError, ValueError, TypeError) as error:
        raise SigningError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(f"{path.name} is not an Ed25519 key")
    return CryptoSigner(key)
