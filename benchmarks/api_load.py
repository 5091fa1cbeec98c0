"""`python -m benchmarks.api_load`: /predict with explanation under an open load, on this machine.

Workers are `vereda-cloud` processes on loopback, one to a port as in a cluster, on one database;
the generator shares the processors with them. Requests leave on a schedule whether or not earlier
ones came back, and each is timed from the moment it was due, so that a stall is seen by every
request that fell into it. They are made and signed before the clock starts and go over kept
connections (`benchmarks.http_lines`); what the generator takes of the processors is told. Each is
another case (visits of patients held out, their ages moved by days) unless `--repeated` says
otherwise, and each device stays under the rate of a subject.

`--database` and `--redis` name a PostgreSQL and a Redis to use; `own` starts one for the run.

    --rate 100 --seconds 120      the promise: p50 < 25 ms, p99 < 100 ms, no error
    --overload                    what is answered and what is refused when asked for too much
    --saturate                    doubles as long as p99 stays under 500 ms, then halves the step
    --layers                      cost of each layer of the edge, in process
    --parts                       cost of each part of a prediction beside the engine, in process
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import httpx
import numpy as np
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.cloud_server import Clinic, CloudProcess

from benchmarks import api_layers, api_parts, ward
from benchmarks.http_lines import Lines, prepared
from cloud_api.limits.rates import SUBJECT_PER_MINUTE
from ddx.domain.wire import case_to_json

P50_MS, P99_MS, SATURATED_P99_MS = 25.0, 100.0, 500.0
MEMORY_MIB: Final = 512.0
SEED: Final = 20_261_126
REPOSITORY = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("VEREDA_DATA", REPOSITORY.parent / "shared" / "data"))
RARE_SHARE: Final = 0.1
PATIENCE_S: Final = 30.0
OWN: Final = "own"
REFUSED: Final = "503"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return 0 when what was asked for is met."""
    asked = _options(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # told to stop: take the workers along
    print(f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}")
    if asked.layers:
        print(api_layers.table())
        return 0
    if not asked.cases and not asked.data.is_dir():
        print(f"No clinical data sets in {asked.data}: set VEREDA_DATA.", file=sys.stderr)
        return 2
    if asked.save:
        asked.save.write_text(json.dumps(written(asked.data)), encoding="utf-8")
        return 0
    content = json.loads(asked.cases.read_text()) if asked.cases else written(asked.data)
    cases = Cases(content["common"], content["rare"])
    if asked.parts:
        print(api_parts.table(iter(cases.next, None)))
        return 0
    with (
        stores(asked),
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), asked) as workers,
    ):
        load = Load(workers, cases, asked)
        load.run(rate=10.0, seconds=5.0)  # engines warm
        if asked.saturate:
            return saturate(load, asked.seconds)
        return (overload if asked.overload else hold)(load, asked)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.api_load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--explained", type=int, default=5, help="candidates explained")
    parser.add_argument(
        "--repeated", type=float, default=0.0, help="share of requests asked before, 0 to 1"
    )
    parser.add_argument("--database", default="", help="SQLAlchemy address; embedded when empty")
    parser.add_argument("--redis", default="", help="address of a Redis the workers share")
    parser.add_argument("--save", type=Path, help="write the cases for --cases, and stop")
    parser.add_argument("--cases", type=Path, help="read them instead of the data sets")
    parser.add_argument("--overload", action="store_true")
    parser.add_argument("--saturate", action="store_true")
    parser.add_argument("--layers", action="store_true")
    parser.add_argument("--parts", action="store_true")
    return parser.parse_args(argv)


