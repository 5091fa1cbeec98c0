"""The line to the server: client, transport and runner. Imported when the first call is made.

Keeps httpx and pydantic (a third of a second) out of the way of the first window.
"""

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import httpx

from ddx.domain.identifiers import RecordId
from ddx.domain.lease import RoleLease
from ddx.domain.statements import Checkpoint
from desktop.settings import Settings
from desktop.signatures import ed25519_check
from desktop.store.outbox import StoreOutbox
from desktop.store.store import ClinicStore
from sync_service.client.checkpoints import CheckpointOutcome, OwnHead, ask_for_checkpoint
from sync_service.client.enrol import enrol
from sync_service.client.errors import ServerClockError
from sync_service.client.identity import DeviceIdentity
from sync_service.client.leases import ask_for_lease
from sync_service.client.runner import Runner, SyncReport, Versions
from sync_service.client.transport import HttpTransport, make_client

T = TypeVar("T")


class Line:
    """One server, for one open store. One thread at a time."""

    def __init__(
        self,
        store: ClinicStore,
        server: str,
        settings: Settings,
        bundle_version: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        """Open nothing yet. Raises ServerAddressError when `server` is not one we talk to."""
        self.server = server
        self.http: httpx.Client = make_client(
            server,
            ca_bundle=Path(settings.ca_bundle_path) if settings.ca_bundle_path else None,
            proxy=settings.proxy_url or None,
        )
        identity = _identity(store)
        self._transport = HttpTransport(self.http, identity)
        self._runner = Runner(
            StoreOutbox(store),
            self._transport,
            identity,
            software=lambda: Versions(app=version("vereda"), bundle=bundle_version()),
            now=now,
        )

    def enrol(self, code: str) -> None:
        """Introduce this device. Raises the errors of `sync_service.client.enrol`."""
        enrol(self._transport, code=code, app_version=version("vereda"))

    def push(self) -> SyncReport:
        """Push what waits; the report says how far it came."""
        return self._runner.run_once()

    def checkpoint(
        self,
        head: OwnHead,
        own_hash_at: Callable[[int, int], str | None],
        *,
        newest: Checkpoint | None,
        server_key: str | None,
    ) -> CheckpointOutcome:
        """Show the head of the audit chain. Raises as `ask_for_checkpoint` does."""
        return self._on_time(
            lambda: ask_for_checkpoint(
                self._transport,
                head,
                own_hash_at,
                newest=newest,
                server_key=server_key,
                check=ed25519_check,
            )
        )

    def lease(self, clinician: RecordId, id_token: str) -> RoleLease | None:
        """Ask for the role the server lends. Raises as the transport does."""
        return self._on_time(lambda: ask_for_lease(self._transport, clinician, id_token))

    def _on_time(self, ask: Callable[[], T]) -> T:
        """Return what `ask` returns, once more with the server's time where ours is off."""
        try:
            return ask()
        except ServerClockError as error:
            self._transport.clock_offset_s = error.offset_s
            return ask()

    def report(self) -> SyncReport:
        """Return where the push stands."""
        return self._runner.report()

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()


def _identity(store: ClinicStore) -> DeviceIdentity:
    with store.read() as unit:
        device = unit.device.get()
        return DeviceIdentity.from_private_key(device.id, device.epoch, unit.device.signing_key())
