"""The promotion ledger: what was registered, agreed, offered, taken back and run, append-only.

One JSON line an entry, each with the hash of the one before; a line that was changed, dropped or
put in between is found. It answers which model a device had on a day: what the device itself
reported, else what it was offered.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final

from ddx.domain.canonical import canonical_json, digest_of
from ddx.errors import DdxError
from model_bundles.manifest import Release
from model_bundles.rollout import ChannelOffer, Rollout

GENESIS: Final = "0" * 64


class LedgerError(DdxError):
    """The promotion ledger does not hold: somebody changed it, or it cannot be read."""

    code: ClassVar[str] = "training.ledger"


class Event(StrEnum):
    """What happened to a release. New events are appended; a name is never reused."""

    REGISTERED = "registered"
    APPROVED = "approved"
    OFFERED = "offered"
    HELD = "held"
    ROLLED_BACK = "rolled_back"
    PROMOTED = "promoted"
    ARCHIVED = "archived"
    ACTIVATED = "activated"
    DECLINED = "declined"  # a candidate that does not meet the plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line. at: UTC. detail: codes, counts, digests; never a person's data."""

    sequence: int
    at: datetime
    event: Event
    version: str
    digest: str
    detail: Mapping[str, Any]
    previous: str
    hash: str = ""

    @property
    def release(self) -> Release:
        """The release it is about."""
        return Release(self.version, self.digest)

    def body(self) -> dict[str, Any]:
        """Return what the hash is taken of."""
        return {**asdict(self), "at": self.at.isoformat(), "event": self.event.value, "hash": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a device had. reported: by the device itself; else it was the one offered to it.

    entry: number of the line that says so. None in `release`: nothing of this ledger.
    """

    release: Release | None
    reported: bool
    entry: int | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger in one file."""

    path: Path

    def entries(self) -> tuple[Entry, ...]:
        """Return every entry. Raises LedgerError at the first that does not hold."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return ()
        found: list[Entry] = []
        for number, line in enumerate(lines, start=1):
            entry = _read(line, number)
            before = found[-1].hash if found else GENESIS
            if entry.sequence != number or entry.previous != before:
                raise LedgerError(f"entry {number} does not follow the one before it")
            if digest_of(entry.body()) != entry.hash:
                raise LedgerError(f"entry {number} was changed after it was written")
            found.append(entry)
        return tuple(found)

    def append(self, event: Event, release: Release, at: datetime, **detail: Any) -> Entry:
        """Add an entry durably; two writers take turns. Raises LedgerError when it is broken."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            entries = self.entries()
            open_entry = Entry(
                sequence=len(entries) + 1,
                at=at,
                event=event,
                version=release.version,
                digest=release.digest,
                detail=detail,
                previous=entries[-1].hash if entries else GENESIS,
            )
            entry = replace(open_entry, hash=digest_of(open_entry.body()))
            handle.write(canonical_json({**entry.body(), "hash": entry.hash}) + b"\n")
            handle.flush()
            os.fsync(handle.fileno())
        return entry

    def once(self, event: Event, release: Release, at: datetime, **detail: Any) -> Entry:
        """Add an entry unless the very same stands last of this event and release."""
        for entry in reversed(self.entries()):
            if (entry.event, entry.release) == (event, release):
                if dict(entry.detail) == detail:
                    return entry
                break
        return self.append(event, release, at, **detail)


def served(
    entries: Iterable[Entry], device: str, site: str | None, at: datetime, channel: str = "stable"
) -> Served:
    """Return what `device` had at a time. What it reported outweighs what it was offered."""
    offered = Served(release=None, reported=False, entry=None)
    reported: Served | None = None
    for entry in entries:
        if entry.at > at:
            continue
        if entry.event is Event.ACTIVATED and entry.detail.get("device") == device:
            reported = Served(release=entry.release, reported=True, entry=entry.sequence)
        elif _offers(entry, channel):
            found = offer_of(entry).for_device(device, site) or offered.release
            offered = Served(release=found, reported=False, entry=entry.sequence)
    return reported or offered


def _offers(entry: Entry, channel: str) -> bool:
    told = entry.event in {Event.OFFERED, Event.ROLLED_BACK}
    return told and entry.detail.get("channel", "stable") == channel


def offer_of(entry: Entry) -> ChannelOffer:
    """Return what an entry offers: a release, or after a rollback the one before to everybody."""
    detail = entry.detail
    before = Release.from_json(detail["before"]) if detail.get("before") else None
    if entry.event is Event.ROLLED_BACK and before is not None:
        return ChannelOffer(release=before)
    rollout = Rollout(
        basis_points=detail["basis_points"],
        salt=detail["salt"],
        sites=frozenset(detail["sites"]) if detail.get("sites") else None,
        before=before,
    )
    return ChannelOffer(release=entry.release, rollout=rollout)


def _read(line: bytes, number: int) -> Entry:
    try:
        raw = json.loads(line)
        return Entry(
            sequence=raw["sequence"],
            at=datetime.fromisoformat(raw["at"]),
            event=Event(raw["event"]),
            version=raw["version"],
            digest=raw["digest"],
            detail=raw["detail"],
            previous=raw["previous"],
            hash=raw["hash"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"entry {number} cannot be read: {error!r}") from error
