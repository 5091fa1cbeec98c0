"""What the use cases hand to the screens: frozen, and free of the store."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from ddx.domain.case import Case, Sex
from ddx.domain.differential import Differential
from ddx.domain.feedback import Feedback
from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Role
from ddx.intake.draft import Draft


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
    """One encrypted backup. made_at: UTC. size: bytes."""

    folder: Path
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
    """One recorded differential with the decisions made on it, oldest first."""

    id: RecordId
    patient_id: RecordId
    made_at: datetime
    case: Case
    differential: Differential
    short_code: str
    feedback: tuple[Feedback, ...]


class Difference(StrEnum):
    """What a replay found different."""

    RECEIPT = "receipt"
    BUNDLE = "bundle"
    FEATURES = "features"
    DIFFERENTIAL = "differential"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """Whether a recorded diagnosis comes out the same again, bit for bit.

    RECEIPT: the record does not match its own digest. BUNDLE: the bundle that answered is no
    longer here, so nothing was run.
    """

    differences: tuple[Difference, ...]

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


class SyncPhase(StrEnum):
    """Where the sync stands."""

    NOT_LINKED = "not_linked"
    IDLE = "idle"
    PUSHING = "pushing"
    WAITING = "waiting"
    OFFLINE = "offline"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """What waits and what arrived. code: why it waits or is refused, when it is."""

    pending: int
    quarantined: int
    acknowledged: int
    last_contact_at: datetime | None
    phase: SyncPhase
    server: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """The bundle that answers. source: `default` (came with the application) or `slot`."""

    version: str
    digest: str
    built_at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOutcome:
    """How an update ended.

    result: up_to_date, activated, refused, offline or not_linked; code: why, if not the first two.
    """

    result: str
    version: str
    code: str | None
