"""The lines on sync of docs/reliability.md: what a visit, a day, a bad link cost; events a second.

`sync` needs a minute or two of a quiet machine; `links` needs Linux and root (network namespaces),
waits more than it works, and says so where it cannot run.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from faults.sync import test_real_links as links

from benchmarks import sync_bytes, sync_stream
from benchmarks.rows import Row
from cloud_api.stream.forward import BrokerError

DEVICES, VISITS_EACH = 4, 400
LOSS: Final = 0.1
OVERHEAD_VISITS, OVERHEAD_RUNS = 1000, 2


def sync_rows(folder: Path, many: Callable[[int], int]) -> list[Row]:
    """Return what a visit and an idle day cost, and how many events a second pass."""
    (folder / "visit").mkdir()
    (folder / "day").mkdir()
    visit = sync_bytes.visit_bytes(folder / "visit")
    day = sync_bytes.idle_day_bytes(folder / "day")
    taken = sync_stream.intake(folder, DEVICES, many(VISITS_EACH))
    return [
        Row(
            f"One visit with feedback and audit, {sync_bytes.VISITS} of them in batches of 50 "
            "events (TCP payload both ways: TLS, HTTP, receipts included)",
            f"<= {sync_bytes.VISIT_BAR:,} bytes",
            f"{visit:,.0f} bytes",
            visit <= sync_bytes.VISIT_BAR,
        ),
        Row(
            "Idle day: 288 turns with nothing to push, looks for settings, one for a bundle",
            f"<= {sync_bytes.IDLE_BAR:,} bytes",
            f"{day:,} bytes",
            day <= sync_bytes.IDLE_BAR,
        ),
        _rate(f"Gateway, HTTP to durable log, {DEVICES} devices, batches of 200", taken),
        _broker(folder),
    ]


def _broker(folder: Path) -> Row:
    what = "Log to a broker of the Kafka protocol (librdkafka's own)"
    try:
        return _rate(what, asyncio.run(sync_stream.forward(folder)))
    except BrokerError as error:
        return Row(what, _RATE_BAR, f"not measured: {error}", None)


_RATE_BAR: Final = f">= {sync_stream.BAR_PER_S:,.0f} events/s"


def _rate(what: str, found: sync_stream.Measured) -> Row:
    rate = found.events / found.wall_s
    return Row(
        what,
        _RATE_BAR,
        f"{rate:,.0f} a second ({found.events / found.processor_s:,.0f} a processor second; load "
        f"{os.getloadavg()[0]:.1f})",
        rate >= sync_stream.BAR_PER_S,
    )


def link_rows(many: Callable[[int], int], seed: int) -> list[Row]:
    """Return what a push over a link that loses packets costs; the worst of the runs counts."""
    visits = many(OVERHEAD_VISITS)
    what = (
        f"Bytes of IP packets, both ways, {visits:,} visits, {LOSS:.0%} loss each way, 256 kbit/s, "
        f"300 ms; {OVERHEAD_RUNS} runs"
    )
    bar = f"<= {links.OVERHEAD_BAR}x payload"
    reason = links.not_here()
    if reason:
        return [Row(what, bar, f"not measured: {reason}", None)]
    costs = [links.overhead(visits, LOSS, seed=seed + run) for run in range(OVERHEAD_RUNS)]
    worst = max(costs, key=lambda cost: cost.ratio)
    each = ", ".join(f"{cost.ratio:.3f}x" for cost in costs)
    return [
        Row(
            what,
            bar,
            f"{each}; the worst: {worst.wire:,} bytes over {worst.payload:,}",
            worst.ratio <= links.OVERHEAD_BAR,
        )
    ]
