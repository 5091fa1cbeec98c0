"""Whether an installed release has earned to go on serving: what went wrong since it began.

A release that ends its process while it loads, or whose answers fail again and again, is left for
the one before it. The count is of one release on one device and is written before each loading,
so that a process which dies there is counted too.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ddx.domain.canonical import canonical_json
from model_bundles import files
from model_bundles.errors import BundleMalformedError
from model_bundles.manifest import read_canonical

MAX_LOADS: Final = 2
"""Loadings begun and never ended; a power cut may be one of them."""
MAX_FAILURES: Final = 3
"""Diagnoses failed in a row, whatever the case."""

_MAX_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Health:
    """What went wrong with the release of that digest."""

    digest: str
    loads: int = 0
    failures: int = 0

    @property
    def fit(self) -> bool:
        """Whether the release may go on serving."""
        return self.loads < MAX_LOADS and self.failures < MAX_FAILURES

    def loading(self) -> "Health":
        """Return the health while the release is being loaded."""
        return replace(self, loads=self.loads + 1)

    def loaded(self) -> "Health":
        """Return the health of a release that loaded."""
        return replace(self, loads=0)

    def failed(self) -> "Health":
        """Return the health after a diagnosis that failed."""
        return replace(self, failures=self.failures + 1)

    def answered(self) -> "Health":
        """Return the health after a diagnosis that did not."""
        return replace(self, failures=0)


@dataclass(frozen=True, slots=True)
class HealthFile:
    """The health of the release that serves, in one small file."""

    path: Path

    def read(self, digest: str) -> Health:
        """Return the health of that release; nothing went wrong where nothing is known."""
        content = files.read_bounded(self.path, _MAX_BYTES)
        try:
            raw = read_canonical(content or b"")
            kept = Health(str(raw["digest"]), int(raw["loads"]), int(raw["failures"]))
        except (BundleMalformedError, KeyError, TypeError, ValueError):
            return Health(digest)
        return kept if kept.digest == digest else Health(digest)

    def write(self, health: Health) -> None:
        """Keep `health`, durably. Raises BundleStorageError."""
        content = {"digest": health.digest, "failures": health.failures, "loads": health.loads}
        with files.storage_errors():
            files.write_durably(self.path, canonical_json({"format": 1, **content}))
