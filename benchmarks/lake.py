"""`python -m benchmarks.lake`: the lake's bars, its engines side by side, and online features.

stream    records of the gateway's log to bronze, in events a second (bar: 1,000)
growth    bronze to silver and gold of 10^4, 10^5, 10^6 events, suites included: how cost and memory
          grow with the events, and what an hour's events cost on top; every row accounted for
engines   the same definitions on the embedded engine and on Apache Spark (a Java is needed), and
          the core of them written for Polars and for Ibis on DuckDB
features  one online read, SQLite and Redis, p50 and p99 (bars: p99 under 50 ms, aim 5 ms)

Beside the wall clock, which a busy machine stretches, the processor seconds of this process, its
threads and its children. Exit code 1 when a bar is not met.
"""

import argparse
import hashlib
import itertools
import json
import logging
import math
import os
import platform
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import pyarrow.compute as pc
from support.lake_records import KEYED, Ears, diagnosis, feedback

from benchmarks import lake_rivals
from benchmarks.lake_cost import Cost, cost_of, peak_mib
from benchmarks.lake_events import NOON, Expected, clinic_of, fill
from training.lake.bronze import Bronze, Intake
from training.lake.build import build
from training.lake.engine import open_engine
from training.lake.gold import read_cases
from training.lake.place import Lake
from training.lake.status import status
from training.lake.stream import follow
from training.lake.tables import (
    BRONZE_EVENTS,
    GOLD_CASES,
    SILVER_CASES,
    SILVER_FINDINGS,
    SILVER_LABELS,
    LakeTable,
)
from training.sources.stream import SqlLog

STREAM_BAR_PER_S: Final = 1000.0
READ_BAR_MS, READ_AIM_MS = 50.0, 5.0
LINEAR: Final = 1.5
"""Ten times the events may cost up to fifteen times: near linear."""

PARTS: Final = ("stream", "growth", "engines", "features")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is asked for and print it; return 0 when every bar is met."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.lake",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all of them by default")
    parser.add_argument("--events", type=int, default=20_000, help="through the stream")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--hour", type=int, default=10_000, help="events that come on top")
    parser.add_argument("--side-by-side", type=int, default=10_000, help="events for the engines")
    asked = parser.parse_args(argv)
    logging.getLogger().setLevel(logging.ERROR)
    print(f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}")
    met = True
    for part in asked.parts or PARTS:
        print(f"\n{part}")
        with tempfile.TemporaryDirectory() as folder:
            met = _PARTS[part](Path(folder), asked) and met
    return 0 if met else 1


def stream(folder: Path, asked: argparse.Namespace) -> bool:
    """A log of visits, three in five of them a diagnosis, read to bronze page by page."""
    path = folder / "cloud.db"
    _write_log(path, asked.events)
    lake = Lake(str(folder / "lake"))
    taken: list[Intake] = []
    cost = cost_of(
        lambda: taken.extend(follow(SqlLog(f"sqlite:///{path}"), lake, Bronze(lake), KEYED))
    )
    stored = sum(part.stored for part in taken)
    if stored != asked.events:
        raise RuntimeError(f"{stored} of {asked.events} events arrived")
    met = stored / cost.wall_s >= STREAM_BAR_PER_S
    print(f"  log to bronze: {stored:,} events, {cost.a_second(stored)} ({_verdict(met)})")
    return met


def growth(folder: Path, asked: argparse.Namespace) -> bool:
    """A backlog of growing size from bronze to published gold, then an hour's events on top.

    Each build has a process of its own, so that its peak of memory is its own.
    """
    built, added = dict[int, Built](), dict[int, Built]()
    for size in asked.sizes:
        lake = Lake(str(folder / str(size)))
        for events, of, found in (
            (size, "events", built),
            (size + asked.hour, f"and {asked.hour:,} more", added),
        ):
            expected = fill(lake, events, after=0 if found is built else size)
            found[size] = _alone(lake)
            _assert_complete(lake, expected)
            print(f"  {size:>9,} {of:<16}: {found[size]}", flush=True)
        print(f"  {'':>9} every row accounted for: {_account(expected)}")
        shutil.rmtree(lake.address)
    met = True
    for small, large in itertools.pairwise(asked.sizes):
        times, hour = (
            of[large].cost.processor_s / of[small].cost.processor_s for of in (built, added)
        )
        linear = times <= LINEAR * large / small
        met = met and linear
        print(
            f"  {small:,} to {large:,}: cost x {times:.1f}, exponent "
            f"{math.log(times) / math.log(large / small):.2f} ({_verdict(linear)}); "
            f"an hour's {asked.hour:,} on top: cost x {hour:.2f}"
        )
    return met


