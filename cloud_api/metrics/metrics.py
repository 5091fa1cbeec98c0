"""Prometheus metrics of one application instance. Labels hold routes, never paths or ids."""

import time
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ddx.domain.engine_time import TENTHS_S
from sync_service.protocol.codes import AlarmKind

BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Holds the bounds of the service objectives: 200, 400 and 500 ms."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """All metrics, in a registry of their own: two applications in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "vereda_http_requests",
            "Requests by route, method and status",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "vereda_http_request_duration_seconds",
            "Time to the last byte of the answer",
            ("route", "method"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.records = Counter(
            "vereda_sync_records",
            "Records received, by what became of them (status, or reason of rejection)",
            ("result",),
            registry=self.registry,
        )
        self.alarms = Counter(
            "vereda_sync_alarms",
            "Alarms raised by the gateway",
            ("kind",),
            registry=self.registry,
        )
        for kind in AlarmKind:
            self.alarms.labels(kind)  # from 0: `increase` does not see a series begin at 1
        self.stream_head = Gauge(
            "vereda_stream_head", "Highest server sequence stored", registry=self.registry
        )
        self.in_progress = Gauge(
            "vereda_http_requests_in_progress", "Requests being answered", registry=self.registry
        )
        self._edge()
        self._model()
        self._fleet()
        ProcessCollector(registry=self.registry)

    def _edge(self) -> None:
        self.answers = Counter(
            "vereda_answer_cache",
            "Look-ups of kept answers: hit, miss, or the memory was unreachable",
            ("outcome",),
            registry=self.registry,
        )
        self.unshared = Counter(
            "vereda_shared_memory_failures",
            "Times the shared memory did not answer, by what wanted it",
            ("use",),
            registry=self.registry,
        )

    def _model(self) -> None:
        self.engine_seconds = Histogram(
            "vereda_engine_duration_seconds",
            "Time in the engine, waiting for its turn included; kept answers take none",
            ("route",),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        # one bundle answers as long as a process lives: the label has one value in each
        self.model_seconds = Histogram(
            "vereda_model_duration_seconds",
            "Cases the engine answered by bundle, and the time each took; kept answers are none",
            ("bundle",),
            buckets=TENTHS_S,
            registry=self.registry,
        )
        self.model_errors = Counter(
            "vereda_model_errors",
            "Cases the engine failed on through no fault of the caller, by bundle",
            ("bundle",),
            registry=self.registry,
        )
        self.refused = Counter(
            "vereda_engine_refused",
            "Questions refused because too many waited already",
            registry=self.registry,
        )
        self.predictions = Counter(
            "vereda_predictions",
            "Predictions by world and band of their first candidate",
            ("world", "band"),
            registry=self.registry,
        )
        self.triage = Counter(
            "vereda_triage",
            "Predictions by triage level, 1 (immediate) to 5",
            ("level",),
            registry=self.registry,
        )
        self.feedback = Counter(
            "vereda_feedback",
            "Decisions of clinicians by outcome and verb",
            ("outcome", "verb"),
            registry=self.registry,
        )
        self.bundle = Info("vereda_bundle", "The bundle that answers", registry=self.registry)

    def _fleet(self) -> None:
        self.devices = Gauge(
            "vereda_devices",
            "Devices by state: enrolled, revoked",
            ("state",),
            registry=self.registry,
        )

    def text(self) -> bytes:
        """Return the exposition format."""
        return generate_latest(self.registry)


class StatusSent:
    """A `send` that remembers the status it passed on; 500 while none was: the request failed."""

    def __init__(self, send: Send) -> None:
        self._send, self.status = send, 500

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


class MetricsMiddleware:
    """Counts and times every HTTP request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and measure it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent, began = StatusSent(send), time.perf_counter()
        self._metrics.in_progress.inc()

        try:
            await self._app(scope, receive, sent)
        finally:
            self._metrics.in_progress.dec()
            route, method = route_of(scope), method_of(scope)
            self._metrics.requests.labels(route, method, str(sent.status)).inc()
            self._metrics.seconds.labels(route, method).observe(time.perf_counter() - began)


def method_of(scope: Scope) -> str:
    """Return the method when it is one of HTTP's own; a caller may send any word as one."""
    method = str(scope["method"])
    return method if method in _METHODS else "other"


def route_of(scope: Scope) -> str:
    """Return the template of the matched route, so that no value of a path becomes a label."""
    route = scope.get("route")
    if route is not None:
        return str(getattr(route, "path", "unmatched"))
    mounted = str(scope.get("root_path", ""))
    return f"{mounted}/{{file}}" if mounted else "unmatched"
