"""What left the clinic, and the audit: lists to read, buttons only for who may press them."""

from dataclasses import dataclass, replace
from datetime import datetime

from ddx.domain.lease import Grant
from ddx.domain.roles import Permission, Role, may
from desktop.presenters.reducer import Reducer, Refusal, Step

SET_ASIDE = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRow:
    """One record on the list. state: pending, acknowledged or quarantined; payload: as it left.

    reason: the code of why it is set aside.
    """

    kind: str
    created_at: datetime
    state: str
    payload: str
    id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransparencyState:
    """The screen. verified: entries found in order; exported: where the file went."""

    role: Role
    rows: tuple[SentRow, ...] = ()
    chosen: int = -1
    busy: bool = False
    grant: Grant | None = None
    verified: int | None = None
    exported: str = ""
    refusal: Refusal | None = None

    @property
    def sees_sent(self) -> bool:
        """Whether the list of what left is shown."""
        return may(self.role, Permission.VIEW_SENT)

    @property
    def audits(self) -> bool:
        """Whether the audit may be verified and exported here."""
        return may(self.role, Permission.READ_AUDIT)

    @property
    def has_patients(self) -> bool:
        """Whether there is a patient list to go back to."""
        return may(self.role, Permission.VIEW_PATIENT)

    @property
    def payload(self) -> str:
        """The exact payload of the chosen record, empty when none is chosen."""
        row = self.chosen_row
        return "" if row is None else row.payload

    @property
    def chosen_row(self) -> SentRow | None:
        """The chosen record, None when none is."""
        return self.rows[self.chosen] if 0 <= self.chosen < len(self.rows) else None

    @property
    def can_retry(self) -> bool:
        """Whether the chosen record is set aside and may be tried again by who looks."""
        row = self.chosen_row
        return row is not None and row.state == SET_ASIDE and may(self.role, Permission.DIAGNOSE)


# Events.


@dataclass(frozen=True, slots=True)
class Opened:
    """The screen is in front."""


@dataclass(frozen=True, slots=True)
class SentRead:
    """What left was read, newest first."""

    rows: tuple[SentRow, ...]


@dataclass(frozen=True, slots=True)
class StandingRead:
    """Which role counts today, and why."""

    grant: Grant


@dataclass(frozen=True, slots=True)
class Chosen:
    """A record was chosen; -1 for none."""

    index: int


@dataclass(frozen=True, slots=True)
class RetryAsked:
    """The chosen record, set aside, should be tried again."""


@dataclass(frozen=True, slots=True)
class Retried:
    """It waits again."""


@dataclass(frozen=True, slots=True)
class VerifyAsked:
    """The audit should be verified."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Every entry holds."""

    entries: int


@dataclass(frozen=True, slots=True)
class ExportAsked:
    """The audit should be written to a file."""

    path: str


@dataclass(frozen=True, slots=True)
class Exported:
    """The file is written."""

    path: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Something asked for did not work."""

    refusal: Refusal


# Effects.


@dataclass(frozen=True, slots=True)
class ReadSent:
    """Read what left."""


@dataclass(frozen=True, slots=True)
class ReadStanding:
    """Read which role counts today."""


@dataclass(frozen=True, slots=True)
class RetryRecord:
    """Let a record that was set aside wait again."""

    id: str


@dataclass(frozen=True, slots=True)
class VerifyAudit:
    """Verify the chain."""


@dataclass(frozen=True, slots=True)
class ExportAudit:
    """Write the sealed log to a file."""

    path: str


step: Reducer[TransparencyState] = Reducer()


@step.on(Opened)
def _opened(state: TransparencyState, _: Opened) -> Step[TransparencyState]:
    effects = (ReadStanding(), ReadSent()) if state.sees_sent else (ReadStanding(),)
    return state, effects


@step.on(SentRead)
def _sent_read(state: TransparencyState, event: SentRead) -> Step[TransparencyState]:
    chosen = min(max(state.chosen, 0), len(event.rows) - 1)
    return replace(state, rows=event.rows, chosen=chosen), ()


@step.on(StandingRead)
def _standing_read(state: TransparencyState, event: StandingRead) -> Step[TransparencyState]:
    return replace(state, grant=event.grant), ()


@step.on(Chosen)
def _chosen(state: TransparencyState, event: Chosen) -> Step[TransparencyState]:
    return replace(state, chosen=event.index), ()


@step.on(RetryAsked)
def _retry_asked(state: TransparencyState, _: RetryAsked) -> Step[TransparencyState]:
    row = state.chosen_row
    if row is None or not state.can_retry or state.busy:
        return state, ()
    return replace(state, busy=True, refusal=None), (RetryRecord(row.id),)


@step.on(Retried)
def _retried(state: TransparencyState, _: Retried) -> Step[TransparencyState]:
    return replace(state, busy=False), (ReadSent(),)


@step.on(VerifyAsked)
def _verify_asked(state: TransparencyState, _: VerifyAsked) -> Step[TransparencyState]:
    if not state.audits or state.busy:
        return state, ()
    return replace(state, busy=True, verified=None, exported="", refusal=None), (VerifyAudit(),)


@step.on(Verified)
def _verified(state: TransparencyState, event: Verified) -> Step[TransparencyState]:
    return replace(state, busy=False, verified=event.entries), ()


@step.on(ExportAsked)
def _export_asked(state: TransparencyState, event: ExportAsked) -> Step[TransparencyState]:
    if not state.audits or state.busy or not event.path:
        return state, ()
    waiting = replace(state, busy=True, verified=None, exported="", refusal=None)
    return waiting, (ExportAudit(event.path),)


@step.on(Exported)
def _exported(state: TransparencyState, event: Exported) -> Step[TransparencyState]:
    return replace(state, busy=False, exported=event.path), ()


@step.on(Failed)
def _failed(state: TransparencyState, event: Failed) -> Step[TransparencyState]:
    return replace(state, busy=False, refusal=event.refusal), ()
