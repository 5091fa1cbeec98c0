"""What the status bar says about sync, model and clock, as values; words come later."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from desktop.presenters.reducer import Reducer, Refusal, Step


class SyncStanding(Protocol):
    """What the sync service reports."""

    @property
    def pending(self) -> int:
        """Records that wait on this device."""

    @property
    def quarantined(self) -> int:
        """Records the cloud refused."""

    @property
    def last_contact_at(self) -> datetime | None:
        """Last answer of the cloud, UTC."""

    @property
    def phase(self) -> StrEnum:
        """not_linked, idle, pushing, waiting, offline, refused or held."""

    @property
    def code(self) -> str:
        """Why it waits or is refused, when it is."""

    @property
    def audit_alarm(self) -> str:
        """fork, restored_backup or server_key once the cloud knew better; empty otherwise."""


class ModelStanding(Protocol):
    """What the model service reports."""

    @property
    def version(self) -> str:
        """Version of the active bundle."""

    @property
    def built_at(self) -> datetime:
        """When it was built, UTC."""

    @property
    def old_after_days(self) -> int:
        """From how many days on its age asks for attention."""

    @property
    def blocked(self) -> tuple[str, ...]:
        """Its models that must not answer: `common`, `rare`."""

    @property
    def reverted(self) -> bool:
        """Whether a newer one failed here and was left."""


class Tone(StrEnum):
    """Colour only where it means something."""

    CALM = "calm"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessState:
    """None until the service answered. percent: of the bundle being downloaded, None when none is.

    clock_behind_s: how far this machine's clock is behind, as the last update found.
    link_refusal: why the clinic did not join a server, until the next try.
    application: a newer version of the application whose installer lies ready, empty for none.
    """

    sync: SyncStanding | None = None
    model: ModelStanding | None = None
    syncing: bool = False
    refusal: Refusal | None = None
    update: str = ""
    percent: int | None = None
    clock_behind_s: int = 0
    link_refusal: Refusal | None = None
    application: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time to look again (every few seconds, and after each record)."""


@dataclass(frozen=True, slots=True)
class SyncAsked:
    """The clinician wants to synchronise now."""


@dataclass(frozen=True, slots=True)
class LinkAsked:
    """The clinic joins this server with this one-time code."""

    server: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkFailed:
    """The clinic did not join; it goes on alone."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class SyncDue:
    """Time to push what waits, without anybody asking. again: only where the link was gone."""

    again: bool = False


@dataclass(frozen=True, slots=True)
class SyncRead:
    """The answer of the sync service."""

    sync: SyncStanding


@dataclass(frozen=True, slots=True)
class SyncDone:
    """A synchronisation ended; its outcome is in the standing."""

    sync: SyncStanding


@dataclass(frozen=True, slots=True)
class SyncStopped:
    """A synchronisation was ended on request: what arrived, arrived, and the rest waits."""


@dataclass(frozen=True, slots=True)
class UpdateDone:
    """Looking for a newer model ended: `result` and clock of the update outcome."""

    result: str
    clock_behind_s: int = 0


@dataclass(frozen=True, slots=True)
class Downloading:
    """Part of a newer bundle has arrived: bytes so far, and in all."""

    received: int
    total: int


@dataclass(frozen=True, slots=True)
class ModelRead:
    """The answer of the model service, and the newer application that lies ready."""

    model: ModelStanding
    application: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A service did not answer."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class ReadSync:
    """Effect: ask the sync service."""


@dataclass(frozen=True, slots=True)
class ReadModel:
    """Effect: ask the model service."""


@dataclass(frozen=True, slots=True)
class RunSync:
    """Effect: push what waits. asked: somebody asked for it, and waits."""

    asked: bool = False


@dataclass(frozen=True, slots=True)
class LinkClinic:
    """Effect: join the server."""

    server: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UpdateModel:
    """Effect: look for a newer bundle."""


@dataclass(frozen=True, slots=True)
class ModelAge:
    """Whole days since the active bundle was built, and whether that is long."""

    days: int
    tone: Tone


step: Reducer[FreshnessState] = Reducer()


@step.on(Tick)
def tick(state: FreshnessState, _event: Tick) -> Step[FreshnessState]:
    """Read both standings."""
    return state, (ReadSync(), ReadModel())


@step.on(SyncAsked)
def sync_asked(state: FreshnessState, _event: SyncAsked) -> Step[FreshnessState]:
    """Push first, then look for a newer model; a second press while it runs does nothing."""
    if state.syncing:
        return state, ()
    return replace(state, syncing=True, refusal=None, update=""), (
        RunSync(asked=True),
        UpdateModel(),
    )


@step.on(LinkAsked)
def link_asked(state: FreshnessState, event: LinkAsked) -> Step[FreshnessState]:
    """Join; the standing tells how it went."""
    joining = replace(state, syncing=True, link_refusal=None)
    return joining, (LinkClinic(event.server, event.code),)


@step.on(LinkFailed)
def link_failed(state: FreshnessState, event: LinkFailed) -> Step[FreshnessState]:
    """Say why; local work goes on."""
    return replace(state, syncing=False, link_refusal=event.refusal), ()


@step.on(SyncDue)
def sync_due(state: FreshnessState, event: SyncDue) -> Step[FreshnessState]:
    """Push when something waits and a server is linked; the model is looked for when asked."""
    waits = state.sync is not None and state.sync.pending and state.sync.phase != "not_linked"
    offline = state.sync is not None and state.sync.phase == "offline"
    if state.syncing or not waits or (event.again and not offline):
        return state, ()
    return replace(state, syncing=True), (RunSync(),)


@step.on(SyncRead)
def sync_read(state: FreshnessState, event: SyncRead) -> Step[FreshnessState]:
    """Show the standing."""
    return replace(state, sync=event.sync, refusal=None), ()


@step.on(SyncDone)
def sync_done(state: FreshnessState, event: SyncDone) -> Step[FreshnessState]:
    """Show the standing after the push."""
    return replace(state, sync=event.sync, syncing=False), ()


@step.on(SyncStopped)
def sync_stopped(state: FreshnessState, _event: SyncStopped) -> Step[FreshnessState]:
    """Read what waits now."""
    return replace(state, syncing=False), (ReadSync(),)


@step.on(UpdateDone)
def update_done(state: FreshnessState, event: UpdateDone) -> Step[FreshnessState]:
    """Show what came of looking for a newer model, and read which one is active."""
    told = replace(state, update=event.result, percent=None, clock_behind_s=event.clock_behind_s)
    return told, (ReadModel(),)


@step.on(Downloading)
def downloading(state: FreshnessState, event: Downloading) -> Step[FreshnessState]:
    """Show how far the download is; a bundle of unknown size shows nothing."""
    if event.total <= 0:
        return state, ()
    return replace(state, percent=min(100, 100 * event.received // event.total)), ()


@step.on(ModelRead)
def model_read(state: FreshnessState, event: ModelRead) -> Step[FreshnessState]:
    """Show the active model, and whether a newer application waits to be installed."""
    return replace(state, model=event.model, application=event.application), ()


@step.on(Failed)
def failed(state: FreshnessState, event: Failed) -> Step[FreshnessState]:
    """Say that the standing is not known."""
    return replace(state, syncing=False, refusal=event.refusal, percent=None), ()


def model_age(model: ModelStanding, now: datetime) -> ModelAge:
    """Return the age of the active bundle; a clock that runs behind gives 0 days."""
    days = max(timedelta(0), now - model.built_at).days
    return ModelAge(days, Tone.ATTENTION if days > model.old_after_days else Tone.CALM)
