"""One person's signing key: a private file under a passphrase, and a card with the public half.

    ana.key         JSON: the card, scrypt's parameters, the Ed25519 key sealed with AES-256-GCM
    ana.card.json   role, holder, public key: what the others need, and may see

The card is authenticated together with the key, so nobody can swap it in a stolen file. A key in
Azure Key Vault has a card with its address and no key file.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.signer import AzureSigner, CryptoSigner, Key, Signer

from ddx.domain.canonical import canonical_json
from model_bundles import files
from model_bundles.errors import BundleMalformedError, SigningError
from model_bundles.manifest import read_canonical

CARD_SUFFIX: Final = ".card.json"
KEY_SUFFIX: Final = ".key"
MIN_PASSPHRASE: Final = 12
SCRYPT_N: Final = 2**17
"""With r = 8, p = 1: 128 MiB a guess (OWASP Password Storage Cheat Sheet, scrypt)."""
_R, _P = 8, 1
_MAX_N: Final = 2**20
_MAX_FILE_BYTES: Final = 16_384
_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 16, 12


class Passphrase(Protocol):
    """Where a passphrase comes from: a prompt or a file, never the command line."""

    def __call__(self, prompt: str) -> str:
        """Return the passphrase asked for with `prompt`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCard:
    """The public half of a key. holder: the person, or the service, that signs with it.

    uri: where the private half is when it is not in a file (`azurekms://…`); empty otherwise.
    """

    role: str
    holder: str
    key: Key
    uri: str = ""

    @property
    def keyid(self) -> str:
        """Identifier of the key in TUF metadata."""
        return str(self.key.keyid)

    def to_json(self) -> dict[str, Any]:
        """Return the card as a JSON object."""
        key = {"keyid": self.keyid, **self.key.to_dict()}
        return {"role": self.role, "holder": self.holder, "key": key, "uri": self.uri}

    def write(self, path: Path) -> None:
        """Keep the card in a file that anybody may read."""
        files.write_durably(path, canonical_json(self.to_json()))


def read_card(path: Path) -> KeyCard:
    """Return the card in a card or key file. Raises SigningError."""
    return _card(_read(path), path.name)


def create(
    path: Path, *, role: str, holder: str, passphrase: str, scrypt_n: int | None = None
) -> KeyCard:
    """Make a key, keep it sealed in `path` (mode 0600) and its card beside it.

    scrypt_n: cost of a guess, SCRYPT_N unless given.

    Raises:
        SigningError: a file is there already, or a passphrase of under MIN_PASSPHRASE characters.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise SigningError(f"the passphrase needs {MIN_PASSPHRASE} characters or more")
    private = Ed25519PrivateKey.generate()
    card = KeyCard(role=role, holder=holder, key=CryptoSigner(private).public_key)
    cost = scrypt_n or SCRYPT_N
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    opening = {
        **card.to_json(),
        "format": 1,
        "kdf": {"name": "scrypt", "n": cost, "r": _R, "p": _P, "salt": salt.hex()},
        "cipher": {"name": "AES-256-GCM", "nonce": nonce.hex()},
    }
    wrapping = AESGCM(_derived(passphrase, salt, cost))
    sealed = wrapping.encrypt(nonce, private.private_bytes_raw(), canonical_json(opening))
    _write_new(path, canonical_json({**opening, "sealed": sealed.hex()}))
    card.write(card_path(path))
    return card


def card_path(path: Path) -> Path:
    """Return where the card of a key file lies: beside it."""
    return path.with_name(path.name.removesuffix(KEY_SUFFIX) + CARD_SUFFIX)


def open_key(path: Path, passphrase: str) -> CryptoSigner:
    """Return the signer in a key file.

    Raises:
        SigningError: not a key file, another passphrase, or a file somebody changed.
    """
    raw = dict(_read(path))
    try:
        sealed = bytes.fromhex(raw.pop("sealed"))
        kdf, nonce = raw["kdf"], bytes.fromhex(raw["cipher"]["nonce"])
        if kdf["name"] != "scrypt" or (kdf["r"], kdf["p"]) != (_R, _P) or kdf["n"] > _MAX_N:
            raise SigningError(f"{path.name} is sealed in a way this application does not know")
        wrapping = AESGCM(_derived(passphrase, bytes.fromhex(kdf["salt"]), kdf["n"]))
        private = wrapping.decrypt(nonce, sealed, canonical_json(raw))
    except InvalidTag as error:
        raise SigningError(f"{path.name}: wrong passphrase, or the file was changed") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SigningError(f"{path.name} is not a key file") from error
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(private))


def signer_of(path: Path, ask: Passphrase) -> Signer:
    """Return the signer behind a key file, or behind the card of a key in Azure Key Vault.

    Raises:
        SigningError: as `open_key`; or Azure's libraries are missing.
    """
    card = read_card(path)
    if not card.uri:
        return open_key(path, ask(f"Passphrase of {card.holder} ({path.name}): "))
    try:
        return Signer.from_priv_key_uri(card.uri, card.key)
    except (UnsupportedLibraryError, ValueError) as error:
        raise SigningError(f"{card.uri} cannot be used: {error}; see docs/keys.md") from error


def azure_card(vault: str, name: str, *, role: str, holder: str) -> KeyCard:
    """Return the card of an elliptic-curve key that lives in Azure Key Vault.

    Raises:
        SigningError: Azure's libraries are missing.
    """
    try:
        uri, key = AzureSigner.import_(vault, name)
    except UnsupportedLibraryError as error:
        raise SigningError(
            "install azure-identity and azure-keyvault-keys first; see docs/keys.md"
        ) from error
    return KeyCard(role=role, holder=holder, key=key, uri=uri)


def _derived(passphrase: str, salt: bytes, n: int) -> bytes:
    return Scrypt(salt=salt, length=_KEY_BYTES, n=n, r=_R, p=_P).derive(passphrase.encode())


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = files.read_bounded(path, _MAX_FILE_BYTES)
    except OSError as error:
        raise SigningError(f"{path.name} cannot be read: {error.strerror}") from error
    if content is None:
        raise SigningError(f"there is no file {path.name}")
    try:
        return read_canonical(content)
    except BundleMalformedError as error:
        raise SigningError(f"{path.name} is neither a key file nor a card") from error


def _card(raw: Mapping[str, Any], name: str) -> KeyCard:
    try:
        key = dict(raw["key"])
        return KeyCard(
            role=str(raw["role"]),
            holder=str(raw["holder"]),
            key=Key.from_dict(key.pop("keyid"), key),
            uri=str(raw["uri"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SigningError(f"{name} is neither a key file nor a card") from error


def _write_new(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise SigningError(f"{path.name} is there already; keys are never overwritten") from error
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
