"""What this device has already accepted, so that nothing older is accepted again.

python-tuf keeps such a memory in its own metadata files and loses it when they are truncated;
this one is apart from them. A port: `FileFloors` serves until the encrypted store holds them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ddx.domain.canonical import canonical_json
from model_bundles import files
from model_bundles.errors import BundleMalformedError, BundleStateError
from model_bundles.manifest import read_canonical

BUNDLE: Final = "bundle"
"""Name of the floor of bundle versions; the others are `<role>@<keys>` (see `chain`)."""

ORDERS: Final = "orders"
"""Name of the floor of the safety role's orders: the number of the newest ones kept."""

_MAX_BYTES: Final = 65_536


class Floors(Protocol):
    """Name -> highest version ever accepted, as a tuple of numbers. Never goes down."""

    def read(self) -> Mapping[str, tuple[int, ...]]:
        """Return all floors; empty on a new device. Raises BundleStateError when damaged."""

    def raise_to(self, floors: Mapping[str, tuple[int, ...]]) -> None:
        """Raise every named floor to at least the version given, durably."""


@dataclass(frozen=True, slots=True)
class FileFloors:
    """Floors in one small file, replaced as a whole.

    A file that is there and cannot be read is an error, never "no floors": that would turn a
    damaged byte into permission to go back.
    """

    path: Path

    def read(self) -> Mapping[str, tuple[int, ...]]:
        """Return all floors. Raises BundleStateError."""
        content = files.read_bounded(self.path, _MAX_BYTES)
        if content is None:
            return {}
        try:
            raw = read_canonical(content)["floors"]
            return {str(name): tuple(int(n) for n in version) for name, version in raw.items()}
        except (BundleMalformedError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleStateError(f"{self.path.name} cannot be read; restore it") from error

    def raise_to(self, floors: Mapping[str, tuple[int, ...]]) -> None:
        """Raise every named floor to at least the version given, durably."""
        before = self.read()
        after = _higher(before, floors)
        if after != before:
            self.replace(after)

    def replace(self, floors: Mapping[str, tuple[int, ...]]) -> None:
        """Write the file anew, whatever it held."""
        listed = {name: list(version) for name, version in floors.items()}
        files.write_durably(self.path, canonical_json({"floors": listed, "format": 1}))


@dataclass(frozen=True, slots=True)
class JoinedFloors:
    """Two memories of the same floors: a file, and one that is harder to change.

    Each makes good what the other has lost, so that cutting the file short, or putting an old
    one back, gives nobody permission to go back.
    """

    file: FileFloors
    kept: Floors

    def read(self) -> Mapping[str, tuple[int, ...]]:
        """Return the higher floor of each name. Raises BundleStateError when both are damaged."""
        kept = self.kept.read()
        try:
            return _higher(self.file.read(), kept)
        except BundleStateError:
            if not kept:
                raise
            return kept

    def heal(self) -> None:
        """Raise both to the higher of the two."""
        self.raise_to(self.read())

    def raise_to(self, floors: Mapping[str, tuple[int, ...]]) -> None:
        """Raise every named floor in both."""
        self.kept.raise_to(floors)
        kept = self.kept.read()
        try:
            self.file.raise_to(kept)
        except BundleStateError:
            self.file.replace(kept)


def _higher(
    one: Mapping[str, tuple[int, ...]], other: Mapping[str, tuple[int, ...]]
) -> Mapping[str, tuple[int, ...]]:
    return {name: max(one.get(name, ()), other.get(name, ())) for name in {**one, **other}}
