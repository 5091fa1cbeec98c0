"""The device secret in the keystore of the operating system, where there is one.

A stolen copy of the store's folder is then not enough to guess passphrases: half of each wrapping
key stayed in the user's keystore. Without a keystore (no session bus, a service account) slots
are made without it, and the passphrase alone opens them.
"""

import logging
import os
from dataclasses import dataclass, field
from typing import Final, Protocol

SERVICE: Final = "Vereda"
SECRET_BYTES: Final = 32

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeviceSecret:
    """name: of the entry in the keystore. value: 32 bytes, never printed."""

    name: str
    value: bytes = field(repr=False)


class Keystore(Protocol):
    """Where device secrets are kept."""

    def read(self, name: str) -> DeviceSecret | None:
        """Return the secret of that name; None when there is none or no keystore."""

    def make(self, name: str) -> DeviceSecret | None:
        """Make, keep and return a new secret; None when it could not be kept."""


class OsKeystore:
    """The keystore of the operating system, through `keyring`."""

    def read(self, name: str) -> DeviceSecret | None:
        """Return the secret of that name; None when there is none or no keystore."""
        try:
            import keyring  # noqa: PLC0415 -- 60 ms, paid when a key is wanted

            text = keyring.get_password(SERVICE, name)
            return None if text is None else DeviceSecret(name, bytes.fromhex(text))
        except Exception as error:  # noqa: BLE001 -- each backend raises errors of its own
            _log.info("no keystore here (%s)", type(error).__name__)
            return None

    def make(self, name: str) -> DeviceSecret | None:
        """Make, keep and return a new secret; None when it could not be kept and read back."""
        secret = DeviceSecret(name, os.urandom(SECRET_BYTES))
        try:
            import keyring  # noqa: PLC0415

            keyring.set_password(SERVICE, name, secret.value.hex())
        except Exception as error:  # noqa: BLE001 -- each backend raises errors of its own
            _log.info("the keystore keeps nothing (%s)", type(error).__name__)
            return None
        return secret if self.read(name) == secret else None


class NoKeystore:
    """A device without a keystore."""

    def read(self, name: str) -> DeviceSecret | None:  # noqa: ARG002 -- the port's signature
        """Return None."""
        return None

    def make(self, name: str) -> DeviceSecret | None:  # noqa: ARG002 -- the port's signature
        """Return None."""
        return None
