"""What repositories return: frozen records, free of SQLAlchemy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ddx.domain.case import Case, Sex
from ddx.domain.differential import Differential
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicRecord:
    """The clinic of this store. pseudonym_key: 32 secret bytes."""

    id: RecordId
    name: str
    pseudonym_key: bytes
    created_at: datetime

    def __repr__(self) -> str:
        """Show the id only: a traceback must not print the key."""
        return f"ClinicRecord(id={self.id!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicianRecord:
    """One person who may sign in."""

    id: RecordId
    display_name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """One patient as stored; visits and last_visit_at are counted from the diagnoses."""

    id: RecordId
    given_name: str
    family_name: str
    sex: Sex
    birth_date: date
    national_id: str
    pseudonym: str
    created_at: datetime
    visits: int = 0
    last_visit_at: datetime | None = None

    def __repr__(self) -> str:
        """Show the id only: a traceback must not print a name."""
        return f"PatientRecord(id={self.id!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDraft:
    """An unfinished visit; content is the draft's own JSON."""

    id: RecordId
    patient_id: RecordId
    content: Mapping[str, Any]
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDiagnosis:
    """One recorded differential."""

    id: RecordId
    patient_id: RecordId
    clinician_id: RecordId
    made_at: datetime
    case: Case
    differential: Differential
    feature_digest: str
    receipt_digest: str
    short_code: str
    features: str = ""
    contributions: tuple[Explanation, ...] = ()
    opinion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEvent:
    """One outgoing event with its payload exactly as it leaves. state: an `OutboxState`."""

    id: RecordId
    epoch: int
    sequence: int
    kind: str
    created_at: datetime
    state: str
    server_sequence: int | None
    reason: str
    payload: Mapping[str, Any]
    payload_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRecord:
    """The tombstone of a patient. proof: keyed hash of what was erased, hex."""

    pseudonym: str
    clinician_id: RecordId
    erased_at: datetime
    proof: str
    diagnoses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """This device: id, epoch and what was handed to the outbox so far."""

    id: RecordId
    epoch: int
    audit_shipped: int
