"""One run over the sources: each read from where it was left, each record stored once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from training.lake.bronze import Bronze, Intake
from training.lake.door import Arrival, arrival_of
from training.lake.feeds import PUBLISHED, FeedUnknownError, open_feed
from training.lake.place import Lake
from training.lake.stream import follow
from training.lake.tables import BRONZE_EVENTS
from training.sources.pseudonyms import open_pseudonyms
from training.sources.stream import SQL_POSITION, SqlLog

Say = Callable[[str], None]

CHUNK: Final = 2000
"""Visits a commit: a run that dies has lost at most so many, and reads them again."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source by name; path is None for a published set in the data folder."""

    name: str
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run reads. stream: address of the cloud's event log, "" for none."""

    sources: tuple[Source, ...]
    data: Path
    stream: str = ""
    limit: int | None = None


def source_of(text: str) -> Source:
    """Return `NAME` or `NAME=PATH` as a source.

    Raises:
        FeedUnknownError: a hospital's source without a path, or a path that is not there.
    """
    name, given, path = text.partition("=")
    if name in PUBLISHED:
        return Source(name)
    if not given or not Path(path).exists():
        raise FeedUnknownError(
            f"{text!r} is neither a published set ({', '.join(PUBLISHED)}) nor a name with a file "
            "or folder that is there, such as fhir.hospital=/drop/folder"
        )
    return Source(name, Path(path))


def run(plan: Plan, lake: Lake, keys: Path, say: Say) -> Intake:
    """Read every source of `plan` into bronze and return what came of it.

    Raises:
        LakeBusyError: another run writes.
        DdxError: a source cannot be read; what was stored before it stays.
    """
    pseudonyms = open_pseudonyms(keys)
    total = Intake()
    with lake.writing():
        bronze = Bronze(lake)
        for source in plan.sources:
            visits = open_feed(source.name, source.path or plan.data, pseudonyms, plan.limit)
            done = Intake()
            for part in _stored(source.name, map(arrival_of, visits), bronze):
                done += part
                say(f"{source.name}: {told(done)}")
            total += done
        if plan.stream:
            done = Intake()
            for part in follow(SqlLog(plan.stream), lake, bronze, pseudonyms):
                done += part
                say(f"stream: {told(done)}")
            total += done
    say(f"bronze batch {bronze.batch}: {told(total)}")
    return total


def foretell(plan: Plan, lake: Lake, keys: Path) -> Iterator[str]:
    """Yield what `run` would do; nothing is written."""
    there = "there" if (keys / "lake_pseudonyms.key").exists() else "would be made"
    yield f"lake {lake.address}, pseudonym key {there}"
    for source in plan.sources:
        yield f"would read {source.name} from {source.path or plan.data}"
    if plan.stream:
        at = lake.position(BRONZE_EVENTS, SQL_POSITION)
        yield f"would read the stream after server sequence {at}"


def told(intake: Intake) -> str:
    """Return an intake in words."""
    words = f"{intake.stored:,} stored"
    if intake.known:
        words += f", {intake.known:,} known already"
    for reason, count in (intake.refused or {}).items():
        words += f", {count:,} refused ({reason})"
    return words


def _stored(name: str, arrivals: Iterator[Arrival], bronze: Bronze) -> Iterator[Intake]:
    known = set(bronze.event_ids(name))
    while chunk := tuple(islice(arrivals, CHUNK)):
        yield bronze.store_new(chunk, known)
