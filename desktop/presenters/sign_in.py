"""Sign-in: choose who you are, type the passphrase; a refusal keeps who you are.

From here too: a new passphrase with the recovery key, and a backup put in place of the data.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Role
from desktop.presenters.reducer import Reducer, Refusal, Step


class Clinician(Protocol):
    """What a sign-in card shows."""

    @property
    def id(self) -> RecordId:
        """Identifier of the clinician."""

    @property
    def display_name(self) -> str:
        """Name as shown on screen."""

    @property
    def role(self) -> Role:
        """What the clinician may do."""


class Backup(Protocol):
    """What a line of the list of backups shows."""

    @property
    def folder(self) -> Path:
        """Where it is."""

    @property
    def clinic(self) -> str:
        """Name of the clinic it is of, empty when nobody wrote it down."""

    @property
    def made_at(self) -> datetime:
        """When it was made, UTC."""


class Mode(StrEnum):
    """What the card asks for."""

    PASSPHRASE = "passphrase"  # noqa: S105 -- the name of a mode, not a secret
    RECOVERY = "recovery"
    RESTORE = "restore"


DAMAGED = "store.corrupt"
PASSPHRASE_MIN_LENGTH = 8  # NIST SP 800-63B, 5.1.1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInState:
    """set_aside_at: folder the damaged store was moved to, empty while there is none.

    retry_after_s: seconds to wait before another try is accepted, 0 when free to try.
    restored_from: when the backup just put in place was made.
    """

    mode: Mode = Mode.PASSPHRASE
    backups: tuple[Backup, ...] = ()
    restored_from: datetime | None = None

    clinicians: tuple[Clinician, ...] = ()
    chosen: RecordId | None = None
    opening: bool = False
    refusal: Refusal | None = None
    retry_after_s: int = 0
    set_aside_at: str = ""

    @property
    def damaged(self) -> bool:
        """Whether the store itself is the trouble, and can be set aside."""
        return self.refusal is not None and self.refusal.code == DAMAGED

    @property
    def may_try(self) -> bool:
        """Whether the button does something."""
        if self.opening or self.retry_after_s:
            return False
        return bool(self.backups) if self.mode is Mode.RESTORE else self.chosen is not None


@dataclass(frozen=True, slots=True)
class BackupsRead:
    """The backups of this device, newest first."""

    backups: tuple[Backup, ...]


@dataclass(frozen=True, slots=True)
class ModeChosen:
    """The clinician wants to do something else than type the passphrase, or comes back."""

    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverySubmitted:
    """The recovery key and a new passphrase; they pass through and are never kept."""

    recovery_key: str = field(repr=False)
    passphrase: str = field(repr=False)
    repeated: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RestoreSubmitted:
    """Put this backup in place of the data."""

    backup: Path
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RestoreDone:
    """The backup of that moment is in place; the data of before are at `aside`, if any."""

    made_at: datetime
    aside: str


@dataclass(frozen=True, slots=True)
class CliniciansRead:
    """The clinicians of this device, readable before unlocking."""

    clinicians: tuple[Clinician, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The clinician picked a name."""

    clinician: RecordId


@dataclass(frozen=True, slots=True)
class Submitted:
    """The passphrase was entered; it passes through and is never kept in the state."""

    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The sign-in did not succeed."""

    refusal: Refusal
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class SecondPassed:
    """One second of waiting is over."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The store is open."""


@dataclass(frozen=True, slots=True)
class SetAsideAsked:
    """Move the damaged store out of the way, whole."""


@dataclass(frozen=True, slots=True)
class SetAsideDone:
    """The damaged store is at `folder`."""

    folder: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """Effect: move the damaged store out of the way."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Effect: open the store with this passphrase."""

    clinician: RecordId
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """Effect: give the clinician a new passphrase with the recovery key, and open the store."""

    clinician: RecordId
    recovery_key: str = field(repr=False)
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Restore:
    """Effect: put this backup in place of the data."""

    backup: Path
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """Effect: read who may sign in and which backups there are."""


@dataclass(frozen=True, slots=True)
class WaitOneSecond:
    """Effect: send SecondPassed one second from now."""


@dataclass(frozen=True, slots=True)
class OpenPatients:
    """Effect: show the patient list."""


step: Reducer[SignInState] = Reducer()


