"""The cloud account of who is signed in: linked or not, its role, one sign-in at a time."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from ddx.domain.lease import Grant, LeaseStanding, after_lapse
from ddx.domain.roles import Role
from desktop.presenters.reducer import Reducer, Refusal, Step

REFUSED = "cloud.sign_in_refused"


class Code(Protocol):
    """What the person types on another screen, and where."""

    @property
    def user_code(self) -> str:
        """The code."""

    @property
    def verification_uri(self) -> str:
        """The address where it is typed."""

    @property
    def expires_in_s(self) -> int:
        """Seconds the code is good for."""


class Phase(StrEnum):
    """What goes on. CODE and BROWSER wait for the person, minutes at most."""

    IDLE = "idle"
    ASKING = "asking"
    CODE = "code"
    BROWSER = "browser"
    RENEWING = "renewing"


class Done(StrEnum):
    """What was just done; becomes words on the screen."""

    NOTHING = ""
    LINKED = "linked"
    RENEWED = "renewed"
    NOT_LENT = "not_lent"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudState:
    """The screen. role: the session's; missing: settings nobody filled in, by policy key.

    linked, grant: None until read. stopping: cancelled, and the wait has not ended yet.
    """

    role: Role
    missing: tuple[str, ...] = ()
    linked: bool | None = None
    grant: Grant | None = None
    phase: Phase = Phase.IDLE
    code: Code | None = None
    stopping: bool = False
    done: Done = Done.NOTHING
    refusal: Refusal | None = None

    @property
    def may_sign_in(self) -> bool:
        """Whether a sign-in can begin now."""
        return not self.missing and self.phase is Phase.IDLE

    @property
    def may_renew(self) -> bool:
        """Whether a fresh lease can be asked for with the sign-in kept here."""
        return self.may_sign_in and self.linked is True

    @property
    def may_cancel(self) -> bool:
        """Whether there is a wait to give up."""
        return self.phase in (Phase.ASKING, Phase.CODE, Phase.BROWSER)

    @property
    def role_next_time(self) -> Role | None:
        """The role a valid lease gives the next session, None when this one has it."""
        if self.grant is None or self.grant.standing in (LeaseStanding.NONE, LeaseStanding.LAPSED):
            return None
        if self.grant.role is self.role:
            return None
        return self.grant.role

    @property
    def role_after(self) -> Role | None:
        """The role once the lease lapses, None without a lease or when nothing changes."""
        if self.grant is None or self.grant.ends_at is None:
            return None
        after = after_lapse(self.grant.role)
        return None if after is self.grant.role else after


# Events.


@dataclass(frozen=True, slots=True)
class Opened:
    """The screen is in front."""


@dataclass(frozen=True, slots=True)
class AccountRead:
    """Whether the person is linked, and which role counts today."""

    linked: bool
    grant: Grant


@dataclass(frozen=True, slots=True)
class CodeAsked:
    """The person wants to sign in on another screen."""


@dataclass(frozen=True, slots=True)
class CodeGiven:
    """The issuer gave a code."""

    code: Code


@dataclass(frozen=True, slots=True)
class BrowserAsked:
    """The person wants to sign in with the browser of this computer."""


@dataclass(frozen=True, slots=True)
class BrowserMissing:
    """No browser opened."""


@dataclass(frozen=True, slots=True)
class RenewAsked:
    """The role should be lent afresh."""


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """The person gives up."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Signed in or renewed; the role that counts now."""

    grant: Grant


@dataclass(frozen=True, slots=True)
class Failed:
    """Something asked for did not work; the local role stands."""

    refusal: Refusal


# Effects.


@dataclass(frozen=True, slots=True)
class ReadAccount:
    """Read whether linked, and the role that counts."""


@dataclass(frozen=True, slots=True)
class AskForCode:
    """Ask the issuer for a code."""


@dataclass(frozen=True, slots=True)
class WaitForCode:
    """Wait until the person typed the code."""

    code: Code


@dataclass(frozen=True, slots=True)
class SignInInBrowser:
    """Open the browser and wait until it comes back."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Ask for a fresh lease."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Give up waiting."""


step: Reducer[CloudState] = Reducer()


@step.on(Opened)
def opened(state: CloudState, _: Opened) -> Step[CloudState]:
    """Read what is shown."""
    return state, (ReadAccount(),)


@step.on(AccountRead)
def account_read(state: CloudState, event: AccountRead) -> Step[CloudState]:
    """Show where the account stands."""
    return replace(state, linked=event.linked, grant=event.grant), ()


@step.on(CodeAsked)
def code_asked(state: CloudState, _: CodeAsked) -> Step[CloudState]:
    """Ask for one code at a time."""
    return _begun(state, Phase.ASKING, AskForCode()) if state.may_sign_in else (state, ())


@step.on(CodeGiven)
def code_given(state: CloudState, event: CodeGiven) -> Step[CloudState]:
    """Show the code and wait; not when the person gave up meanwhile."""
    if state.stopping:
        return _ended(state, done=Done.CANCELLED), ()
    return replace(state, phase=Phase.CODE, code=event.code), (WaitForCode(event.code),)


@step.on(BrowserAsked)
def browser_asked(state: CloudState, _: BrowserAsked) -> Step[CloudState]:
    """Open one browser at a time."""
    return _begun(state, Phase.BROWSER, SignInInBrowser()) if state.may_sign_in else (state, ())


@step.on(BrowserMissing)
def browser_missing(state: CloudState, _: BrowserMissing) -> Step[CloudState]:
    """Say so, and wait no longer."""
    if state.phase is not Phase.BROWSER:
        return state, ()
    return replace(state, stopping=True, refusal=Refusal(REFUSED, "no_browser")), (Stop(),)


@step.on(RenewAsked)
def renew_asked(state: CloudState, _: RenewAsked) -> Step[CloudState]:
    """Renew once at a time."""
    return _begun(state, Phase.RENEWING, Renew()) if state.may_renew else (state, ())


@step.on(CancelAsked)
def cancel_asked(state: CloudState, _: CancelAsked) -> Step[CloudState]:
    """Give up; asking twice is harmless."""
    return (replace(state, stopping=True), (Stop(),)) if state.may_cancel else (state, ())


@step.on(Finished)
def finished(state: CloudState, event: Finished) -> Step[CloudState]:
    """Say what came of it. A renewal that moved no date lent nothing."""
    done = Done.LINKED
    if state.phase is Phase.RENEWING:
        before = None if state.grant is None else state.grant.ends_at
        done = Done.NOT_LENT if event.grant.ends_at == before else Done.RENEWED
    return replace(_ended(state, done=done), linked=True, grant=event.grant), ()


@step.on(Failed)
def failed(state: CloudState, event: Failed) -> Step[CloudState]:
    """Say why. What was linked before a later step failed stays linked: read again.

    A wait that ended because the person gave up is no failure.
    """
    if state.stopping and event.refusal.code == REFUSED:
        if state.refusal is not None:
            return _ended(state, refusal=state.refusal), ()
        return _ended(state, done=Done.CANCELLED), ()
    again = () if state.phase is Phase.IDLE else (ReadAccount(),)
    return _ended(state, refusal=event.refusal), again


def _begun(state: CloudState, phase: Phase, effect: object) -> Step[CloudState]:
    begun = replace(state, phase=phase, code=None, stopping=False, done=Done.NOTHING, refusal=None)
    return begun, (effect,)


def _ended(
    state: CloudState, *, done: Done = Done.NOTHING, refusal: Refusal | None = None
) -> CloudState:
    return replace(state, phase=Phase.IDLE, code=None, stopping=False, done=done, refusal=refusal)
