"""What the service writes down, by organisation, and the ports of the three logs.

Nothing of a patient is in a record: a prediction is named by digests, a person by the issuer's
id. Every log is append-only and every call names the one organisation (tenant) it is about; a
record of another one is never found, counted or returned. Each adapter passes the contract in
`tests/support/record_logs.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from ddx.domain.canonical import digest_of
from ddx.domain.statements import moment_text
from ddx.errors import DdxError
from sync_service.gateway.intake import NewEvent

MAX_PAGE: Final = 500
"""Most records one search returns."""

GENESIS: Final = "0" * 64
"""`previous` of the first audit record of an organisation."""


class RecordConflictError(DdxError):
    """The id is taken by a record with other content. Nothing was written."""

    code = "record.conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadingCandidate:
    """One disease of the head of a differential. world: common or rare."""

    disease: str
    probability: float
    band: str
    world: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRecord:
    """One answered prediction.

    id: the receipt id the caller got (UUIDv7). at: UTC. actor: `device:<id>` or `person:<id>`.
    case_digest, answer_digest: SHA-256 (hex) of the canonical JSON of the case and of the
    differential: who holds both can prove what was asked and answered. leading: the first
    candidates, best first. triage_level: 1 (immediate) to 5.
    """

    tenant_id: str
    id: str
    at: datetime
    actor: str
    bundle_version: str
    bundle_digest: str
    case_digest: str
    answer_digest: str
    triage_level: int
    leading: tuple[LeadingCandidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackRecord:
    """One decision on one prediction. Codes only: free text stays where it was written.

    id: made by the caller (UUIDv7), so that sending it twice stores it once. prediction_id: the
    receipt id. at: when it was decided; received_at: when it reached us; both UTC.
    outcome, verb, reason, disease: `ddx.domain.feedback`; empty where there is none.
    """

    tenant_id: str
    id: str
    prediction_id: str
    at: datetime
    received_at: datetime
    actor: str
    outcome: str
    verb: str
    reason: str = ""
    disease: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDraft:
    """One thing done in the cloud, before the log gives it its place in the chain.

    id: UUIDv7. at: UTC. role: empty for devices and the service itself. subject: id of what was
    acted upon, never a name. detail: codes and counts.
    """

    tenant_id: str
    id: str
    at: datetime
    actor: str
    role: str
    action: str
    subject: str
    detail: Mapping[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord(AuditDraft):
    """One link of an organisation's chain: sequence 1, 2, 3 … without gaps.

    previous: hash of the link before; hash: SHA-256 (hex), see `audit_hash`.
    """

    sequence: int
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTip:
    """The last link of an organisation's chain; sequence 0 and GENESIS when it has none."""

    sequence: int = 0
    hash: str = GENESIS


def audit_hash(draft: AuditDraft, *, sequence: int, previous: str) -> str:
    """Return the hash of the link `draft` makes at `sequence` after `previous`."""
    return digest_of(
        {
            "tenant_id": draft.tenant_id,
            "sequence": sequence,
            "previous": previous,
            "id": draft.id,
            "at": moment_text(draft.at),
            "actor": draft.actor,
            "role": draft.role,
            "action": draft.action,
            "subject": draft.subject,
            "detail": dict(draft.detail),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Half-open stretch of time, since <= at < until; None leaves an end open."""

    since: datetime | None = None
    until: datetime | None = None


ALWAYS: Final = Window()


class PredictionField(StrEnum):
    """What predictions can be counted by; leading_* are of the first candidate."""

    BUNDLE_VERSION = "bundle_version"
    TRIAGE_LEVEL = "triage_level"
    LEADING_DISEASE = "leading_disease"
    LEADING_BAND = "leading_band"
    LEADING_WORLD = "leading_world"


class FeedbackField(StrEnum):
    """What feedback can be counted by."""

    OUTCOME = "outcome"
    VERB = "verb"
    REASON = "reason"
    DISEASE = "disease"


class PredictionLog(Protocol):
    """Every prediction the service answered."""

    async def append(self, record: PredictionRecord) -> None:
        """Store durably before returning; the same record again changes nothing.

        Raises:
            RecordConflictError: the organisation has another record with this id.
        """

    async def get(self, tenant_id: str, id: str) -> PredictionRecord | None:
        """Return the organisation's record with an id, None when it has none."""

    async def search(
        self,
        tenant_id: str,
        *,
        window: Window = ALWAYS,
        bundle_version: str = "",
        after: str = "",
        limit: int = MAX_PAGE,
    ) -> Sequence[PredictionRecord]:
        """Return up to `limit` records by id, those after `after`; empty filters match all."""

    async def tally(
        self, tenant_id: str, by: PredictionField, *, window: Window = ALWAYS
    ) -> Mapping[str, int]:
        """Return how many records carry each value, the value written as text."""


class FeedbackLog(Protocol):
    """Every decision clinicians sent to the service."""

    async def append(self, record: FeedbackRecord, event: NewEvent) -> bool:
        """Store durably before returning, `event` on the event log too; return whether it was new.

        event: the same decision as the lake reads it. Where both have one home they are one
        transaction; where not, the event may be missing after a crash until the same decision is
        sent again. The same decision again, whenever it was received, changes nothing and returns
        False.

        Raises:
            RecordConflictError: the organisation has another decision with this id.
        """

    async def get(self, tenant_id: str, id: str) -> FeedbackRecord | None:
        """Return the organisation's decision with an id, None when it has none."""

    async def search(
        self,
        tenant_id: str,
        *,
        window: Window = ALWAYS,
        prediction_id: str = "",
        after: str = "",
        limit: int = MAX_PAGE,
    ) -> Sequence[FeedbackRecord]:
        """Return up to `limit` decisions by id, those after `after`; empty filters match all."""

    async def tally(
        self, tenant_id: str, by: FeedbackField, *, window: Window = ALWAYS
    ) -> Mapping[str, int]:
        """Return how many decisions carry each value."""


class AuditLog(Protocol):
    """What was done in the cloud: one hash chain per organisation."""

    async def append(self, draft: AuditDraft) -> AuditRecord:
        """Link `draft` to the organisation's chain, durably, and return the link.

        Two appends at once get two places; neither is lost.
        """

    async def get(self, tenant_id: str, sequence: int) -> AuditRecord | None:
        """Return the link with a sequence, None when there is none."""

    async def search(
        self,
        tenant_id: str,
        *,
        window: Window = ALWAYS,
        actor: str = "",
        action: str = "",
        after: int = 0,
        limit: int = MAX_PAGE,
    ) -> Sequence[AuditRecord]:
        """Return up to `limit` links by sequence, those after `after`; empty filters match all."""

    async def tip(self, tenant_id: str) -> AuditTip:
        """Return the last link as remembered apart from the links themselves."""
