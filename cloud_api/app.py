"""Composition root of the cloud: the only place that wires."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from sqlalchemy.ext.asyncio import AsyncEngine

from cloud_api import errors, health
from cloud_api.auth.device import DeviceAuthenticator
from cloud_api.auth.directory import SqlDirectory
from cloud_api.auth.nonces import ProcessNonces
from cloud_api.auth.oidc import NoIdentities, OidcIdentities, fetch_over_https
from cloud_api.auth.statement_key import FileStatementKey, ed25519_check
from cloud_api.db.engine import open_database
from cloud_api.db.erasing import act_on_kept_erasures
from cloud_api.db.heads import SqlHeads
from cloud_api.db.migrate import migrate
from cloud_api.db.settings import SqlDeviceSettings
from cloud_api.db.sink import SqlSink
from cloud_api.diagnose import routes as diagnose_routes
from cloud_api.diagnose.service import ClinicalEngine, DiagnosisService
from cloud_api.metrics.metrics import Metrics, MetricsMiddleware
from cloud_api.registry import routes as registry_routes
from cloud_api.registry.repository import Repository
from cloud_api.settings import CloudSettings
from cloud_api.stream.forward import Forwarder, SqlCursor
from cloud_api.stream.kafka import KafkaBroker
from cloud_api.stream.log import EmbeddedLog
from ddx.domain.artifacts import Artifacts
from sync_service.gateway import routes as gateway_routes
from sync_service.gateway.leases import Identities
from sync_service.gateway.routes import Gateway

_KAFKA = "kafka"
OpenEngine = Callable[[Artifacts], ClinicalEngine]


def default_engine(artifacts: Artifacts) -> ClinicalEngine:
    """Return the clinical engine; imported here so that sync starts before onnxruntime does."""
    from ddx.engine import Engine  # noqa: PLC0415 - see the docstring

    return Engine.from_artifacts(artifacts)


def utc_now() -> datetime:
    """Return the server's clock."""
    return datetime.now(UTC)


def create_app(
    settings: CloudSettings,
    *,
    open_engine: OpenEngine = default_engine,
    now: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """Return the service. Database and engine are opened when it starts."""
    repository, metrics = Repository.of(settings), Metrics()
    engine = open_database(settings.database_address())
    diagnosis = DiagnosisService(lambda: open_engine(repository.open()))
    app = FastAPI(title="Vereda", version="0.1.0", lifespan=_lifespan(settings, engine, diagnosis))
    directory, stream = SqlDirectory(engine), EmbeddedLog(engine)
    authenticator = DeviceAuthenticator(directory.find, ProcessNonces(), now)
    gateway = Gateway(
        sink=SqlSink(engine, now=now, alarmed=lambda a: metrics.alarms.labels(a.kind).inc()),
        heads=SqlHeads(engine, now=now, alarmed=lambda a: metrics.alarms.labels(a.kind).inc()),
        key=FileStatementKey(settings.statement_key_file()),
        check=ed25519_check,
        identities=_identities(settings),
        directory=directory,
        authenticator=authenticator,
        now=now,
        settings=SqlDeviceSettings(engine),
        counted=lambda result, count: metrics.records.labels(result).inc(count),
    )
    app.include_router(gateway_routes.router(gateway))
    app.include_router(diagnose_routes.router(diagnosis, authenticator))
    app.include_router(health.router(stream, diagnosis))
    registry_routes.install(app, repository)

    @app.get("/metrics", include_in_schema=False)
    async def scrape() -> Response:
        metrics.stream_head.set(await stream.head())
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    errors.install(app, lambda: now().timestamp())
    app.add_middleware(errors.LastResort)
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # FastAPI's own extension point
    app.state.diagnosis, app.state.metrics = diagnosis, metrics
    return app


def _identities(settings: CloudSettings) -> Identities:
    if not (settings.oidc_issuer and settings.oidc_audience and settings.oidc_keys):
        return NoIdentities()
    return OidcIdentities(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        fetch_keys=fetch_over_https(settings.oidc_keys, settings.oidc_ca),
    )


def _lifespan(
    settings: CloudSettings, engine: AsyncEngine, diagnosis: DiagnosisService
) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await prepare(settings, engine)
        tasks = [asyncio.create_task(diagnosis.load())]
        if settings.kafka_servers:
            broker = KafkaBroker(settings)
            forwarder = Forwarder(EmbeddedLog(engine), broker, SqlCursor(engine, _KAFKA))
            tasks.append(asyncio.create_task(forwarder.run()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await engine.dispose()

    return lifespan


async def prepare(settings: CloudSettings, engine: AsyncEngine) -> None:
    """Make the data folder and bring the database to this version."""
    if not settings.database_url:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    await migrate(engine)
    await act_on_kept_erasures(engine)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document with the requests FastAPI does not read itself."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        models = (*gateway_routes.REQUEST_MODELS, *diagnose_routes.REQUEST_MODELS)
        _, schemas = models_json_schema(
            [(model, "validation") for model in models],
            ref_template="#/components/schemas/{model}",
        )
        known = document.setdefault("components", {}).setdefault("schemas", {})
        known.update(schemas.get("$defs", {}))
        app.openapi_schema = document
    return app.openapi_schema
