"""This device: its identity, its signing key, its counters, and the settings kept encrypted."""

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from ddx.domain.identifiers import RecordId
from desktop.store.errors import RecordMissingError
from desktop.store.records import DeviceRecord
from desktop.store.tables import DeviceTable, SettingTable


class DeviceRepository:
    """The one device of this store."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def enrol(self, id: RecordId, signing_key: Ed25519PrivateKey, at: datetime) -> None:
        """Add this device in its first epoch."""
        self._session.add(
            DeviceTable(
                id=id,
                epoch=1,
                signing_key=signing_key.private_bytes_raw(),
                outbox_sequence=0,
                audit_shipped=0,
                created_at=at,
            )
        )

    def get(self) -> DeviceRecord:
        """Return this device."""
        row = self._row()
        return DeviceRecord(id=RecordId(row.id), epoch=row.epoch, audit_shipped=row.audit_shipped)

    def begin_epoch(self, epoch: int) -> None:
        """Begin another life of this device: its outbox and its audit chain start again.

        For a restored backup: what was numbered after the backup is never numbered twice.
        """
        row = self._row()
        row.epoch, row.outbox_sequence, row.audit_shipped = epoch, 0, 0

    def signing_key(self) -> Ed25519PrivateKey:
        """Return the device's Ed25519 key."""
        return Ed25519PrivateKey.from_private_bytes(self._row().signing_key)

    def public_key(self) -> str:
        """Return the public half of the device's key, hex."""
        return self.signing_key().public_key().public_bytes_raw().hex()

    def next_epoch(self) -> int:
        """Begin another epoch and return it: its outbox and its audit chain start at 1."""
        row = self._row()
        row.epoch, row.outbox_sequence, row.audit_shipped = row.epoch + 1, 0, 0
        return row.epoch

    def next_outbox_sequence(self) -> int:
        """Return the next outbox sequence of this epoch; given once, whatever is deleted."""
        row = self._row()
        row.outbox_sequence += 1
        return row.outbox_sequence

    def audit_shipped_through(self, sequence: int) -> None:
        """Remember the last audit entry handed to the outbox."""
        self._row().audit_shipped = sequence

    def _row(self) -> DeviceTable:
        row = self._session.scalars(select(DeviceTable)).first()
        if row is None:
            raise RecordMissingError("device", "in this store")
        return row


class SettingRepository:
    """Facts kept inside the encrypted store, as JSON values by key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, key: str) -> Any:
        """Return the value of `key`, or None when it was never set."""
        row = self._session.get(SettingTable, key)
        return None if row is None else row.value

    def put(self, key: str, value: Any) -> None:
        """Set `key` to a JSON value."""
        self._session.merge(SettingTable(key=key, value=value))
