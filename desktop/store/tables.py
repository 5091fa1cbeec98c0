"""Tables of the clinic. `migrations/versions` builds them; a test holds the two together."""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, configure_mappers, mapped_column

from desktop.store.columns import CanonicalJson, UtcMoment

SCHEMA_VERSION: Final = 4
"""`PRAGMA user_version` of a store at head; the migrations set it, a test compares."""

ID: Final = String(36)
DIGEST: Final = String(64)
SIGNATURE: Final = String(128)


class Table(DeclarativeBase):
    """Root of the store's tables."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
        }
    )


class ClinicTable(Table):
    """The one clinic of this store. pseudonym_key: 32 bytes, never leaves the store."""

    __tablename__ = "clinic"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    pseudonym_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)


class ClinicianTable(Table):
    """People who sign in. The role here is the one that counts."""

    __tablename__ = "clinician"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    display_name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(32))
    active: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)


class PatientTable(Table):
    """People seen here. search_name: accents and case folded; pseudonym: what leaves.

    last_seen_at: the newest visit, the creation before the first; orders the list.
    """

    __tablename__ = "patient"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    given_name: Mapped[str] = mapped_column(Text)
    family_name: Mapped[str] = mapped_column(Text)
    search_name: Mapped[str] = mapped_column(Text)
    sex: Mapped[str] = mapped_column(String(16))
    birth_date: Mapped[date] = mapped_column(Date)
    national_id: Mapped[str] = mapped_column(Text)
    pseudonym: Mapped[str] = mapped_column(DIGEST, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)
    last_seen_at: Mapped[datetime] = mapped_column(UtcMoment, index=True)


class DraftTable(Table):
    """The unfinished visit of a patient, as typed: at most one each."""

    __tablename__ = "draft"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(CanonicalJson)
    updated_at: Mapped[datetime] = mapped_column(UtcMoment)


class DiagnosisTable(Table):
    """One recorded differential with what is needed to replay it. Append-only.

    features: the feature vector as the engine wrote it (hex), empty in records made before it
    was kept. contributions: explanations of the first candidates. opinion: what the clinician
    thought before the list (`ddx.intake.draft.Draft.opinion`).
    """

    __tablename__ = "diagnosis"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"))
    clinician_id: Mapped[str] = mapped_column(ForeignKey("clinician.id"))
    made_at: Mapped[datetime] = mapped_column(UtcMoment)
    case_json: Mapped[dict[str, Any]] = mapped_column(CanonicalJson)
    differential_json: Mapped[dict[str, Any]] = mapped_column(CanonicalJson)
    feature_digest: Mapped[str] = mapped_column(DIGEST)
    receipt_digest: Mapped[str] = mapped_column(DIGEST)
    bundle_version: Mapped[str] = mapped_column(String(64))
    bundle_digest: Mapped[str] = mapped_column(DIGEST)
    short_code: Mapped[str] = mapped_column(String(16), index=True)
    features: Mapped[str] = mapped_column(Text, server_default="")
    contributions: Mapped[list[Any]] = mapped_column(CanonicalJson, server_default="[]")
    opinion: Mapped[str] = mapped_column(String(64), server_default="")
    __table_args__ = (Index("ix_diagnosis_patient_id", "patient_id", "made_at"),)


class FeedbackTable(Table):
    """Decisions on diagnoses. Append-only; note and plan are free text and stay here."""

    __tablename__ = "feedback"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    diagnosis_id: Mapped[str] = mapped_column(ForeignKey("diagnosis.id"), index=True)
    clinician_id: Mapped[str] = mapped_column(ForeignKey("clinician.id"))
    verb: Mapped[str] = mapped_column(String(16))
    disease: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(32))
    outcome_at: Mapped[datetime] = mapped_column(UtcMoment)
    note: Mapped[str] = mapped_column(Text)
    plan: Mapped[str] = mapped_column(Text, server_default="")


class PatientSearchTable(Table):
    """Words a patient is found by: folded name, document. Triggers keep it and its index."""

    __tablename__ = "patient_search"
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    patient_id: Mapped[str] = mapped_column(ID, unique=True)
    words: Mapped[str] = mapped_column(Text)


class VisitSearchTable(Table):
    """Words a visit is found by: codes of findings and diseases, short code, notes.

    number: in the order of recording. Triggers keep it and its index.
    """

    __tablename__ = "visit_search"
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    diagnosis_id: Mapped[str] = mapped_column(ID, unique=True)
    words: Mapped[str] = mapped_column(Text)


SEARCH_INDEXES: Final = ("patient_index", "visit_index")
"""FTS5 tables over the two above; SQLite keeps tables of its own for them (`<name>_*`)."""


class AuditEntryTable(Table):
    """The audit chain, one per device epoch. Triggers refuse updates and deletes.

    signature: the device's, hex; empty in entries written before they were signed.
    """

    __tablename__ = "audit_entry"
    epoch: Mapped[int] = mapped_column(Integer, primary_key=True)
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(ID, unique=True)
    at: Mapped[datetime] = mapped_column(UtcMoment)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(CanonicalJson)
    previous: Mapped[str] = mapped_column(DIGEST)
    hash: Mapped[str] = mapped_column(DIGEST)
    signature: Mapped[str] = mapped_column(SIGNATURE, server_default="")


class AuditCheckpointTable(Table):
    """Heads the server countersigned. server_time: as signed, letter by letter."""

    __tablename__ = "audit_checkpoint"
    epoch: Mapped[int] = mapped_column(Integer, primary_key=True)
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True)
    head: Mapped[str] = mapped_column(DIGEST)
    server_time: Mapped[str] = mapped_column(String(32))
    server_key: Mapped[str] = mapped_column(DIGEST)
    signature: Mapped[str] = mapped_column(SIGNATURE)


class ErasureTable(Table):
    """Tombstones. proof: keyed hash of what was erased; nothing of it can be read back."""

    __tablename__ = "erasure"
    pseudonym: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    clinician_id: Mapped[str] = mapped_column(ForeignKey("clinician.id"))
    erased_at: Mapped[datetime] = mapped_column(UtcMoment)
    proof: Mapped[str] = mapped_column(DIGEST)
    diagnoses: Mapped[int] = mapped_column(Integer)


class OutboxEventTable(Table):
    """What waits for the cloud, was refused, or arrived. payload: exactly what is sent."""

    __tablename__ = "outbox_event"
    epoch: Mapped[int] = mapped_column(Integer, primary_key=True)
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(ID, unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcMoment)
    payload: Mapped[dict[str, Any]] = mapped_column(CanonicalJson)
    payload_sha256: Mapped[str] = mapped_column(DIGEST)
    state: Mapped[str] = mapped_column(String(16))
    server_sequence: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (Index("ix_outbox_event_state", "state", "epoch", "sequence"),)


class DeviceTable(Table):
    """This device. audit_shipped: sequence of the last audit entry put in the outbox."""

    __tablename__ = "device"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    epoch: Mapped[int] = mapped_column(Integer)
    signing_key: Mapped[bytes] = mapped_column(LargeBinary)
    outbox_sequence: Mapped[int] = mapped_column(Integer)
    audit_shipped: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)


class SettingTable(Table):
    """Facts that must stay secret or survive: link to the server, last contact."""

    __tablename__ = "setting"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(CanonicalJson)


configure_mappers()  # 20 ms that would otherwise be part of the first opening
