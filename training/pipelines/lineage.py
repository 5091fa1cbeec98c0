"""Where a bundle comes from: the rows, the code and the parameters, written into the bundle.

With the member `provenance/lineage.json` the exact rows are read again from the lake (table id,
version, window; the hash tells that they are the same), the code is checked out (commit; the hash
of the sources tells that nothing else was changed), and the run repeated to the same digest.
"""

import hashlib
import json
import os
import subprocess
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol, Self

from ddx.domain.canonical import canonical_json
from ddx.errors import DdxError

LINEAGE: Final = "provenance/lineage.json"
REPOSITORY: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = ("ddx", "model_bundles", "training")
"""Rooms whose code and tables decide what a bundle holds."""

SUFFIXES: Final = frozenset({".py", ".tsv", ".toml", ".yaml", ".txt"})
"""Of code and tables; `training.shipped` brings the plan and the lock. All are in a wheel as well,
so that a run on a cluster and a checkout of its commit tell the same hash."""

COMMIT: Final = "VEREDA_COMMIT"
"""Variable with the commit, where the code runs outside a repository."""


class LineageError(DdxError):
    """A bundle does not tell where it comes from, or what it tells cannot be had again."""

    code: ClassVar[str] = "training.lineage"


class Readable(Protocol):
    """A bundle whose members can be read."""

    @property
    def members(self) -> tuple[str, ...]:
        """Their names."""

    def read(self, name: str) -> bytes:
        """Return one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of the lake. since, until: ISO times of the visits, since <= t < until; None open."""

    table: str
    table_id: str
    version: int
    since: str | None
    until: str | None
    rows_sha256: str
    count: int
    held_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """commit: of the repository, empty outside one. sources_sha256: over SOURCES as they ran."""

    commit: str
    sources_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Everything a rebuild needs. history: file of the historical set -> SHA-256.

    replaces: digest of the bundle whose unchanged members were taken over.
    """

    rows: Rows
    code: Code
    history: dict[str, str]
    replaces: str
    parameters: dict[str, Any]
    packages: dict[str, str]

    def to_json(self) -> bytes:
        """Return the member."""
        return canonical_json({"format": 1, **asdict(self)})

    @classmethod
    def of(cls, bundle: Readable) -> Self:
        """Return the lineage of a bundle. Raises LineageError."""
        if LINEAGE not in bundle.members:
            raise LineageError("this bundle was not made by a retraining: it carries no lineage")
        try:
            raw = json.loads(bundle.read(LINEAGE))
            return cls(
                rows=Rows(**raw["rows"]),
                code=Code(**raw["code"]),
                history=raw["history"],
                replaces=raw["replaces"],
                parameters=raw["parameters"],
                packages=raw["packages"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise LineageError(f"{LINEAGE} cannot be read: {error!r}") from error


@cache
def code_here(repository: Path = REPOSITORY) -> Code:
    """Return the code that runs: the commit, and a hash over the sources themselves."""
    digest = hashlib.sha256()
    for room in SOURCES:
        for path in sorted((repository / room).rglob("*")):
            name = path.relative_to(repository)
            if path.suffix in SUFFIXES and "default" not in name.parts:
                digest.update(f"{name.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return Code(commit=_commit(repository), sources_sha256=digest.hexdigest())


def _commit(repository: Path) -> str:
    if not (repository / ".git").exists():  # of a wheel; a repository around it is not its own
        return os.environ.get(COMMIT, "")
    try:
        asked = ["git", "-C", str(repository), "rev-parse", "HEAD"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 (constant command)
    except (OSError, subprocess.CalledProcessError):
        return ""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
