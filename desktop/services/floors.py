"""Version floors in the encrypted store, where cutting a file short does not reach them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from desktop.store.store import ClinicStore
from desktop.store.unit_of_work import UnitOfWork
from model_bundles.errors import BundleStateError

KEY: Final = "bundles.floors"


@dataclass(frozen=True, slots=True)
class StoreFloors:
    """Implements `model_bundles.floors.Floors` over the facts of an open store."""

    store: ClinicStore

    def read(self) -> Mapping[str, tuple[int, ...]]:
        """Return all floors; none in a store from before it kept any. Raises BundleStateError."""
        with self.store.read() as unit:
            return _read(unit)

    def raise_to(self, floors: Mapping[str, tuple[int, ...]]) -> None:
        """Raise every named floor to at least the version given, in one transaction."""
        with self.store.write() as unit:
            before = _read(unit)
            after = dict(before)
            for name, version in floors.items():
                after[name] = max(version, before.get(name, version))
            if after != before:
                unit.settings.put(KEY, json.dumps(after, sort_keys=True))


def _read(unit: UnitOfWork) -> Mapping[str, tuple[int, ...]]:
    kept = unit.settings.get(KEY)
    if kept is None:
        return {}
    try:
        raw = json.loads(kept)
        return {str(name): tuple(int(n) for n in version) for name, version in raw.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise BundleStateError("the floors in the store cannot be read") from error
