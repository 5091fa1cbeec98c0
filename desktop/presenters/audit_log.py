"""The audit chain on screen: every entry, newest first, narrowed by what was done or to whom."""

from dataclasses import dataclass, replace

from ddx.domain.audit import AuditAction, AuditEntry
from desktop.presenters.reducer import Reducer, Refusal, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLogState:
    """entries: newest first. action, text: what the list is narrowed to. chosen: a sequence."""

    entries: tuple[AuditEntry, ...] = ()
    loading: bool = True
    action: AuditAction | None = None
    text: str = ""
    chosen: int | None = None
    refusal: Refusal | None = None

    @property
    def shown(self) -> tuple[AuditEntry, ...]:
        """The entries of the action whose subject, actor or detail holds the text."""
        wanted = self.text.strip().casefold()
        return tuple(
            entry
            for entry in self.entries
            if self.action in (None, entry.action) and wanted in _words(entry)
        )

    @property
    def entry(self) -> AuditEntry | None:
        """The chosen entry, while it is shown."""
        return next((e for e in self.shown if e.sequence == self.chosen), None)


def _words(entry: AuditEntry) -> str:
    detail = " ".join(f"{name} {value}" for name, value in entry.detail.items())
    return f"{entry.sequence} {entry.actor} {entry.subject} {detail}".casefold()


@dataclass(frozen=True, slots=True)
class Entered:
    """The screen came up."""


@dataclass(frozen=True, slots=True)
class EntriesRead:
    """The chain of this device, in order."""

    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Another action (None: all), or another text."""

    action: AuditAction | None
    text: str


@dataclass(frozen=True, slots=True)
class EntryChosen:
    """An entry was selected."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The chain could not be read."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class ReadEntries:
    """Effect: read the chain."""


step: Reducer[AuditLogState] = Reducer()


@step.on(Entered)
def entered(state: AuditLogState, _event: Entered) -> Step[AuditLogState]:
    """Read the chain."""
    return replace(state, loading=True, refusal=None), (ReadEntries(),)


@step.on(EntriesRead)
def entries_read(state: AuditLogState, event: EntriesRead) -> Step[AuditLogState]:
    """Show it, newest first."""
    entries = tuple(reversed(event.entries))
    first = entries[0].sequence if entries else None
    return replace(state, entries=entries, loading=False, chosen=first), ()


@step.on(Narrowed)
def narrowed(state: AuditLogState, event: Narrowed) -> Step[AuditLogState]:
    """Show fewer, or more."""
    return replace(state, action=event.action, text=event.text), ()


@step.on(EntryChosen)
def entry_chosen(state: AuditLogState, event: EntryChosen) -> Step[AuditLogState]:
    """Show all of one entry."""
    return replace(state, chosen=event.sequence), ()


@step.on(Failed)
def failed(state: AuditLogState, event: Failed) -> Step[AuditLogState]:
    """Say what to do."""
    return replace(state, loading=False, refusal=event.refusal), ()
