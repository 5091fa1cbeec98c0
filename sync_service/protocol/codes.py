"""Coded values on the wire.

A reader must keep codes it does not know: fields are typed `Code` (any code-shaped string) and
compared with these enums, which are strings themselves. A name is never reused.
"""

from enum import StrEnum


class EventKind(StrEnum):
    """What an outgoing event records."""

    DIAGNOSIS = "diagnosis"
    FEEDBACK = "feedback"
    AUDIT = "audit"
    ERASURE = "erasure"
    MODEL_FAILURE = "model_failure"


class RecordStatus(StrEnum):
    """What the server did with one record of a batch."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class RejectReason(StrEnum):
    """Why one record was refused for good. The record goes to the device's quarantine."""

    CONFLICT = "record.conflict"
    MALFORMED = "record.malformed"
    HASH_MISMATCH = "payload.hash_mismatch"
    PAYLOAD_INVALID = "payload.invalid"
    PAYLOAD_TOO_LARGE = "payload.too_large"
    NOT_ALLOWED_OUT = "payload.not_allowed_out"
    AUDIT_BROKEN = "audit.broken_chain"


class AlarmKind(StrEnum):
    """What the gateway wants a human to look at."""

    CONFLICT = "conflict"
    MODEL_FAILURE = "model_failure"
    AUDIT_FORK = "audit_fork"
    AUDIT_RESTORED_BACKUP = "audit_restored_backup"
