"""The audit chain: each entry carries the hash of the one before it.

Pure: the clock and the device key live at the edge. The device signs the hash of each entry
(`ddx.domain.statements.entry_statement`); `ddx.domain.audit_verdict` judges an exported log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import RecordId
from ddx.errors import DdxError

GENESIS = "0" * 64
"""`previous` of the first entry of an epoch."""


class AuditAction(StrEnum):
    """What was done. New actions are appended; a name is never reused."""

    CLINIC_CREATED = "clinic_created"
    SIGN_IN = "sign_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_OUT = "sign_out"
    PATIENT_CREATED = "patient_created"
    PATIENT_VIEWED = "patient_viewed"
    DIAGNOSED = "diagnosed"
    EXPLAINED = "explained"
    DECIDED = "decided"
    EXPORTED = "exported"
    SETTING_CHANGED = "setting_changed"
    SYNCED = "synced"
    BUNDLE_ACTIVATED = "bundle_activated"
    BUNDLE_REFUSED = "bundle_refused"
    EPOCH_OPENED = "epoch_opened"
    PATIENT_ERASED = "patient_erased"
    CLOUD_SIGN_IN = "cloud_sign_in"
    CLOUD_SIGN_IN_REFUSED = "cloud_sign_in_refused"
    ROLE_LEASED = "role_leased"
    RECORDS_LISTED = "records_listed"
    STORE_CHECKED = "store_checked"
    STORE_QUARANTINED = "store_quarantined"
    APPLICATION_UPDATE = "application_update"
    AUDIT_RETIRED = "audit_retired"


class AuditChainError(DdxError):
    """The audit chain does not hold. `sequence` names the first bad entry."""

    code = "audit.broken_chain"

    def __init__(self, sequence: int, reason: str) -> None:
        super().__init__(f"audit entry {sequence}: {reason}")
        self.sequence, self.reason = sequence, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One link of the chain.

    sequence: 1, 2, 3 … on this device, without gaps. at: UTC.
    subject: id of what was acted upon (never a name). detail: codes and counts only.
    previous: hash of the entry before; hash: SHA-256 of this entry's canonical JSON.
    """

    sequence: int
    id: RecordId
    at: datetime
    actor: str
    action: AuditAction
    subject: str
    previous: str
    hash: str
    detail: Mapping[str, object] = field(default_factory=dict)


def link(
    previous: AuditEntry | None,
    *,
    id: RecordId,
    at: datetime,
    actor: str,
    action: AuditAction,
    subject: str,
    detail: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Return the entry that follows `previous` (the first of the chain when None)."""
    unsealed = AuditEntry(
        sequence=1 if previous is None else previous.sequence + 1,
        id=id,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        previous=GENESIS if previous is None else previous.hash,
        hash="",
        detail=dict(detail or {}),
    )
    return replace(unsealed, hash=digest_of(body_of(unsealed)))


def verify_chain(
    entries: Iterable[AuditEntry], *, after: AuditEntry | None = None, retired: bool = False
) -> int:
    """Return how many entries follow `after` in an unbroken chain.

    retired: the first entry's place and link stand as they are: what came before was let go.

    Raises:
        AuditChainError: the first entry whose sequence, link or content does not hold.
    """
    count, last = 0, after
    for entry in entries:
        if retired and last is None:
            if digest_of(body_of(entry)) != entry.hash:
                raise AuditChainError(entry.sequence, "content does not match its hash")
            count, last = 1, entry
            continue
        expected = 1 if last is None else last.sequence + 1
        if entry.sequence != expected:
            raise AuditChainError(entry.sequence, f"expected sequence {expected}")
        if entry.previous != (GENESIS if last is None else last.hash):
            raise AuditChainError(entry.sequence, "does not link to the entry before it")
        if digest_of(body_of(entry)) != entry.hash:
            raise AuditChainError(entry.sequence, "content does not match its hash")
        count, last = count + 1, entry
    return count


def body_of(entry: AuditEntry) -> dict[str, object]:
    """Return what the hash of `entry` covers: everything but the hash."""
    return {
        "sequence": entry.sequence,
        "id": entry.id,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "action": entry.action.value,
        "subject": entry.subject,
        "previous": entry.previous,
        "detail": dict(entry.detail),
    }
