"""Tables of what the service writes down. Append-only: the migrations forbid change and removal."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.db.scoped import TENANT_CHARS, TenantRow
from cloud_api.db.tables import Base, UtcDateTime


class PredictionRow(TenantRow, Base):
    """See `cloud_api.records.ports.PredictionRecord`. leading: JSON; leading_*: of its first."""

    __tablename__ = "prediction"

    tenant_id: Mapped[str] = mapped_column(String(TENANT_CHARS), primary_key=True)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor: Mapped[str] = mapped_column(String(160))
    bundle_version: Mapped[str] = mapped_column(String(128))
    bundle_digest: Mapped[str] = mapped_column(String(64))
    case_digest: Mapped[str] = mapped_column(String(64))
    answer_digest: Mapped[str] = mapped_column(String(64))
    triage_level: Mapped[int] = mapped_column(Integer)
    leading: Mapped[str] = mapped_column(Text)
    leading_disease: Mapped[str] = mapped_column(String(128))
    leading_band: Mapped[str] = mapped_column(String(32))
    leading_world: Mapped[str] = mapped_column(String(32))


class FeedbackRow(TenantRow, Base):
    """See `cloud_api.records.ports.FeedbackRecord`."""

    __tablename__ = "feedback"

    tenant_id: Mapped[str] = mapped_column(String(TENANT_CHARS), primary_key=True)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    prediction_id: Mapped[str] = mapped_column(String(36), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(160))
    outcome: Mapped[str] = mapped_column(String(32))
    verb: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(64))
    disease: Mapped[str] = mapped_column(String(128))


class AuditRecordRow(TenantRow, Base):
    """See `cloud_api.records.ports.AuditRecord`. detail: canonical JSON."""

    __tablename__ = "audit_record"

    tenant_id: Mapped[str] = mapped_column(String(TENANT_CHARS), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(36))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor: Mapped[str] = mapped_column(String(160))
    role: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(160))
    detail: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditTipRow(TenantRow, Base):
    """Where an organisation's chain ends. Its row lock gives every link its own place."""

    __tablename__ = "audit_tip"

    tenant_id: Mapped[str] = mapped_column(String(TENANT_CHARS), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