class Cases:
    """Endless cases, no two alike: visits whose ages move by a day each time around."""

    def __init__(self, common: Sequence[Any], rare: Sequence[Any]) -> None:
        self._common, self._rare, self._asked = common, rare, 0

    def next(self) -> dict[str, Any]:
        """Return the next case as JSON values."""
        number, self._asked = self._asked, self._asked + 1
        of = self._rare if number % round(1 / RARE_SHARE) == 0 else self._common
        case = of[number % len(of)]
        return case | {"age_days": (case.get("age_days") or 10_000) + number // len(of)}


def written(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Return visits of DDXPlus patients and published rare cases, as JSON values."""
    common, rare = ward.visits(ward.common_cases(data)), ward.rare_cases(data)
    return {
        "common": [case_to_json(labelled.case) for labelled in common],
        "rare": [case_to_json(labelled.case) for labelled in rare],
    }


@contextlib.contextmanager
def stores(asked: argparse.Namespace) -> Iterator[None]:
    """Start what was asked for as `own`, durable as in production, until the block ends."""
    from support.services import postgres, redis_server  # noqa: PLC0415

    with contextlib.ExitStack() as running:
        if asked.database == OWN:
            cluster = running.enter_context(postgres(fsync="on"))
            asked.database = cluster.address(asyncio.run(cluster.create()))
        if asked.redis == OWN:
            asked.redis = running.enter_context(redis_server())
        yield


@contextlib.contextmanager
def served(folder: Path, asked: argparse.Namespace) -> Iterator[list[CloudProcess]]:
    """Run the workers until the block ends."""
    settings = {
        "VEREDA_CLOUD_ADDRESS_PER_MINUTE": "1000000",  # everything comes from one address here
        "VEREDA_CLOUD_LOG_FORMAT": "json",
        "VEREDA_CLOUD_DATABASE_URL": asked.database,
        "VEREDA_CLOUD_REDIS_URL": asked.redis,
    }
    os.environ.update({name: value for name, value in settings.items() if value})
    workers: list[CloudProcess] = []
    try:
        workers.extend(CloudProcess(folder / "cloud").start() for _ in range(asked.workers))
        for worker in workers:
            while httpx.get(f"{worker.url}/ready").status_code != 200:
                time.sleep(0.1)
        yield workers
    finally:
        for worker in workers:
            worker.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What came of a load. latencies_ms: from when a request was due to its last byte, sorted.

    refused_ms: the same of those answered 503. failed: all that were not answered 200, by how.
    generator_s: processor time the generator took itself.
    """

    rate: float
    latencies_ms: Sequence[float]
    refused_ms: Sequence[float]
    failed: dict[str, int]
    wall_s: float
    generator_s: float
    worked_s: Sequence[float]
    memory_mib: Sequence[float]

    def at(self, quantile: float) -> float:
        """Return a quantile in ms, nearest rank."""
        return _at(self.latencies_ms, quantile)

    @property
    def asked(self) -> int:
        """How many were asked."""
        return len(self.latencies_ms) + sum(self.failed.values())

    def line(self) -> str:
        """Return it in one line."""
        busy = ", ".join(f"{worked / self.wall_s:.2f}" for worked in self.worked_s)
        answered = len(self.latencies_ms) / self.wall_s
        return (
            f"{self.rate:.0f}/s asked, {answered:.1f}/s answered, {len(self.latencies_ms)} in all: "
            f"p50 {self.at(0.5):.1f} ms, p95 {self.at(0.95):.1f} ms, p99 {self.at(0.99):.1f} ms, "
            f"worst {self.at(1.0):.0f} ms, failed {self.failed or 0}; "
            f"processor seconds a second {busy}, "
            f"{sum(self.worked_s) / max(1, len(self.latencies_ms)) * 1000:.1f} ms an answer, "
            f"generator {self.generator_s / self.asked * 1000:.2f} ms a request; "
            f"memory {max(self.memory_mib):.0f} MiB"
        )


class Load:
    """Signed requests of many devices, spread over the workers."""

    def __init__(
        self, workers: Sequence[CloudProcess], cases: Cases, asked: argparse.Namespace
    ) -> None:
        self._workers, self._cases, self._asked = workers, cases, asked
        self._devices: list[Clinic] = []
        self._dice = np.random.default_rng(SEED)
        self._past: list[bytes] = []

    def run(self, *, rate: float, seconds: float) -> Held:
        """Ask `rate` requests a second for `seconds`."""
        self._enrol(int(rate * 60 / SUBJECT_PER_MINUTE * 1.5) + 1)
        ready = [self._request(n) for n in range(int(rate * seconds))]
        pids = [worker.process.pid for worker in self._workers]
        worked = [_processor_s(pid) for pid in pids]
        began, began_s = time.perf_counter(), time.process_time()
        ended = uvloop.run(self._send(ready, rate))
        wall_s, generator_s = time.perf_counter() - began, time.process_time() - began_s
        failed = {how: len(times) for how, times in ended.items() if how != "200"}
        return Held(
            rate=rate,
            latencies_ms=sorted(ended.get("200", ())),
            refused_ms=sorted(ended.get(REFUSED, ())),
            failed=failed,
            wall_s=wall_s,
            generator_s=generator_s,
            worked_s=[_processor_s(p) - w for p, w in zip(pids, worked, strict=True)],
            memory_mib=[_peak_mib(pid) for pid in pids],
        )

    def _enrol(self, devices: int) -> None:
        from support.cloud_server import Cloud  # noqa: PLC0415

        from cloud_api.settings import CloudSettings  # noqa: PLC0415

        cloud = Cloud(self._workers[0].url, CloudSettings(data=self._workers[0].data))
        while len(self._devices) < devices:
            self._devices.append(Clinic(cloud.url).enrol(cloud.code()))

    def _request(self, number: int) -> bytes:
        if self._past and self._dice.random() < self._asked.repeated:
            body = self._past[int(self._dice.integers(len(self._past)))]
        else:
            asked = {"case": self._cases.next(), "explained": self._asked.explained}
            body = json.dumps(asked).encode()
            self._past.append(body)
        device = self._devices[number % len(self._devices)]
        headers = device.transport._signature("POST", "/predict", body)  # noqa: SLF001
        return prepared(self._workers[number % len(self._workers)].url, "/predict", body, headers)

    async def _send(self, ready: Sequence[bytes], rate: float) -> dict[str, list[float]]:
        """Return the latencies in ms by status, in the order of the answers."""
        ended: dict[str, list[float]] = {}
        lines = [Lines(worker.url) for worker in self._workers]
        began = time.perf_counter()

        def told(due_s: float) -> Callable[[str], None]:
            def tell(how: str) -> None:
                took_ms = (time.perf_counter() - began - due_s) * 1000
                ended.setdefault(how, []).append(took_ms)

            return tell

        for number, request in enumerate(ready):
            due_s = number / rate
            await asyncio.sleep(max(0.0, began + due_s - time.perf_counter()))
            await lines[number % len(lines)].ask(request, told(due_s))
        until = time.perf_counter() + PATIENCE_S
        while any(line.waiting for line in lines) and time.perf_counter() < until:
            await asyncio.sleep(0.005)
        for line in lines:
            line.close()
        return ended


def hold(load: Load, asked: argparse.Namespace) -> int:
    """Ask at one rate; return 0 when the promise is kept."""
    held = load.run(rate=asked.rate, seconds=asked.seconds)
    print(held.line())
    met = {
        f"p50 < {P50_MS:.0f} ms": held.at(0.5) < P50_MS,
        f"p99 < {P99_MS:.0f} ms": held.at(0.99) < P99_MS,
        "no error": not held.failed,
        f"memory < {MEMORY_MIB:.0f} MiB a worker": max(held.memory_mib) < MEMORY_MIB,
    }
    print("; ".join(f"{what}: {'met' if kept else 'NOT met'}" for what, kept in met.items()))
    return 0 if all(met.values()) else 1


def overload(load: Load, asked: argparse.Namespace) -> int:
    """Ask for too much; return 0 when answers keep the spec's time and the rest is refused."""
    held = load.run(rate=asked.rate, seconds=asked.seconds)
    print(held.line())
    if held.refused_ms:
        print(
            f"refused {len(held.refused_ms)} of {held.asked}: "
            f"p50 {_at(held.refused_ms, 0.5):.1f} ms, p99 {_at(held.refused_ms, 0.99):.1f} ms"
        )
    met = {
        f"p99 of answers < {SATURATED_P99_MS:.0f} ms": held.at(0.99) < SATURATED_P99_MS,
        "nothing but answers and refusals": not held.failed.keys() - {REFUSED},
    }
    print("; ".join(f"{what}: {'met' if kept else 'NOT met'}" for what, kept in met.items()))
    return 0 if all(met.values()) else 1


def saturate(load: Load, seconds: float) -> int:
    """Find the highest rate whose p99 stays under SATURATED_P99_MS without an error."""
    rate, step, best = 20.0, 20.0, 0.0
    while step >= 5.0:
        held = load.run(rate=rate, seconds=seconds)
        kept = not held.failed and held.at(0.99) < SATURATED_P99_MS
        print(("holds   " if kept else "breaks  ") + held.line(), flush=True)
        if kept:
            best, rate = rate, rate + step
        else:
            step /= 2
            rate = best + step
            time.sleep(2)
    print(f"saturation: {best:.0f} requests a second, p99 < {SATURATED_P99_MS:.0f} ms, no error")
    return 0


def _at(times_ms: Sequence[float], quantile: float) -> float:
    """Return a quantile of sorted times, nearest rank; infinite when there are none."""
    if not times_ms:
        return math.inf
    return times_ms[min(int(quantile * len(times_ms)), len(times_ms) - 1)]


def _processor_s(pid: int) -> float:
    """Return user and system time of a process. Source: proc(5), /proc/pid/stat, fields 14, 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mib(pid: int) -> float:
    """Return the most memory a process has held. Source: proc(5), VmHWM of /proc/pid/status."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
