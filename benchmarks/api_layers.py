"""What each layer around the service costs a request, called in process without a socket."""

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from limits.aio.storage import MemoryStorage
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, TraceIdRatioBased
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_api.drain import ClosingConnections, Drain
from cloud_api.errors import LastResort
from cloud_api.limits.edge import AddressPace, AllowedNetworks, BodyBounds
from cloud_api.limits.headers import SecurityHeaders
from cloud_api.limits.rates import Rate
from cloud_api.metrics.metrics import Metrics, MetricsMiddleware
from cloud_api.observability.logs import RequestLines
from cloud_api.observability.traces import Traces

REQUESTS, ROUNDS = 2000, 9
SCOPE: Final[dict[str, Any]] = {
    "type": "http",
    "method": "POST",
    "path": "/predict",
    "headers": [(b"content-length", b"900"), (b"content-type", b"application/json")],
    "client": ("127.0.0.1", 40000),
}


class _Nowhere(SpanExporter):
    def export(self, spans: Any) -> SpanExportResult:  # noqa: ARG002
        return SpanExportResult.SUCCESS


async def _answers(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def _tracer(sampler: Sampler) -> Any:
    provider = TracerProvider(sampler=sampler)
    provider.add_span_processor(BatchSpanProcessor(_Nowhere()))
    return provider.get_tracer("benchmark")


def layers() -> dict[str, Callable[[ASGIApp], ASGIApp]]:
    """Return each layer of `cloud_api.edge` by name."""
    import ipaddress  # noqa: PLC0415

    networks = [ipaddress.ip_network("127.0.0.0/8")]
    rate = Rate(MemoryStorage(), name="address", per_minute=10**9)
    return {
        "last resort": LastResort,
        "body bounds": lambda app: BodyBounds(app, 1 << 20),
        "pace of an address, in process": lambda app: AddressPace(app, rate),
        "allowed networks": lambda app: AllowedNetworks(app, networks, networks),
        "security headers": SecurityHeaders,
        "draining": lambda app: ClosingConnections(app, Drain()),
        "metrics": lambda app: MetricsMiddleware(app, Metrics()),
        "log line": RequestLines,
        "traces, 5 % sampled": lambda app: Traces(app, _tracer(TraceIdRatioBased(0.05))),
        "traces, every request": lambda app: Traces(app, _tracer(ALWAYS_ON)),
    }


def table() -> str:
    """Return microseconds of each layer, and what a bare answer keeps of its throughput."""
    import logging  # noqa: PLC0415

    logging.getLogger("cloud_api").setLevel(logging.INFO)
    logging.getLogger("cloud_api").addHandler(logging.NullHandler())
    logging.getLogger("cloud_api").propagate = False
    bare = asyncio.run(_microseconds(_answers))
    lines = ["| layer | adds, us | of a request of 15 ms |", "|---|---|---|"]
    for name, wrap in layers().items():
        added = asyncio.run(_microseconds(wrap(_answers))) - bare
        lines.append(f"| {name} | {added:.1f} | {added / 15_000:.4f} |")
    return "\n".join(lines)


async def _microseconds(app: ASGIApp) -> float:
    """Return the median over rounds of the processor time of one call."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 900, "more_body": False}

    async def send(_message: Message) -> None:
        return None

    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REQUESTS):
            await app(dict(SCOPE), receive, send)
        found.append((time.process_time() - began) / REQUESTS * 1e6)
    return statistics.median(found)