@step.on(CliniciansRead)
def clinicians_read(state: SignInState, event: CliniciansRead) -> Step[SignInState]:
    """Show who may sign in; the only one, or the one chosen before, is already picked."""
    known = {c.id for c in event.clinicians}
    first = event.clinicians[0].id if event.clinicians else None
    chosen = state.chosen if state.chosen in known else first
    return replace(state, clinicians=event.clinicians, chosen=chosen), ()


@step.on(BackupsRead)
def backups_read(state: SignInState, event: BackupsRead) -> Step[SignInState]:
    """Offer the backups there are."""
    return replace(state, backups=event.backups), ()


@step.on(ModeChosen)
def mode_chosen(state: SignInState, event: ModeChosen) -> Step[SignInState]:
    """Ask for something else; that the data are damaged stays said."""
    if state.opening:
        return state, ()
    refusal = state.refusal if state.damaged else None
    return replace(state, mode=event.mode, refusal=refusal), ()


@step.on(RecoverySubmitted)
def recovery_submitted(state: SignInState, event: RecoverySubmitted) -> Step[SignInState]:
    """Try the recovery key, unless something is plainly missing."""
    if not state.may_try or state.chosen is None:
        return state, ()
    code = _recovery_problem(event)
    if code:
        return replace(state, refusal=Refusal(code)), ()
    effect = Recover(
        clinician=state.chosen, recovery_key=event.recovery_key, passphrase=event.passphrase
    )
    return replace(state, opening=True, refusal=None), (effect,)


def _recovery_problem(event: RecoverySubmitted) -> str:
    if not event.recovery_key.strip():
        return "recovery.empty"
    if len(event.passphrase) < PASSPHRASE_MIN_LENGTH:
        return "passphrase.too_short"
    return "passphrase.differs" if event.passphrase != event.repeated else ""


@step.on(RestoreSubmitted)
def restore_submitted(state: SignInState, event: RestoreSubmitted) -> Step[SignInState]:
    """Put the backup in place."""
    if not state.may_try:
        return state, ()
    if not event.secret:
        return replace(state, refusal=Refusal("restore.empty")), ()
    effect = Restore(event.backup, event.secret)
    return replace(state, opening=True, refusal=None), (effect,)


@step.on(RestoreDone)
def restore_done(state: SignInState, event: RestoreDone) -> Step[SignInState]:
    """Say what was done and let people sign in."""
    return replace(
        state,
        mode=Mode.PASSPHRASE,
        opening=False,
        refusal=None,
        restored_from=event.made_at,
        set_aside_at=event.aside,
    ), (ReadAgain(),)


@step.on(Chosen)
def chosen(state: SignInState, event: Chosen) -> Step[SignInState]:
    """Pick another clinician."""
    return replace(state, chosen=event.clinician, refusal=None), ()


@step.on(Submitted)
def submitted(state: SignInState, event: Submitted) -> Step[SignInState]:
    """Try to open the store."""
    if not state.may_try or state.chosen is None:
        return state, ()
    if not event.passphrase:
        return replace(state, refusal=Refusal("sign_in.empty")), ()
    return replace(state, opening=True, refusal=None), (SignIn(state.chosen, event.passphrase),)


@step.on(Refused)
def refused(state: SignInState, event: Refused) -> Step[SignInState]:
    """Say why, keep the chosen clinician, and count down when the store asks to wait."""
    wait = max(0, event.retry_after_s)
    next_state = replace(state, opening=False, refusal=event.refusal, retry_after_s=wait)
    return next_state, (WaitOneSecond(),) if wait else ()


@step.on(SecondPassed)
def second_passed(state: SignInState, _event: SecondPassed) -> Step[SignInState]:
    """Count down to the next try."""
    left = max(0, state.retry_after_s - 1)
    return replace(state, retry_after_s=left), (WaitOneSecond(),) if left else ()


@step.on(SignedIn)
def signed_in(state: SignInState, _event: SignedIn) -> Step[SignInState]:
    """Go on to the patients."""
    return replace(state, opening=False, refusal=None), (OpenPatients(),)


@step.on(SetAsideAsked)
def set_aside_asked(state: SignInState, _event: SetAsideAsked) -> Step[SignInState]:
    """Only what is damaged is ever moved."""
    return state, (SetAside(),) if state.damaged else ()


@step.on(SetAsideDone)
def set_aside_done(state: SignInState, event: SetAsideDone) -> Step[SignInState]:
    """Say where the data are; nobody can sign in to what is no longer here."""
    return replace(state, refusal=None, clinicians=(), chosen=None, set_aside_at=event.folder), ()
