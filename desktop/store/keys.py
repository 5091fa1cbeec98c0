"""The data key and its slots: one random key, wrapped once per clinician and once for recovery.

A clinician's wrapping key is HKDF(Argon2id(passphrase), device secret) where the operating system
keeps a device secret for us, and Argon2id(passphrase) alone where it does not. Adding, removing
or resetting a clinician rewrites a slot, never the database.
"""

import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from ddx.domain.identifiers import RecordId, new_record_id, record_id
from ddx.domain.roles import Role
from ddx.errors import DdxError
from desktop.store.errors import StoreCorruptError, WeakPassphraseError, WrongKeyError
from desktop.store.files import write_atomically
from desktop.store.keystore import DeviceSecret
from desktop.store.recovery import new_recovery_secret, printed, read

DATA_KEY_BYTES: Final = 32
PASSPHRASE_MINIMUM: Final = 8  # NIST SP 800-63B, 5.1.1.2

_FORMAT: Final = 1
_RECOVERY_CONTEXT: Final = b"vereda recovery slot v1"
_DEVICE_CONTEXT: Final = b"vereda passphrase slot with device secret v1"
_MEMORY_CEILING_KIB: Final = 1 << 20  # a doctored slots file must not eat the machine
_ITERATIONS_CEILING: Final = 64


class SlotKind(StrEnum):
    """What opens a slot."""

    PASSPHRASE = "passphrase"  # noqa: S105 -- the kind of a slot, not a secret
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Cost:
    """Work of one derivation.

    Default: RFC 9106, section 4, second recommended option (64 MiB, 3 passes, 4 lanes);
    160-250 ms on the two-core reference machine.
    """

    iterations: int = 3
    lanes: int = 4
    memory_kib: int = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySlot:
    """One wrapped copy of the data key.

    id: the clinician's id; an id of its own for recovery. display_name and role are for the
    sign-in screen only: the role that counts is the one inside the encrypted store.
    cost: None for recovery, whose key is random and needs no stretching. device: name of the
    device secret it also needs, empty for none.
    """

    id: RecordId
    kind: SlotKind
    salt: bytes
    wrapped: bytes
    cost: Argon2Cost | None = None
    display_name: str = ""
    role: Role | None = None
    device: str = ""


def new_data_key() -> bytes:
    """Return a fresh random data key of 32 bytes."""
    return os.urandom(DATA_KEY_BYTES)


def passphrase_slot(
    data_key: bytes,
    passphrase: str,
    *,
    clinician: RecordId,
    display_name: str,
    role: Role,
    cost: Argon2Cost | None = None,
    device: DeviceSecret | None = None,
) -> KeySlot:
    """Return a slot that `passphrase` opens, on the device of `device` if given.

    Raises WeakPassphraseError.
    """
    if len(passphrase) < PASSPHRASE_MINIMUM:
        raise WeakPassphraseError(PASSPHRASE_MINIMUM)
    salt, work = os.urandom(16), cost or Argon2Cost()
    return KeySlot(
        id=clinician,
        kind=SlotKind.PASSPHRASE,
        salt=salt,
        wrapped=aes_key_wrap(_wrapping(passphrase, salt, work, device), data_key),
        cost=work,
        display_name=display_name,
        role=role,
        device="" if device is None else device.name,
    )


def recovery_slot(data_key: bytes) -> tuple[KeySlot, str]:
    """Return a recovery slot and the key to print once (see `desktop.store.recovery`)."""
    secret, salt = new_recovery_secret(), os.urandom(16)
    slot = KeySlot(
        id=new_record_id(),
        kind=SlotKind.RECOVERY,
        salt=salt,
        wrapped=aes_key_wrap(_recovery_key(secret, salt), data_key),
    )
    return slot, printed(secret)


def unwrap(slot: KeySlot, secret: str, device: DeviceSecret | None = None) -> bytes:
    """Return the data key that `secret` (passphrase or printed recovery key) opens.

    AES-KW carries its own integrity check (RFC 3394, section 2.2.3), so a key that comes out
    is the right one. A missing device secret costs the same derivation and looks like a wrong
    passphrase.

    Raises:
        WrongKeyError: it does not open; RecoveryTypingError for a misread recovery key.
    """
    if slot.cost is not None:
        wrapping = _wrapping(secret, slot.salt, slot.cost, device if slot.device else None)
    else:
        wrapping = _recovery_key(read(secret), slot.salt)
    try:
        return aes_key_unwrap(wrapping, slot.wrapped)
    except (InvalidUnwrap, ValueError):
        # From None: the frames below hold the wrapping key and must not travel with the error.
        raise WrongKeyError("the slot does not open") from None


