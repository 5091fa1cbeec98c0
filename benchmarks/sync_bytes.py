"""`python -m benchmarks.sync_bytes`: what a visit and an idle day cost on the wire.

A relay between the device and the real cloud counts every byte of every TCP connection, TLS and
HTTP headers included; what IP and TCP headers add is not seen there. Exit code 1 when a bar is not
met.
"""

import random
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import uvicorn
from support.cloud_server import Cloud, SmallEngine, wait_until
from support.memory_outbox import MemoryOutbox
from support.oidc_issuer import certificate
from support.sync_records import SOFTWARE, a_visit, an_identity
from support.tiny_engine import TinyShelf

from cloud_api.app import create_app
from cloud_api.settings import CloudSettings
from desktop.services.clinic import Clinic
from desktop.store.keys import Argon2Cost
from desktop.store.keystore import NoKeystore
from model_bundles.embedded import embedded_trust, open_embedded_bundle
from model_bundles.slots import Slots
from sync_service.client.clinic import ClinicSide
from sync_service.client.enrol import enrol
from sync_service.client.runner import Phase, Runner
from sync_service.client.schedule import PUSH_EVERY_S
from sync_service.client.transport import HttpTransport, make_client
from sync_service.client.updates import Updater, UpdateResult, bundle_client

VISITS: Final = 50
VISIT_BAR: Final = 2048
IDLE_BAR: Final = 50_000
PASSPHRASE: Final = "banco de pruebas sin secretos"


@dataclass
class Relay:
    """Passes connections on and counts bytes, both ways."""

    target: int
    port: int = 0
    counted: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                self.counted += len(chunk)
                sink.sendall(chunk)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def cloud_over_tls(folder: Path) -> Iterator[tuple[Cloud, Relay, Path]]:
    """Run the cloud over TLS behind a relay; yield cloud, relay and the authority to trust."""
    cert, key = certificate(folder)
    chosen = CloudSettings(data=folder / "cloud")
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(chosen, open_engine=lambda _: SmallEngine()),
        log_config=None,
        access_log=False,
        ssl_certfile=str(cert),
        ssl_keyfile=str(key),
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 60)
    relay = Relay(listener.getsockname()[1])
    yield Cloud(f"https://127.0.0.1:{relay.port}", chosen), relay, cert
    server.should_exit = True
    thread.join(10)


def main() -> int:
    """Measure and print; return 0 when both bars are met."""
    with tempfile.TemporaryDirectory() as folder:
        visit = visit_bytes(Path(folder))
    met = told(f"one visit in batches of {VISITS} events, {VISITS} visits", visit, VISIT_BAR)
    with tempfile.TemporaryDirectory() as folder:
        day = idle_day_bytes(Path(folder))
    return 0 if told("an idle day", day, IDLE_BAR) and met else 1


def told(what: str, size_bytes: float, bar: int) -> bool:
    """Print one figure; return whether it meets its bar."""
    verdict = "met" if size_bytes <= bar else "not met"
    print(f"{what}: {size_bytes:.0f} bytes up and down (bar {bar}, {verdict})")
    return size_bytes <= bar


def visit_bytes(folder: Path) -> float:
    """Return the bytes of one visit: diagnosis, decision, three audit entries, receipts."""
    dice, last, outbox, identity = random.Random(3), None, MemoryOutbox(), an_identity()
    for _ in range(VISITS):
        events, last = a_visit(dice, last)
        for kind, payload in events:
            outbox.add(payload, kind)
    with cloud_over_tls(folder) as (cloud, relay, ca), make_client(cloud.url, ca_bundle=ca) as http:
        transport = HttpTransport(http, identity)
        enrol(transport, code=cloud.code(), app_version="0.1.0")
        before = relay.counted
        # the monotonic clock stands still: pages stay at the usual fifty
        runner = Runner(
            outbox, transport, identity, software=lambda: SOFTWARE, monotonic_s=lambda: 0.0
        )
        report = runner.run_once()
        if report.phase is not Phase.IDLE or outbox.counts().acknowledged != 3 * VISITS:
            raise RuntimeError(f"not everything arrived: {report}")
        return (relay.counted - before) / VISITS


def idle_day_bytes(folder: Path) -> int:
    """Return the bytes of a day in which nobody records anything and the service runs.

    A push every five minutes with nothing to push, looks for settings, one look for a bundle, each
    over a connection of its own.
    """
    clock = [datetime(2026, 11, 23, tzinfo=UTC)]
    clinic = Clinic(
        folder / "clinic",
        TinyShelf(),
        cost=Argon2Cost(iterations=1, lanes=1, memory_kib=8),
        keystore=NoKeystore(),
        now=lambda: clock[0],
    )
    clinic.create(clinic_name="Banco", display_name="Banco", passphrase=PASSPHRASE)
    session = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    with cloud_over_tls(folder) as (cloud, relay, ca):
        side = session.sync.side()
        with make_client(cloud.url, ca_bundle=ca) as http:
            enrol(HttpTransport(http, side.identity), code=cloud.code(), app_version="0.1.0")
        look = _bundle_look(folder, cloud, ca)
        tick = _tick(side, cloud, ca)
        tick()  # the day before: sign-in and its audit leave, settings and bundle are looked for
        look()
        before = relay.counted
        for _ in range(int(timedelta(days=1).total_seconds()) // PUSH_EVERY_S):
            clock[0] += timedelta(seconds=PUSH_EVERY_S)
            tick()
        look()
        spent = relay.counted - before
    session.close()
    return spent


def _tick(side: ClinicSide, cloud: Cloud, ca: Path) -> Callable[[], None]:
    """Return one turn of the service, over a connection that is closed afterwards."""

    def turn() -> None:
        with make_client(cloud.url, ca_bundle=ca) as http:
            transport = HttpTransport(http, side.identity)
            if side.before_push is not None:
                side.before_push(transport)
            runner = Runner(side.outbox, transport, side.identity, software=side.software)
            if runner.tick().phase is not Phase.IDLE:
                raise RuntimeError(f"the cloud was not reached: {runner.report()}")

    return turn


def _bundle_look(folder: Path, cloud: Cloud, ca: Path) -> Callable[[], None]:
    """Return one look for a bundle by a device that serves the one offered."""
    slots = Slots(folder / "slots", embedded_trust())
    shipped = open_embedded_bundle()

    def look() -> None:
        with make_client(cloud.url, ca_bundle=ca) as http:
            client = bundle_client(http, cloud.url, embedded_trust(), folder / "state")
            report = Updater(
                client, slots, lambda _: None, serving=shipped.release, shipped=shipped
            ).run()
        if report.result is not UpdateResult.UP_TO_DATE:
            raise RuntimeError(f"the look for a bundle ended otherwise: {report}")

    return look


if __name__ == "__main__":
    sys.exit(main())
