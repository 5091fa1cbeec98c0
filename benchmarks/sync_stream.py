"""`python -m benchmarks.sync_stream`: events a second through the gateway and on to a broker.

Signed, compressed batches over HTTP on loopback to `vereda-cloud` in a process of its own, into its
embedded database; then the log over the Kafka protocol to the broker that librdkafka brings for
tests, where the extra `stream` is installed. Beside the wall clock, which a busy machine stretches,
the processor seconds of the process that does the work. Exit code 1 when a figure by the wall clock
is under the bar of 1,000 events a second.
"""

import argparse
import asyncio
import os
import platform
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.cloud_server import Clinic, Cloud, CloudProcess
from support.sync_records import NOON, SOFTWARE, a_visit

from cloud_api.db.engine import open_database
from cloud_api.settings import CloudSettings
from cloud_api.stream.forward import BrokerError, Forwarder, SqlCursor
from cloud_api.stream.kafka import KafkaBroker
from cloud_api.stream.log import EmbeddedLog
from sync_service.client.runner import wire_event
from sync_service.protocol.compression import ZSTD, compress
from sync_service.protocol.messages import BatchReceipt, SyncBatch
from sync_service.protocol.versions import BATCHES_PATH

BAR_PER_S: Final = 1000.0
PAGE: Final = 200  # records a batch, as on a good link


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return 0 when the bar is met."""
    parser = argparse.ArgumentParser(prog="benchmarks.sync_stream", description=__doc__)
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--visits", type=int, default=400, help="per device, three events each")
    asked = parser.parse_args(argv)
    print(f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        met = told(
            "gateway, HTTP to durable log", intake(Path(folder), asked.devices, asked.visits)
        )
        try:
            handed = asyncio.run(forward(Path(folder)))
        except BrokerError as error:
            print(f"broker: not measured ({error})")
        else:
            met = told("log to a broker of the Kafka protocol", handed) and met
    return 0 if met else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """wall_s: first push to last receipt. processor_s: of the process that does the work."""

    events: int
    wall_s: float
    processor_s: float


def told(what: str, found: Measured) -> bool:
    """Print one figure; return whether it meets the bar."""
    rate, by_processor = found.events / found.wall_s, found.events / found.processor_s
    verdict = "met" if rate >= BAR_PER_S else "not met"
    print(
        f"{what}: {found.events} events in {found.wall_s:.2f} s, {rate:.0f} a second ({verdict}); "
        f"{by_processor:.0f} a processor second"
    )
    return rate >= BAR_PER_S


def intake(folder: Path, devices: int, visits: int) -> Measured:
    """Push `visits` visits of each device; batches are made before the clock starts."""
    process = CloudProcess(folder / "cloud").start()
    try:
        pushes = [_prepared(process, folder, visits) for _ in range(devices)]
        began_s, worked_s = time.perf_counter(), _processor_s(process.process.pid)
        pushers = [threading.Thread(target=push) for push in pushes]
        for pusher in pushers:
            pusher.start()
        for pusher in pushers:
            pusher.join()
        wall_s = time.perf_counter() - began_s
        worked_s = _processor_s(process.process.pid) - worked_s
    finally:
        process.kill()
    with closing(sqlite3.connect(folder / "cloud" / "cloud.db")) as database:
        (stored,) = database.execute("SELECT count(*) FROM event").fetchone()
    if stored != devices * visits * 3:
        raise RuntimeError(f"{stored} of {devices * visits * 3} events arrived")
    return Measured(events=stored, wall_s=wall_s, processor_s=worked_s)


def _prepared(process: CloudProcess, folder: Path, visits: int) -> Callable[[], None]:
    """Return the pushes of one enrolled device, compressed already, signed as they leave."""
    clinic = Clinic(process.url).enrol(_code(folder))
    for _ in range(visits):
        for kind, payload in a_visit()[0]:
            clinic.outbox.add(payload, kind)
    events = [wire_event(event) for event in clinic.outbox.events]
    bodies = [
        compress(
            SyncBatch(
                device_id=clinic.identity.device_id,
                epoch=1,
                batch_id=f"b{start}",
                app_version=SOFTWARE.app,
                sent_at=NOON,
                events=tuple(events[start : start + PAGE]),
            ).wire_bytes()
        )
        for start in range(0, len(events), PAGE)
    ]
    headers = {"Content-Encoding": ZSTD, "Content-Type": "application/json"}

    def push() -> None:
        for body in bodies:
            clinic.transport._call("POST", BATCHES_PATH, body, headers, BatchReceipt)  # noqa: SLF001

    return push


def _code(folder: Path) -> str:
    return Cloud("", CloudSettings(data=folder / "cloud")).code()


def _processor_s(pid: int) -> float:
    """Return user and system time of a process. Source: proc(5), /proc/pid/stat, fields 14, 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def forward(folder: Path) -> Measured:
    """Hand the log on. Raises BrokerError without the library."""
    settings = CloudSettings(data=folder / "cloud", kafka_servers="unused")
    broker = KafkaBroker(settings, **{"test.mock.num.brokers": 1})
    engine = open_database(settings.database_address())
    began_s, worked_s = time.perf_counter(), time.process_time()
    handed = await Forwarder(EmbeddedLog(engine), broker, SqlCursor(engine, "kafka")).catch_up()
    wall_s, worked_s = time.perf_counter() - began_s, time.process_time() - worked_s
    await broker.close()
    await engine.dispose()
    return Measured(events=handed, wall_s=wall_s, processor_s=worked_s)


if __name__ == "__main__":
    sys.exit(main())