def _wrapping(passphrase: str, salt: bytes, cost: Argon2Cost, device: DeviceSecret | None) -> bytes:
    stretched = _stretched(passphrase, salt, cost)
    if device is None:
        return stretched
    return HKDF(algorithm=SHA256(), length=32, salt=device.value, info=_DEVICE_CONTEXT).derive(
        stretched
    )


def _stretched(passphrase: str, salt: bytes, cost: Argon2Cost) -> bytes:
    # NFC: the same passphrase typed on another keyboard (RFC 8265, OpaqueString profile).
    return Argon2id(
        salt=salt,
        length=32,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    ).derive(unicodedata.normalize("NFC", passphrase).encode())


def _recovery_key(secret: bytes, salt: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=_RECOVERY_CONTEXT).derive(secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySlots:
    """Every slot of one store, as kept beside the database."""

    slots: tuple[KeySlot, ...]

    def clinician(self, clinician: RecordId) -> KeySlot:
        """Return the slot of one clinician. Raises WrongKeyError when there is none."""
        found = [s for s in self.slots if s.id == clinician and s.kind is SlotKind.PASSPHRASE]
        if not found:
            raise WrongKeyError("no such clinician")
        return found[0]

    @property
    def clinicians(self) -> tuple[KeySlot, ...]:
        """Slots people sign in with, in the order they were added."""
        return tuple(s for s in self.slots if s.kind is SlotKind.PASSPHRASE)

    @property
    def recovery(self) -> tuple[KeySlot, ...]:
        """Slots that a printed recovery key opens."""
        return tuple(s for s in self.slots if s.kind is SlotKind.RECOVERY)

    def with_slot(self, slot: KeySlot) -> "KeySlots":
        """Return these slots with `slot` in place of the one with its id, or added."""
        if any(s.id == slot.id for s in self.slots):
            return replace(self, slots=tuple(slot if s.id == slot.id else s for s in self.slots))
        return replace(self, slots=(*self.slots, slot))

    def without(self, id: RecordId) -> "KeySlots":
        """Return these slots without the one with that id."""
        return replace(self, slots=tuple(s for s in self.slots if s.id != id))

    @property
    def device(self) -> str:
        """Name of the device secret these slots use; empty when none does."""
        return next((s.device for s in self.slots if s.device), "")

    def write(self, path: Path) -> None:
        """Write the slots file durably."""
        content = {"format": _FORMAT, "slots": [_slot_to_json(s) for s in self.slots]}
        write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False).encode())

    @classmethod
    def read(cls, path: Path) -> "KeySlots":
        """Return the slots in `path`. Raises StoreCorruptError when it cannot be read."""
        try:
            raw = json.loads(path.read_bytes())
            if raw["format"] != _FORMAT:
                raise StoreCorruptError(path, f"unknown format {raw['format']!r}")
            return cls(slots=tuple(_slot_from_json(slot) for slot in raw["slots"]))
        except (OSError, KeyError, TypeError, ValueError, DdxError) as error:
            if isinstance(error, StoreCorruptError):
                raise
            raise StoreCorruptError(path, "the key slots cannot be read") from error


def _slot_to_json(slot: KeySlot) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "id": slot.id,
        "kind": slot.kind.value,
        "salt": slot.salt.hex(),
        "wrapped": slot.wrapped.hex(),
    }
    if slot.cost is not None:
        raw["argon2id"] = {
            "iterations": slot.cost.iterations,
            "lanes": slot.cost.lanes,
            "memory_kib": slot.cost.memory_kib,
        }
    if slot.role is not None:
        raw |= {"display_name": slot.display_name, "role": slot.role.value}
    if slot.device:
        raw["device"] = slot.device
    return raw


def _slot_from_json(raw: Mapping[str, Any]) -> KeySlot:
    kind = SlotKind(raw["kind"])
    return KeySlot(
        id=record_id(raw["id"]),
        kind=kind,
        salt=bytes.fromhex(raw["salt"]),
        wrapped=bytes.fromhex(raw["wrapped"]),
        cost=_cost_from_json(raw["argon2id"]) if kind is SlotKind.PASSPHRASE else None,
        display_name=raw.get("display_name", ""),
        role=Role(raw["role"]) if "role" in raw else None,
        device=str(raw.get("device", "")),
    )


def _cost_from_json(raw: Mapping[str, int]) -> Argon2Cost:
    cost = Argon2Cost(**raw)
    if cost.memory_kib > _MEMORY_CEILING_KIB or cost.iterations > _ITERATIONS_CEILING:
        raise ValueError("derivation cost out of bounds")
    return cost
