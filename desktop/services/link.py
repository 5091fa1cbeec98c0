"""The line to the server: client, transport and runner. Imported when the first call is made.

Keeps httpx and pydantic (a third of a second) out of the way of the first window.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

import httpx

from ddx.domain.course import UNWATCHED, Course
from ddx.domain.identifiers import RecordId
from ddx.domain.lease import RoleLease
from ddx.domain.metering import ByteRule
from ddx.domain.statements import Checkpoint
from desktop.services.desk import Desk
from desktop.services.organisation import take_settings_when_due
from desktop.settings import ProxyMode, Settings
from desktop.signatures import ed25519_check
from desktop.store.outbox import StoreOutbox
from desktop.store.store import ClinicStore
from desktop.store.unit_of_work import UnitOfWork
from sync_service.client.budget import ByteBudget
from sync_service.client.checkpoints import CheckpointOutcome, OwnHead, ask_for_checkpoint
from sync_service.client.enrol import enrol
from sync_service.client.errors import ServerClockError
from sync_service.client.identity import DeviceIdentity
from sync_service.client.leases import ask_for_lease
from sync_service.client.meter import DayBytes, Meter
from sync_service.client.paid_link import PaidLink, link_cost
from sync_service.client.runner import Runner, SyncReport, Versions
from sync_service.client.transport import HttpTransport, make_client

T = TypeVar("T")
_BYTES: Final = "sync.bytes"


class HeadsOver:
    """Shows heads over a transport of somebody else's; asks once more with the server's time."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    def checkpoint(
        self,
        head: OwnHead,
        own_hash_at: Callable[[int, int], str | None],
        *,
        newest: Checkpoint | None,
        server_key: str | None,
    ) -> CheckpointOutcome:
        """Show the head of the audit chain. Raises as `ask_for_checkpoint` does."""
        return on_time(
            self._transport,
            lambda: ask_for_checkpoint(
                self._transport,
                head,
                own_hash_at,
                newest=newest,
                server_key=server_key,
                check=ed25519_check,
            ),
        )


def on_time(transport: HttpTransport, ask: Callable[[], T]) -> T:
    """Return what `ask` returns, once more with the server's time where ours is off."""
    try:
        return ask()
    except ServerClockError as error:
        transport.clock_offset_s = error.offset_s
        return ask()


class StoreLedger:
    """Bytes of the day on paid links, in the store. Implements `meter.ByteLedger`.

    Window and `vereda-sync`, records and bundles all write here.
    """

    def __init__(self, store: ClinicStore) -> None:
        self._store = store

    def spent(self, day: str) -> int:
        """Return the bytes of that day."""
        with self._store.read() as unit:
            return _kept(unit).on(day)

    def add(self, day: str, size_bytes: int) -> None:
        """Add to the bytes of that day."""
        with self._store.write() as unit:
            now = _kept(unit).plus(day, size_bytes)
            unit.settings.put(_BYTES, {"day": now.day, "bytes": now.size_bytes})


def _kept(unit: UnitOfWork) -> DayBytes:
    kept = unit.settings.get(_BYTES) or {}
    return DayBytes(str(kept.get("day", "")), int(kept.get("bytes", 0)))


class Line:
    """One server, for one open store. One thread at a time."""

    def __init__(
        self,
        store: ClinicStore,
        server: str,
        settings: Settings,
        *,
        rule: Callable[[], ByteRule],
        bundle_version: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        """Open nothing yet. rule: about paid bytes, as it is when asked.

        Raises:
            ServerAddressError, CaBundleError, ProxyAddressError: this is no way to a server.
        """
        self.server = server
        self.http: httpx.Client = make_client(
            server,
            ca_bundle=Path(settings.ca_bundle_path) if settings.ca_bundle_path else None,
            proxy=proxy_of(settings),
            system_proxy=settings.proxy_mode is ProxyMode.SYSTEM,
        )
        identity = identity_of(store)
        self.meter = meter_of(store, rule, now)
        self._transport = HttpTransport(self.http, identity, counted=self.meter.count)
        self._outbox = StoreOutbox(store)
        self._runner = Runner(
            self._outbox,
            self._transport,
            identity,
            software=lambda: Versions(app=version("vereda"), bundle=bundle_version()),
            now=now,
            allowance=self.meter,
        )
        self._transport.on_answer = self._runner.link_is_back

    def enrol(self, code: str) -> None:
        """Introduce this device. Raises the errors of `sync_service.client.enrol`."""
        enrol(self._transport, code=code, app_version=version("vereda"))

    def push(self, course: Course = UNWATCHED) -> SyncReport:
        """Push what waits; the report says how far it came. course: told of records settled."""
        waits, settled = self._outbox.counts().pending, 0

        def tell(more: int) -> None:
            nonlocal settled
            settled += more

        self._runner.on_batch = tell
        self._runner.before_batch = lambda: course.at(settled, waits)
        return self._runner.run_once()

    @contextmanager
    def ending_with(self, course: Course) -> Iterator[None]:
        """Leave every answer awaited in the block once `course` is asked to end."""
        self._transport.may_go_on = None if course is UNWATCHED else course.may_go_on
        try:
            yield
        finally:
            self._transport.may_go_on = None

    def checkpoint(
        self,
        head: OwnHead,
        own_hash_at: Callable[[int, int], str | None],
        *,
        newest: Checkpoint | None,
        server_key: str | None,
    ) -> CheckpointOutcome:
        """Show the head of the audit chain. Raises as `ask_for_checkpoint` does."""
        return HeadsOver(self._transport).checkpoint(
            head, own_hash_at, newest=newest, server_key=server_key
        )

    def bundle_budget(self) -> ByteBudget:
        """Return what a bundle may spend of the day's bytes: the ledger of the records."""
        return ByteBudget(self.meter)

    def take_settings(self, desk: Desk) -> None:
        """Take what the organisation set, a few times a day; an absent server changes nothing."""
        take_settings_when_due(desk, self._transport)

    def lease(self, clinician: RecordId, id_token: str) -> RoleLease | None:
        """Ask for the role the server lends. Raises as the transport does."""
        return on_time(self._transport, lambda: ask_for_lease(self._transport, clinician, id_token))

    def report(self) -> SyncReport:
        """Return where the push stands."""
        return self._runner.report()

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()


def proxy_of(settings: Settings) -> str | None:
    """Return the proxy to go through, None where there is none or the system's counts."""
    if settings.proxy_mode is ProxyMode.NONE:
        return None
    return settings.proxy_url or None


def meter_of(
    store: ClinicStore, rule: Callable[[], ByteRule], now: Callable[[], datetime]
) -> Meter:
    """Return what holds the clinic to its rule about paid bytes."""
    return Meter(StoreLedger(store), rule=rule, cost=link_cost(PaidLink.AUTO), now=now)


def identity_of(store: ClinicStore) -> DeviceIdentity:
    """Return who the device of a store is to the server."""
    with store.read() as unit:
        device = unit.device.get()
        return DeviceIdentity.from_private_key(device.id, device.epoch, unit.device.signing_key())
