"""Sign-in: choose who you are, type the passphrase; a refusal keeps who you are."""

from dataclasses import dataclass, field, replace
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


DAMAGED = "store.corrupt"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInState:
    """set_aside_at: folder the damaged store was moved to, empty while there is none.

    retry_after_s: seconds to wait before another try is accepted, 0 when free to try.
    """

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
        return self.chosen is not None and not self.opening and self.retry_after_s == 0


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
