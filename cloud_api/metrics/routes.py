"""GET /metrics: what Prometheus scrapes."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter, Response

from cloud_api.auth.access import everyone
from cloud_api.metrics.metrics import Metrics
from cloud_api.operation import operation
from cloud_api.stream.log import EventStream

_OPEN: Final = everyone("counts over everybody, without patient or organisation; kept inside")
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


def router(metrics: Metrics, stream: EventStream, more: Callable[[], Awaitable[None]]) -> APIRouter:
    """Return the one route. more: sets the gauges that are read when asked for."""
    routes = APIRouter(tags=["health"])
    described = operation(None, _OPEN)
    described["responses"][200] = {"content": {"text/plain": {"schema": {"type": "string"}}}}

    @routes.get("/metrics", response_class=Response, **described)
    async def scrape() -> Response:
        """Return counters and histograms in the exposition format of Prometheus."""
        metrics.stream_head.set(await stream.head())
        await more()
        return Response(metrics.text(), media_type=_TEXT)

    return routes
