"""Managing the centre: who may sign in, backups, the check of the data, a new key for them."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Role
from desktop.presenters.reducer import Reducer, Refusal, Step

PASSPHRASE_MIN_LENGTH = 8  # NIST SP 800-63B, 5.1.1.2


class Member(Protocol):
    """What a line of the list of clinicians shows."""

    @property
    def id(self) -> RecordId:
        """Identifier."""

    @property
    def display_name(self) -> str:
        """Name as shown on screen."""

    @property
    def role(self) -> Role:
        """What the person may do."""

    @property
    def has_key(self) -> bool:
        """Whether the person has a passphrase that opens the data."""

    @property
    def is_self(self) -> bool:
        """Whether it is who is signed in."""


class Form(StrEnum):
    """What the form asks for."""

    NONE = "none"
    ADD = "add"
    RESET = "reset"
    REMOVE = "remove"
    NEW_KEY = "new_key"


class Done(StrEnum):
    """What was just done; becomes words on the screen."""

    NOTHING = ""
    ADDED = "added"
    RESET = "reset"
    REMOVED = "removed"
    BACKED_UP = "backed_up"
    CHECKED = "checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageState:
    """chosen: who the form is about. recovery_key: the new one, shown until it is noted."""

    members: tuple[Member, ...] = ()
    last_backup_at: datetime | None = None
    form: Form = Form.NONE
    chosen: RecordId | None = None
    busy: bool = False
    done: Done = Done.NOTHING
    refusal: Refusal | None = None
    recovery_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Entered:
    """The screen came up."""


@dataclass(frozen=True, slots=True)
class MembersRead:
    """Who may sign in."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class BackupsRead:
    """When the newest backup was made, None while there is none."""

    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class FormAsked:
    """Open a form about a person (or nobody), or close it with Form.NONE."""

    form: Form
    clinician: RecordId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSubmitted:
    """The form as filled in; secrets pass through and are never kept in the state."""

    own: str = field(repr=False)
    display_name: str = ""
    role: Role = Role.MEDICO_GENERAL
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class BackupAsked:
    """Make a backup now."""


@dataclass(frozen=True, slots=True)
class CheckAsked:
    """Read every page of the data now."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What was asked for is done."""

    done: Done


@dataclass(frozen=True, slots=True)
class KeyChanged:
    """The data are under a new key; the session is over."""

    recovery_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyNoted:
    """The new recovery key is on paper."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Something did not work; nothing was changed."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Read:
    """Effect: read the clinicians and the backups."""


@dataclass(frozen=True, slots=True)
class Act:
    """Effect: do what the form says."""

    form: Form
    clinician: RecordId | None
    submitted: FormSubmitted


@dataclass(frozen=True, slots=True)
class BackUp:
    """Effect: write a backup."""


@dataclass(frozen=True, slots=True)
class Check:
    """Effect: read every page."""


@dataclass(frozen=True, slots=True)
class OpenSignIn:
    """Effect: show the sign-in screen."""


step: Reducer[ManageState] = Reducer()


@step.on(Entered)
def entered(state: ManageState, _event: Entered) -> Step[ManageState]:
    """Read what is shown."""
    return state, (Read(),)


@step.on(MembersRead)
def members_read(state: ManageState, event: MembersRead) -> Step[ManageState]:
    """Show who may sign in."""
    return replace(state, members=event.members), ()


@step.on(BackupsRead)
def backups_read(state: ManageState, event: BackupsRead) -> Step[ManageState]:
    """Show when the newest backup was made."""
    return replace(state, last_backup_at=event.last_at), ()


@step.on(FormAsked)
def form_asked(state: ManageState, event: FormAsked) -> Step[ManageState]:
    """Open a form; not while something is being done."""
    if state.busy:
        return state, ()
    form = replace(state, form=event.form, chosen=event.clinician)
    return replace(form, refusal=None, done=Done.NOTHING), ()


@step.on(FormSubmitted)
def form_submitted(state: ManageState, event: FormSubmitted) -> Step[ManageState]:
    """Do it, or say what is missing."""
    if state.busy or state.form is Form.NONE:
        return state, ()
    code = _problem(state.form, event)
    if code:
        return replace(state, refusal=Refusal(code)), ()
    return _busy(state), (Act(state.form, state.chosen, event),)


def _problem(form: Form, event: FormSubmitted) -> str:
    if form is Form.ADD and not event.display_name.strip():
        return "staff.name_missing"
    if form in (Form.ADD, Form.RESET) and len(event.passphrase) < PASSPHRASE_MIN_LENGTH:
        return "passphrase.too_short"
    return "" if event.own else "staff.own_missing"


@step.on(BackupAsked)
def backup_asked(state: ManageState, _event: BackupAsked) -> Step[ManageState]:
    """Make one backup at a time."""
    return (state, ()) if state.busy else (_busy(state), (BackUp(),))


@step.on(CheckAsked)
def check_asked(state: ManageState, _event: CheckAsked) -> Step[ManageState]:
    """Check once at a time."""
    return (state, ()) if state.busy else (_busy(state), (Check(),))


@step.on(Finished)
def finished(state: ManageState, event: Finished) -> Step[ManageState]:
    """Say what was done and read the lists again."""
    return replace(state, busy=False, form=Form.NONE, chosen=None, done=event.done), (Read(),)


@step.on(KeyChanged)
def key_changed(state: ManageState, event: KeyChanged) -> Step[ManageState]:
    """Show the new recovery key, and nothing else: the session is over."""
    return replace(state, busy=False, form=Form.NONE, recovery_key=event.recovery_key), ()


@step.on(KeyNoted)
def key_noted(_state: ManageState, _event: KeyNoted) -> Step[ManageState]:
    """Forget the key and go to the sign-in."""
    return ManageState(), (OpenSignIn(),)


@step.on(Failed)
def failed(state: ManageState, event: Failed) -> Step[ManageState]:
    """Say why; the form stays as filled in."""
    return replace(state, busy=False, refusal=event.refusal), ()


def _busy(state: ManageState) -> ManageState:
    return replace(state, busy=True, refusal=None, done=Done.NOTHING)
