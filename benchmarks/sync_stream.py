"""`python -m benchmarks.sync_stream`: events a second through the gateway and on to a broker.

Real signed, compressed batches over HTTP on loopback into the embedded database; then the log over
the Kafka protocol to the broker that librdkafka brings for tests, where the extra `stream` is
installed. Exit code 1 when a figure is under the bar of 1,000 events a second.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.cloud_server import Clinic, cloud_in_thread
from support.sync_records import a_visit

from cloud_api.db.engine import open_database
from cloud_api.settings import CloudSettings
from cloud_api.stream.forward import BrokerError, Forwarder, SqlCursor
from cloud_api.stream.kafka import KafkaBroker
from cloud_api.stream.log import EmbeddedLog

BAR_PER_S: Final = 1000.0


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return 0 when the bar is met."""
    parser = argparse.ArgumentParser(prog="benchmarks.sync_stream", description=__doc__)
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--visits", type=int, default=400, help="per device, three events each")
    asked = parser.parse_args(argv)
    print(f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        stored, seconds = intake(Path(folder), asked.devices, asked.visits)
        met = told("gateway, HTTP to durable log", stored, seconds)
        try:
            handed, seconds = asyncio.run(forward(Path(folder)))
        except BrokerError as error:
            print(f"broker: not measured ({error})")
        else:
            met = told("log to a broker of the Kafka protocol", handed, seconds) and met
    return 0 if met else 1


def told(what: str, events: int, seconds: float) -> bool:
    """Print one figure; return whether it meets the bar."""
    rate = events / seconds
    verdict = "met" if rate >= BAR_PER_S else "not met"
    print(f"{what}: {events} events in {seconds:.2f} s, {rate:.0f} a second ({verdict})")
    return rate >= BAR_PER_S


def intake(folder: Path, devices: int, visits: int) -> tuple[int, float]:
    """Return events stored and the seconds from the first push to the last receipt."""
    with cloud_in_thread(folder / "cloud") as cloud:
        clinics = [Clinic(cloud.url).enrol(cloud.code()) for _ in range(devices)]
        for clinic in clinics:
            for _ in range(visits):
                events, _ = a_visit()
                for kind, payload in events:
                    clinic.outbox.add(payload, kind)
        pushers = [threading.Thread(target=clinic.push) for clinic in clinics]
        began_s = time.perf_counter()
        for pusher in pushers:
            pusher.start()
        for pusher in pushers:
            pusher.join()
        seconds = time.perf_counter() - began_s
        (stored,) = cloud.rows("SELECT count(*) AS n FROM event")
    if stored["n"] != devices * visits * 3:
        raise RuntimeError(f"{stored['n']} of {devices * visits * 3} events arrived")
    return int(stored["n"]), seconds


async def forward(folder: Path) -> tuple[int, float]:
    """Return events handed on and the seconds it took. Raises BrokerError without the library."""
    settings = CloudSettings(data=folder / "cloud", kafka_servers="unused")
    broker = KafkaBroker(settings, **{"test.mock.num.brokers": 1})
    engine = open_database(settings.database_address())
    began_s = time.perf_counter()
    handed = await Forwarder(EmbeddedLog(engine), broker, SqlCursor(engine, "kafka")).catch_up()
    seconds = time.perf_counter() - began_s
    await broker.close()
    await engine.dispose()
    return handed, seconds


if __name__ == "__main__":
    sys.exit(main())
