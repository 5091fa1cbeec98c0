"""Version floors and orders in the encrypted store, where deleting a file does not reach them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from desktop.store.store import ClinicStore
from desktop.store.unit_of_work import UnitOfWork
from model_bundles.errors import BundleStateError

KEY: Final = "bundles.floors"
ORDERS_KEY: Final = "bundles.orders"


@dataclass(frozen=True, slots=True)
class StoreFloors:
    """Implements `Floors` and `OrdersMemory` of `model_bundles` over the facts of an open store."""

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

    def orders(self) -> bytes | None:
        """Return the safety role's orders kept here, or None. Raises BundleStateError."""
        with self.store.read() as unit:
            kept = unit.settings.get(ORDERS_KEY)
        if kept is not None and not isinstance(kept, str):
            raise BundleStateError("the orders in the store cannot be read")
        return None if kept is None else kept.encode()

    def keep_orders(self, content: bytes) -> None:
        """Keep orders in place of those before, in one transaction."""
        with self.store.write() as unit:
            unit.settings.put(ORDERS_KEY, content.decode())


def _read(unit: UnitOfWork) -> Mapping[str, tuple[int, ...]]:
    kept = unit.settings.get(KEY)
    if kept is None:
        return {}
    try:
        raw = json.loads(kept)
        return {str(name): tuple(int(n) for n in version) for name, version in raw.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise BundleStateError("the floors in the store cannot be read") from error
