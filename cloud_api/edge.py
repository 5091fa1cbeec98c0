"""The duties of a gateway, in the order a request meets them, and what workers share for them.

docs/gateway.md says which of them API Management does first in production.
"""

from dataclasses import dataclass

from fastapi import FastAPI
from opentelemetry.trace import Tracer

from cloud_api import errors
from cloud_api.auth.nonces import NonceMemory, ProcessNonces
from cloud_api.cache.answers import AnswerCache
from cloud_api.drain import ClosingConnections, Drain
from cloud_api.limits.edge import AddressPace, AllowedNetworks, BodyBounds
from cloud_api.limits.headers import SecurityHeaders
from cloud_api.limits.rates import Rate, storage_at
from cloud_api.metrics.metrics import Metrics, MetricsMiddleware
from cloud_api.observability.logs import RequestLines
from cloud_api.observability.traces import Traces
from cloud_api.settings import CloudSettings
from cloud_api.shared.ports import SharedMemory
from cloud_api.shared.process import ProcessMemory
from cloud_api.shared.redis import RedisMemory, RedisNonces, open_redis


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the workers hold in common. subject: spent per (organisation, person or device)."""

    memory: SharedMemory
    nonces: NonceMemory
    subject: Rate
    address: Rate
    answers: AnswerCache


def shared_of(settings: CloudSettings, metrics: Metrics) -> Shared:
    """Return it in Redis where settings name one, in this process otherwise."""
    storage = storage_at(settings.redis_url)

    def rate(name: str, per_minute: int) -> Rate:
        unshared = metrics.unshared.labels(f"rate_{name}").inc
        return Rate(storage, name=name, per_minute=per_minute, unshared=unshared)

    memory, nonces = _memory(settings)
    return Shared(
        memory=memory,
        nonces=nonces,
        subject=rate("subject", settings.subject_per_minute),
        address=rate("address", settings.address_per_minute),
        answers=AnswerCache(memory, counted=lambda outcome: metrics.answers.labels(outcome).inc()),
    )


def _memory(settings: CloudSettings) -> tuple[SharedMemory, NonceMemory]:
    if not settings.redis_url:
        return ProcessMemory(), ProcessNonces()
    client = open_redis(settings.redis_url)
    return RedisMemory(client), RedisNonces(client)


def install(
    app: FastAPI,
    settings: CloudSettings,
    *,
    shared: Shared,
    metrics: Metrics,
    drain: Drain,
    tracer: Tracer | None,
) -> None:
    """Put the layers around `app`; a request meets the last one added first."""
    app.add_middleware(errors.LastResort)
    app.add_middleware(BodyBounds, limit_bytes=settings.body_limit_bytes)
    app.add_middleware(AddressPace, rate=shared.address)
    app.add_middleware(
        AllowedNetworks, networks=settings.allowed_networks, scrapers=settings.scrape_networks
    )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(ClosingConnections, drain=drain)
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    app.add_middleware(RequestLines)
    if tracer is not None:
        app.add_middleware(Traces, tracer=tracer)
