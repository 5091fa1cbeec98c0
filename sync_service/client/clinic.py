"""What a clinic hands to the sync service: its outbox, its identity, its versions.

The store belongs to the desktop, which this package may not import. The desktop names a factory
in the entry point group `vereda.sync`, or the caller passes one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final

from sync_service.client.identity import DeviceIdentity
from sync_service.client.outbox import Outbox
from sync_service.client.runner import Versions

ENTRY_POINTS: Final = "vereda.sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicSide:
    """One clinic, opened. update: installs an offered bundle, where the clinic has slots."""

    outbox: Outbox
    identity: DeviceIdentity
    software: Callable[[], Versions]
    update: Callable[[], object] | None = None


ClinicFactory = Callable[[], ClinicSide]


def installed_factory() -> ClinicFactory | None:
    """Return the factory an installed application has registered, or None."""
    for entry in entry_points(group=ENTRY_POINTS):
        factory: ClinicFactory = entry.load()
        return factory
    return None
