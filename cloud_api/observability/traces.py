"""OpenTelemetry traces of requests: which route, how long, in what part. Off unless told where to.

Attributes are an allow-list of our own, not those of the instrumentation packages: these record
addresses, queries and exceptions with their messages. Names: OpenTelemetry semantic conventions,
HTTP spans.
"""

from typing import Final

from opentelemetry import propagate
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NoOpTracer, Span, SpanKind, Status, StatusCode, Tracer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_api.limits.edge import PROBES, SCRAPE
from cloud_api.metrics.metrics import StatusSent, method_of, route_of
from cloud_api.settings import CloudSettings
from ddx.errors import DdxError

SERVICE: Final = "vereda-cloud"
NO_TRACES: Final = NoOpTracer()


class MonitorMissingError(DdxError):
    """Traces are wanted in Azure Monitor and the library for it is not installed."""

    code = "observability.monitor_missing"


def provider_of(
    settings: CloudSettings, exporter: SpanExporter | None = None
) -> TracerProvider | None:
    """Return where traces go, None when nowhere. exporter: in place of Azure Monitor's.

    Raises:
        MonitorMissingError: install the extra `monitor`.
    """
    exporter = exporter or _azure(settings)
    if exporter is None:
        return None
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: SERVICE}),
        sampler=ParentBased(TraceIdRatioBased(settings.traces_ratio)),
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _azure(settings: CloudSettings) -> SpanExporter | None:
    connection = settings.monitor_connection.get_secret_value()
    if not connection:
        return None
    try:
        from azure.monitor.opentelemetry.exporter import (  # noqa: PLC0415 - an extra
            AzureMonitorTraceExporter,
        )
    except ImportError as error:
        raise MonitorMissingError("install vereda[monitor] to send traces to Azure") from error
    exporter: SpanExporter = AzureMonitorTraceExporter(
        connection_string=connection, disable_offline_storage=True
    )
    return exporter


class Traces:
    """Opens a span for each request but probes and scrapes; joins the caller's trace."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app, self._tracer = app, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on inside a span."""
        if scope["type"] != "http" or scope["path"] in {*PROBES, SCRAPE}:
            await self._app(scope, receive, send)
            return
        with self._tracer.start_as_current_span(
            method_of(scope),
            context=propagate.extract(dict(Headers(scope=scope))),
            kind=SpanKind.SERVER,
            record_exception=False,  # its message may hold values
            set_status_on_exception=False,
        ) as span:
            await self._traced(span, scope, receive, send)

    async def _traced(self, span: Span, scope: Scope, receive: Receive, send: Send) -> None:
        sent = StatusSent(send)

        try:
            await self._app(scope, receive, sent)
        finally:
            route, method = route_of(scope), method_of(scope)
            span.update_name(f"{method} {route}")
            span.set_attributes(
                {
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": sent.status,
                }
            )
            if sent.status >= 500:
                span.set_status(Status(StatusCode.ERROR))
