"""Steps that are done once: a small build system over content hashes.

A step writes files into a folder of its own. The folder is named by what goes into the step (name,
settings, digests of earlier steps), appears whole or not at all, and lists the hash of every file.
Whoever runs the same steps again, after a kill or a week later, finds what is done and goes on.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from ddx.domain.canonical import canonical_json, digest_of
from ddx.errors import DdxError

LISTING: Final = "step.json"

Say = Callable[[str], None]
Make = Callable[[Path], None]
"""Writes the files of a step into the folder it is given."""


class StepError(DdxError):
    """A step cannot be run or its files are not what it wrote. The text says what to do."""

    code: ClassVar[str] = "training.step"


class DryRunEnds(StepError):  # noqa: N818 (an outcome, not a fault)
    """A dry run got to the first step that is not done."""

    code: ClassVar[str] = "training.dry_run"


class StoppedByPlan(StepError):  # noqa: N818 (an outcome, not a fault)
    """The change control plan ends the run here; everything up to it is kept."""

    code: ClassVar[str] = "training.stopped_by_plan"


@dataclass(frozen=True, slots=True)
class Done:
    """A finished step. digest: SHA-256 over its files' names and hashes."""

    name: str
    folder: Path
    digest: str

    def read(self, name: str) -> bytes:
        """Return one file. Raises StepError when the step did not write it."""
        path = self.folder / name
        if not path.is_file():
            raise StepError(f"step {self.name} wrote no {name}")
        return path.read_bytes()

    def json(self, name: str) -> Any:
        """Return one file as JSON."""
        return json.loads(self.read(name))

    def files(self, under: str) -> dict[str, bytes]:
        """Return path below `under` -> content."""
        top = self.folder / under
        found = (p for p in sorted(top.rglob("*")) if p.is_file())
        return {p.relative_to(top).as_posix(): p.read_bytes() for p in found}


@dataclass(slots=True)
class Steps:
    """The steps of one run. total: how many there will be, for the progress line."""

    folder: Path
    say: Say
    total: int
    dry_run: bool = False
    _count: int = field(default=0, init=False)

    def run(self, name: str, given: Mapping[str, object], make: Make) -> Done:
        """Return the step, made now unless it is done already.

        given: everything the result depends on, as JSON values.

        Raises:
            DryRunEnds: for a step that is not done: nothing after it can be known.
        """
        self._count += 1
        head = f"[{self._count}/{self.total}] {name}"
        target = self.folder / f"{self._count:02d}-{name}-{digest_of({'step': name, **given})[:12]}"
        done = opened(name, target)
        if done is not None:
            self.say(f"{head}: done before ({done.digest[:12]})")
            return done
        if self.dry_run:
            self.say(f"{head}: would run, and what follows")
            raise DryRunEnds(f"dry run ends before {name}; nothing was changed")
        self.say(f"{head}: running")
        started = time.monotonic()
        done = _made(name, target, make)
        self.say(f"{head}: {time.monotonic() - started:.1f} s ({done.digest[:12]})")
        return done


def opened(name: str, folder: Path) -> Done | None:
    """Return the step in `folder`; None when it is absent or its files are not what it wrote."""
    try:
        listing: dict[str, str] = json.loads((folder / LISTING).read_bytes())
    except (OSError, ValueError):
        return None
    if listing != _hashes(folder):
        return None
    return Done(name, folder, digest_of(listing))


def _made(name: str, target: Path, make: Make) -> Done:
    part = target.with_name(f".{target.name}.{os.getpid()}")
    for left in target.parent.glob(f".{target.name}.*"):  # of a run that was killed
        shutil.rmtree(left)
    part.mkdir(parents=True)
    make(part)
    (part / LISTING).write_bytes(canonical_json(_hashes(part)))
    _sync(part)
    if target.exists():  # damaged: `opened` did not accept it
        shutil.rmtree(target)
    part.rename(target)
    done = opened(name, target)
    if done is None:
        raise StepError(f"what {name} wrote changed under its hands; run it again")
    return done


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LISTING
    }


def _sync(folder: Path) -> None:
    """Bring a finished folder to the disk before it gets its name."""
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
