"""What a clinic hands to the sync service: its outbox, its identity, its versions.

The store belongs to the desktop, which this package may not import. The desktop names a factory
in the entry point group `vereda.sync`, or the caller passes one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import httpx

from ddx.domain.metering import ByteRule
from sync_service.client.budget import ByteBudget
from sync_service.client.identity import DeviceIdentity
from sync_service.client.meter import ByteLedger, MemoryLedger
from sync_service.client.outbox import Outbox
from sync_service.client.runner import Versions
from sync_service.client.transport import HttpTransport

ENTRY_POINTS: Final = "vereda.sync"

UpdateBundles = Callable[[httpx.Client, str, bool, ByteBudget], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicSide:
    """One clinic, opened.

    update: obeys the orders of the safety role and installs an offered bundle, over this client
    and server; with True as third argument orders are read and no release is downloaded; bytes are
    spent from the budget. folder: where the lock of the one service lies; None for a clinic that
    lives in memory. rule: about paid bytes, as it is when asked. before_push: what the clinic does
    over the line first (shows the head of its audit chain, takes new settings). audit_waits: how
    many audit entries it adds to the queue then. link: given a server and what introduces this
    device to it, does so if the person may, and remembers the server. close: lets go of the store.
    """

    outbox: Outbox
    identity: DeviceIdentity
    software: Callable[[], Versions]
    update: UpdateBundles | None = None
    server: str = ""
    folder: Path | None = None
    ca_bundle: Path | None = None
    proxy: str = ""
    system_proxy: bool = True
    rule: Callable[[], ByteRule] = ByteRule
    ledger: ByteLedger = field(default_factory=MemoryLedger)
    before_push: Callable[[HttpTransport], None] | None = None
    audit_waits: Callable[[], int] = lambda: 0
    link: Callable[[str, Callable[[], object]], object] = lambda _server, introduce: introduce()
    close: Callable[[], None] = lambda: None


ClinicFactory = Callable[[], ClinicSide]


def installed_factory() -> ClinicFactory | None:
    """Return the factory an installed application has registered, or None."""
    for entry in entry_points(group=ENTRY_POINTS):
        factory: ClinicFactory = entry.load()
        return factory
    return None
