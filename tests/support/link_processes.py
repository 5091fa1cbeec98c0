"""The two processes of a campaign over bad links, to be run inside namespaces and killed.

`python link_processes.py server FOLDER` serves the real cloud over TLS;
`python link_processes.py device FOLDER ADDRESS SEED` is a clinic without a window: an encrypted
store, a runner and its schedule, recording a visit every few seconds until the file `quiet` is
in its folder.
"""

import logging
import random
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.sync_records import SOFTWARE, a_visit

from desktop.store.outbox import StoreOutbox
from desktop.store.store import ClinicStore
from sync_service.client.identity import DeviceIdentity
from sync_service.client.runner import Runner
from sync_service.client.schedule import SyncSchedule
from sync_service.client.transport import HttpTransport, make_client

PORT = 8443
KEY = bytes(range(32))
DATABASE, QUIET = "clinic.db", "quiet"
PUSH_EVERY_S = 10
BETWEEN_VISITS_S = (2.0, 8.0)


def identity_of(store: ClinicStore) -> DeviceIdentity:
    """Return who the device of a store is."""
    with store.read() as unit:
        device = unit.device.get()
        return DeviceIdentity.from_private_key(device.id, device.epoch, unit.device.signing_key())


def record_visit(store: ClinicStore, dice: random.Random) -> None:
    """Write diagnosis, decision and audit of one visit in one transaction."""
    events, _ = a_visit(dice)
    with store.write() as unit:
        for kind, payload in events:
            unit.outbox.add(kind, payload, datetime.now(UTC))


def device(folder: Path, address: str, seed: int) -> None:
    """Record and push until killed."""
    store = ClinicStore.open(folder / DATABASE, KEY)
    http = make_client(f"https://{address}:{PORT}", ca_bundle=folder.parent / "ca.pem")
    identity = identity_of(store)
    runner = Runner(
        StoreOutbox(store), HttpTransport(http, identity), identity, software=lambda: SOFTWARE
    )
    schedule = SyncSchedule(push=runner.tick, wake=runner.wake, push_every_s=PUSH_EVERY_S)
    runner.wake_after = schedule.wake_after
    schedule.start()
    dice, pause = random.Random(seed), threading.Event()
    while True:
        if not (folder / QUIET).exists():
            record_visit(store, dice)
        pause.wait(dice.uniform(*BETWEEN_VISITS_S))


def server(folder: Path) -> None:
    """Serve until killed."""
    import uvicorn
    from support.cloud_server import SmallEngine

    from cloud_api.app import create_app
    from cloud_api.settings import CloudSettings

    app = create_app(CloudSettings(data=folder), open_engine=lambda _: SmallEngine())
    uvicorn.run(
        app,
        host="0.0.0.0",
        port=PORT,
        ssl_certfile=str(folder / "server.pem"),
        ssl_keyfile=str(folder / "server.key"),
        log_config=None,
        access_log=False,
    )


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    if sys.argv[1] == "server":
        server(Path(sys.argv[2]))
    else:
        device(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
