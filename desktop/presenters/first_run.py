"""First start: name the clinic and its first clinician, choose a passphrase, note the key.

Last, and only if wanted: which cloud the clinic joins at its first sign-in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from desktop.presenters.reducer import Reducer, Refusal, Step

PASSPHRASE_MIN_LENGTH = 8  # NIST SP 800-63B, 5.1.1.2


class Stage(StrEnum):
    """Where the first run stands."""

    FORM = "form"
    CREATING = "creating"
    RECOVERY_KEY = "recovery_key"
    CLOUD = "cloud"


class Field(StrEnum):
    """The fields of the form, in the order they are shown."""

    CLINIC_NAME = "clinic_name"
    DISPLAY_NAME = "display_name"
    PASSPHRASE = "passphrase"  # noqa: S105 -- the name of a field, not a secret
    REPEATED = "repeated"
    SERVER = "server"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRunState:
    """issues: field -> code of what is wrong with it, shown together after a submit.

    backups: whether a backup could be restored instead.
    """

    stage: Stage = Stage.FORM
    issues: dict[Field, str] = field(default_factory=dict)
    refusal: Refusal | None = None
    recovery_key: str = ""
    key_noted: bool = False
    backups: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The form as filled in; the passphrase passes through and is never kept in the state."""

    clinic_name: str
    display_name: str
    passphrase: str = field(repr=False)
    repeated: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Created:
    """The clinic exists; the key is shown once."""

    recovery_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CreationFailed:
    """The clinic could not be created."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class BackupsRead:
    """Whether this device holds backups."""

    any: bool


@dataclass(frozen=True, slots=True)
class KeyNoted:
    """The clinician says the recovery key is written down (or takes it back)."""

    noted: bool


@dataclass(frozen=True, slots=True)
class Continued:
    """On to the cloud."""


@dataclass(frozen=True, slots=True)
class LinkChosen:
    """Join this server with this one-time code at the first sign-in."""

    server: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkSkipped:
    """No cloud for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateClinic:
    """Effect: create the store, the keys and the first clinician."""

    clinic_name: str
    display_name: str
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenSignIn:
    """Effect: show the sign-in screen. server, code: join it once signed in; empty for none."""

    server: str = ""
    code: str = field(default="", repr=False)


step: Reducer[FirstRunState] = Reducer()


def _problems(form: Submitted) -> Iterator[tuple[Field, str]]:
    if not form.clinic_name.strip():
        yield Field.CLINIC_NAME, "required"
    if not form.display_name.strip():
        yield Field.DISPLAY_NAME, "required"
    if len(form.passphrase) < PASSPHRASE_MIN_LENGTH:
        yield Field.PASSPHRASE, "too_short"
    if form.passphrase != form.repeated:
        yield Field.REPEATED, "differs"


@step.on(Submitted)
def submitted(state: FirstRunState, event: Submitted) -> Step[FirstRunState]:
    """Ask for the clinic, or show everything that is wrong at once."""
    if state.stage is not Stage.FORM:
        return state, ()
    issues = dict(_problems(event))
    if issues:
        return replace(state, issues=issues, refusal=None), ()
    return replace(state, stage=Stage.CREATING, issues={}, refusal=None), (
        CreateClinic(
            clinic_name=event.clinic_name.strip(),
            display_name=event.display_name.strip(),
            passphrase=event.passphrase,
        ),
    )


@step.on(Created)
def created(state: FirstRunState, event: Created) -> Step[FirstRunState]:
    """Show the recovery key."""
    return replace(state, stage=Stage.RECOVERY_KEY, recovery_key=event.recovery_key), ()


@step.on(CreationFailed)
def creation_failed(state: FirstRunState, event: CreationFailed) -> Step[FirstRunState]:
    """Return to the filled-in form with the reason."""
    return replace(state, stage=Stage.FORM, refusal=event.refusal), ()


@step.on(BackupsRead)
def backups_read(state: FirstRunState, event: BackupsRead) -> Step[FirstRunState]:
    """Offer to restore a backup when there is one."""
    return replace(state, backups=event.any), ()


@step.on(KeyNoted)
def key_noted(state: FirstRunState, event: KeyNoted) -> Step[FirstRunState]:
    """Remember whether the key was written down."""
    return replace(state, key_noted=event.noted), ()


@step.on(Continued)
def continued(state: FirstRunState, _event: Continued) -> Step[FirstRunState]:
    """Go on only when the key was noted; then forget it."""
    if not (state.stage is Stage.RECOVERY_KEY and state.key_noted):
        return state, ()
    return FirstRunState(stage=Stage.CLOUD), ()


@step.on(LinkChosen)
def link_chosen(state: FirstRunState, event: LinkChosen) -> Step[FirstRunState]:
    """Leave with what was typed, or say what is missing."""
    if state.stage is not Stage.CLOUD:
        return state, ()
    typed = {Field.SERVER: event.server.strip(), Field.CODE: event.code.strip()}
    issues = {name: "required" for name, text in typed.items() if not text}
    if issues:
        return replace(state, issues=issues), ()
    return FirstRunState(), (OpenSignIn(typed[Field.SERVER], typed[Field.CODE]),)


@step.on(LinkSkipped)
def link_skipped(state: FirstRunState, _event: LinkSkipped) -> Step[FirstRunState]:
    """Leave without a cloud."""
    return (FirstRunState(), (OpenSignIn(),)) if state.stage is Stage.CLOUD else (state, ())
