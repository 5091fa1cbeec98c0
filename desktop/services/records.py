"""What the use cases hand to the screens: frozen, and free of the store."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from ddx.domain.case import Case, Sex
from ddx.domain.differential import Alert, Differential
from ddx.domain.explanation import Explanation
from ddx.domain.feedback import Feedback
from ddx.domain.identifiers import DiseaseId, RecordId
from ddx.domain.replay import Difference, ReplayReport
from ddx.domain.roles import Role
from ddx.intake.draft import Draft

if TYPE_CHECKING:  # these load the models, and screens read this module before the first paint
    from collections.abc import Mapping

    from ddx.explain.narrate import Sentence
    from ddx.inquiry.stop import Proposal
    from ddx.safety.recommend import Recommendation
    from ddx.safety.triage import Triage

__all__ = [
    "Account",
    "AuditKeys",
    "BackupCard",
    "ClinicianCard",
    "DiagnosisRecord",
    "Difference",
    "DraftRecord",
    "ErasureProof",
    "Guidance",
    "ModelStatus",
    "NewPatient",
    "Paper",
    "PatientRow",
    "Referral",
    "ReferralMedium",
    "ReplayReport",
    "RestoreReport",
    "SentRecord",
    "SyncPhase",
    "SyncStatus",
    "Trial",
    "UpdateOutcome",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicianCard:
    """One person on the sign-in screen."""

    id: RecordId
    display_name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """One person who may sign in. has_key: False until a manager gives a new passphrase."""

    id: RecordId
    display_name: str
    role: Role
    has_key: bool
    is_self: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupCard:
    """One encrypted backup. clinic: name of it, empty when nobody wrote it down. made_at: UTC.

    size: bytes.
    """

    folder: Path
    clinic: str
    made_at: datetime
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What a restore did. aside: where the store of before is, None when there was none."""

    made_at: datetime
    epoch: int
    aside: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRow:
    """One patient on the list. last_visit_at: UTC; None before the first visit."""

    id: RecordId
    given_name: str
    family_name: str
    sex: Sex
    birth_date: date
    visits: int
    last_visit_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPatient:
    """A patient as entered."""

    given_name: str
    family_name: str
    sex: Sex
    birth_date: date
    national_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRecord:
    """An unfinished visit, as last saved."""

    id: RecordId
    patient_id: RecordId
    draft: Draft
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisRecord:
    """One recorded differential with the decisions made on it, oldest first.

    not_excluded: diseases that cannot be set aside, of a diagnosis just made; None where its
    bundle does not say, and for diagnoses of the past. opinion: what the clinician thought before
    the list: a disease, `ddx.intake.draft.UNDECIDED`, or empty when nobody asked.
    """

    id: RecordId
    patient_id: RecordId
    made_at: datetime
    case: Case
    differential: Differential
    short_code: str
    feedback: tuple[Feedback, ...]
    not_excluded: frozenset[DiseaseId] | None = None
    opinion: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was recorded; None where it was too seldom to say (`SMALLEST_CELL`)."""

    name: str
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregates:
    """Counts of a clinic since a day, no patient in them. Largest first; weeks in order.

    weeks: Monday of each week, ISO. verbs, diseases: of decisions. alerts: rules that fired.
    """

    since: date
    smallest: int
    weeks: tuple[Count, ...]
    verbs: tuple[Count, ...]
    reasons: tuple[Count, ...]
    diseases: tuple[Count, ...]
    alerts: tuple[Count, ...]


class Origin(StrEnum):
    """Who set a setting: nobody, the file of this machine, or the organisation."""

    DEFAULT = "default"
    FILE = "file"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting in force. locked: only the organisation can change it."""

    key: str
    value: str
    origin: Origin
    locked: bool


class ReferralMedium(StrEnum):
    """How a referral letter leaves."""

    PAPER = "paper"
    FILE = "file"


class Paper(StrEnum):
    """What is printed of a visit: the letter for somebody else, or the summary for the file."""

    LETTER = "referral"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """What a referral letter, or a summary, says of one recorded visit.

    attended_by: who recorded the visit, removed since or not; signed_by: who writes the letter.
    """

    clinic: str
    signed_by: str
    attended_by: str
    patient: PatientRow
    national_id: str
    visit: DiagnosisRecord
    written_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditKeys:
    """Public keys, hex, for whoever verifies an export. server_key: empty before a checkpoint."""

    device_id: str
    device_key: str
    server_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """What a draft asks for before any list: how soon to attend, and what to ask next.

    alerts: rules that fired, whatever any list says.
    """

    triage: "Triage"
    inquiry: "Proposal"
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The list a draft would get. Nothing of it was recorded, and nothing may be decided on it."""

    differential: Differential
    not_excluded: frozenset[DiseaseId] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Why a candidate stands where it stands, in sentences too, and what to do if it is that.

    actions: by language code.
    """

    explanation: Explanation
    sentences: "tuple[Sentence, ...]"
    actions: "Mapping[str, tuple[Recommendation, ...]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRecord:
    """One record that left or waits to leave. payload_json: exactly what leaves, indented.

    state: pending, acknowledged or quarantined; reason: why it was refused, if it was.
    """

    id: RecordId
    kind: str
    created_at: datetime
    state: str
    server_sequence: int | None
    reason: str
    payload_json: str
    payload_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureProof:
    """A patient who was erased: their pseudonym and the keyed hash of what there was."""

    pseudonym: str
    erased_at: datetime
    proof: str
    diagnoses: int


class SyncPhase(StrEnum):
    """Where the sync stands."""

    NOT_LINKED = "not_linked"
    IDLE = "idle"
    PUSHING = "pushing"
    WAITING = "waiting"
    OFFLINE = "offline"
    REFUSED = "refused"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """What waits and what arrived. code: why it waits or is refused, when it is.

    audit_alarm: `fork` or `restored_backup` once the server knew another history of this device
    than the store, `server_key` once it countersigned with another key; empty otherwise.
    """

    pending: int
    quarantined: int
    acknowledged: int
    last_contact_at: datetime | None
    phase: SyncPhase
    server: str
    code: str = ""
    audit_alarm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """The bundle that answers. source: `default` (came with the application) or `slot`.

    blocked: its models that must not answer (`common`, `rare`), stopped by the safety role or
    not reproducing their golden cases. reverted: a newer one failed here and was left.
    old_after_days: `MaxModelAgeDays` in force; its default is how long the metadata of an offline
    repository lives (docs/architecture.md).
    """

    version: str
    digest: str
    built_at: datetime
    source: str
    blocked: tuple[str, ...] = ()
    reverted: bool = False
    old_after_days: int = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOutcome:
    """How an update ended.

    result: up_to_date, activated, refused, offline, postponed, sent_back or not_linked; code: why,
    where there is a reason. clock_behind_s: how far this machine's clock is behind, 0 when it
    is not.
    """

    result: str
    version: str
    code: str | None
    clock_behind_s: int = 0
