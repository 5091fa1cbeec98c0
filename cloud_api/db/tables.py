"""Tables of the gateway. Events are append-only: the migrations forbid change and removal.

One change passes: the content of an erased patient's record gives way to a tombstone, once.
"""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cloud_api.db.scoped import TENANT_CHARS, TenantRow


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; refuses moments without a zone, on databases that forget zones too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return what the database stores."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return the stored moment with its zone."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


Big = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts rows in INTEGER only


class Base(DeclarativeBase):
    """Base of all tables."""


class DeviceRow(TenantRow, Base):
    """An enrolled device. revoked_at: from then on its signature is worth nothing."""

    __tablename__ = "device"

    tenant_id: Mapped[str] = mapped_column(String(TENANT_CHARS), index=True)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    app_version: Mapped[str] = mapped_column(String(128))
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EnrolmentCodeRow(TenantRow, Base):
    """A one-time code, kept as its SHA-256. device_id: who used it.

    tenant_id: the organisation that device belongs to.
    """

    __tablename__ = "enrolment_code"

    tenant_id: Mapped[str] = mapped_column(String(TENANT_CHARS), index=True)
    code_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    device_id: Mapped[str | None] = mapped_column(String(36))


ONLINE_EPOCH: Final = 0
"""Of records the cloud took itself (`cloud_api.db.online`): devices count epochs from 1."""


class EventRow(Base):
    """One stored record. payload, extra: canonical JSON as text, unknown fields included.

    erased_by: server sequence of the erasure that left a tombstone for payload.
    """

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("device_id", "epoch", "sequence", name="uq_event_sequence"),
        UniqueConstraint("device_id", "id", name="uq_event_id"),
    )

    server_sequence: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    device_id: Mapped[str] = mapped_column(String(36))
    epoch: Mapped[int] = mapped_column(Big)
    sequence: Mapped[int] = mapped_column(Big)
    id: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[str] = mapped_column(Text)
    payload_sha256: Mapped[str] = mapped_column(String(64))
    batch_id: Mapped[str] = mapped_column(String(128))
    schema_version: Mapped[int] = mapped_column(Integer)
    app_version: Mapped[str] = mapped_column(String(128))
    bundle_version: Mapped[str | None] = mapped_column(String(128))
    extra: Mapped[str] = mapped_column(Text)
    erased_by: Mapped[int | None] = mapped_column(Big, index=True)


class ErasedSubjectRow(Base):
    """A patient's pseudonym, or a diagnosis of theirs, and how far the device's erasure reaches."""

    __tablename__ = "erased_subject"

    device_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    subject: Mapped[str] = mapped_column(String(128), primary_key=True)
    epoch: Mapped[int] = mapped_column(Big)
    sequence: Mapped[int] = mapped_column(Big)
    erased_by: Mapped[int] = mapped_column(Big, index=True)


class CounterRow(Base):
    """The last server sequence given. Its row lock makes commit order the order of sequences."""

    __tablename__ = "server_counter"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int] = mapped_column(Big)


class AuditHeadRow(Base):
    """A head of a device's audit chain with both signatures. Append-only, as the event log.

    server_time: as signed, letter by letter.
    """

    __tablename__ = "audit_head"

    device_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    epoch: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    head: Mapped[str] = mapped_column(String(64))
    device_key: Mapped[str] = mapped_column(String(64))
    device_signature: Mapped[str] = mapped_column(String(128))
    server_time: Mapped[str] = mapped_column(String(40))
    server_key: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(128))


class DeviceSettingRow(TenantRow, Base):
    """A setting for one device, or for every one (empty id). Append-only; the newest counts.

    tenant_id: of whose devices; empty for those of every organisation. value: JSON.
    """

    __tablename__ = "device_setting"

    tenant_id: Mapped[str] = mapped_column(String(TENANT_CHARS), index=True)
    server_sequence: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    device_id: Mapped[str] = mapped_column(String(36))
    key: Mapped[str] = mapped_column(String(128))
    value: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StreamCursorRow(Base):
    """How far a follower of the event log has come."""

    __tablename__ = "stream_cursor"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column(Big)


class AlarmRow(Base):
    """Something a human should look at; one row per distinct occurrence."""

    __tablename__ = "alarm"
    __table_args__ = (
        UniqueConstraint("device_id", "event_id", "epoch", "sequence", "offered_sha256"),
    )

    id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    device_id: Mapped[str] = mapped_column(String(36))
    epoch: Mapped[int] = mapped_column(Big)
    sequence: Mapped[int] = mapped_column(Big)
    event_id: Mapped[str] = mapped_column(String(36))
    offered_sha256: Mapped[str] = mapped_column(String(64))
    stored_sha256: Mapped[str] = mapped_column(String(64))