@dataclass(frozen=True, slots=True)
class Built:
    """One build of `events`. started_s: until the engine answered.

    at_start_mib, peak_mib: most memory its process held, before the build and with it.
    """

    events: int
    cost: Cost
    started_s: float
    at_start_mib: float
    peak_mib: float

    def __str__(self) -> str:
        return (
            f"{self.cost.wall_s:7.1f} s, {self.cost.processor_s:7.1f} processor s, "
            f"{self.cost.a_second(self.events)}, memory {self.at_start_mib:,.0f} "
            f"to {self.peak_mib:,.0f} MiB"
        )


def _alone(lake: Lake, engine: str = "embedded") -> Built:
    """Return what it costs to build what waits, in a process of its own: one engine a process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        return alone.submit(_build, lake.address, engine).result()


def _build(address: str, engine_name: str) -> Built:
    lake, began_s = Lake(address), time.perf_counter()
    with open_engine(engine_name, lake) as engine:
        engine.spark.sql("SELECT 1").collect()
        started_s = time.perf_counter() - began_s
        waiting = engine.read(BRONZE_EVENTS).where(f"batch > {status(lake).silver_read}").count()
        at_start_mib = peak_mib()
        cost = cost_of(lambda: build(lake, engine, Ears()))
    return Built(waiting, cost, started_s, at_start_mib, peak_mib())


def _assert_complete(lake: Lake, expected: Expected) -> None:
    """Raise unless every event is where it belongs, once, or known to be set aside."""

    def count(table: LakeTable, only: Any = None) -> int:
        return int(lake.open(table).to_pyarrow_dataset().count_rows(filter=only))

    repeats = pc.field("duplicate_of").is_valid()
    found = {
        "bronze": count(BRONZE_EVENTS),
        "cases": count(SILVER_CASES),
        "repeats": count(SILVER_CASES, repeats),
        "findings": count(SILVER_FINDINGS),
        "labels": count(SILVER_LABELS),
        "gold": count(GOLD_CASES),
        "labelled": count(GOLD_CASES, pc.field("disease").is_valid()),
    }
    wrong = {
        name: (rows, getattr(expected, name))
        for name, rows in found.items()
        if rows != getattr(expected, name)
    }
    if wrong:
        raise RuntimeError(f"rows found, and expected: {wrong}")


def _account(expected: Expected) -> str:
    return (
        f"{expected.bronze:,} events; {expected.cases:,} cases, {expected.repeats:,} of them "
        f"repeats; {expected.findings:,} findings; {expected.labels:,} labels, "
        f"{expected.waiting:,} of them before their case; {expected.silent:,} words without a "
        f"disease; {expected.gold:,} gold cases, {expected.labelled:,} labelled"
    )


def engines(folder: Path, asked: argparse.Namespace) -> bool:
    """One batch on each engine, sessions started; then the core of it for other libraries."""
    size = asked.side_by_side
    digests = {}
    for name in ("embedded", "spark"):
        if name == "spark" and shutil.which("java") is None:
            print("  spark: not measured, no Java here (openjdk-17-jre-headless)")
            continue
        lake = Lake(str(folder / name))
        fill(lake, size)
        built = _alone(lake, name)
        digests[name] = read_cases(lake.address).rows_sha256
        print(f"  {name}: starts in {built.started_s:.1f} s; {size:,} events: {built}", flush=True)
    same = len(set(digests.values())) == 1
    print(f"  gold of {', '.join(digests)}: {'the same rows' if same else 'DIFFERENT rows'}")
    lake = Lake(str(folder / "core"))
    fill(lake, size)
    with open_engine("embedded", lake) as engine:
        engine.spark.sql("SELECT 1").collect()
        rivals = {"pyspark on pysail": lambda: lake_rivals.on_engine(engine)} | {
            "polars": lambda: lake_rivals.on_polars(lake),
            "ibis on duckdb": lambda: lake_rivals.on_ibis(lake),
        }
        counts = set()
        for name, work in rivals.items():
            found: list[int] = []
            cost = cost_of(lambda: found.append(work()))  # noqa: B023
            counts.add(found[0])
            print(
                f"  core only, {name}: {cost.wall_s:.2f} s, {cost.processor_s:.2f} processor s, "
                f"{found[0]:,} cases"
            )
    return same and len(counts) == 1


def features(folder: Path, asked: argparse.Namespace) -> bool:
    """2,000 reads of one patient and one clinic, after 200 to warm up."""
    from training.feature_store.publish import compute  # noqa: PLC0415 - Feast: seconds
    from training.feature_store.store import FeatureStore  # noqa: PLC0415
    from training.feature_store.tables import PATIENT_FEATURES  # noqa: PLC0415

    lake = Lake(str(folder / "lake"))
    fill(lake, asked.side_by_side)
    with open_engine("embedded", lake) as engine:
        build(lake, engine, Ears())
        compute(lake, engine)
    patients = lake.open(PATIENT_FEATURES).to_pyarrow_table()["patient"].unique().to_pylist()
    met = True
    with _redis(folder) as redis:
        for where in ("sqlite", redis):
            if not where:
                print("  redis: not measured, no redis-server here")
                continue
            store = FeatureStore(lake, folder / where.replace(":", "-"), online=where)
            published = cost_of(lambda: store.materialise(datetime.now(UTC)))  # noqa: B023
            p50_ms, p99_ms = _read_ms(store, patients)
            met = met and p99_ms < READ_BAR_MS
            aim = f"{_verdict(p99_ms < READ_BAR_MS)}, aim {_verdict(p99_ms < READ_AIM_MS)}"
            print(
                f"  {where.partition(':')[0].replace('127.0.0.1', 'redis')}: "
                f"{len(patients):,} patients published in {published.wall_s:.1f} s; one read "
                f"p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms ({aim})"
            )
    return met


def _read_ms(store: Any, patients: Sequence[str]) -> tuple[float, float]:
    dice, clinic = random.Random(1), clinic_of(0)
    took = []
    for number in range(2200):
        pair = (dice.choice(patients), clinic)
        began_s = time.perf_counter()
        store.online([pair])
        if number >= 200:
            took.append((time.perf_counter() - began_s) * 1000)
    took.sort()
    return took[len(took) // 2], took[len(took) * 99 // 100]


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    """Yield the address of a Redis on loopback, "" where none can be started."""
    if shutil.which("redis-server") is None:
        yield ""
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


_PARTS: Final[dict[str, Callable[[Path, argparse.Namespace], bool]]] = {
    "stream": stream,
    "growth": growth,
    "engines": engines,
    "features": features,
}


def _write_log(path: Path, events: int) -> None:
    """Write the cloud's event table as the gateway leaves it; each payload is one of its own."""
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE event (server_sequence INTEGER PRIMARY KEY, device_id, id, kind, "
            "created_at, payload, payload_sha256, schema_version INTEGER, erased_by INTEGER)"
        )
        for number in range(0, events, 5):
            told = [diagnosis() for _ in range(3)]
            records = [*told, *(feedback(t, disease="VD:croup") for t in told[:2])]
            for at, record in enumerate(records[: events - number]):
                text = json.dumps(dict(record.payload), sort_keys=True, separators=(",", ":"))
                database.execute(
                    "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, 1, NULL)",
                    (
                        number + at + 1,
                        f"device-{number % 40}",
                        record.event_id,
                        record.kind.value,
                        NOON.isoformat(),
                        text,
                        hashlib.sha256(text.encode()).hexdigest(),
                    ),
                )
        database.commit()


def _verdict(met: bool) -> str:
    return "met" if met else "not met"


if __name__ == "__main__":
    sys.exit(main())
