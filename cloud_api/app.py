"""Composition root of the cloud: the only place that wires."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from sqlalchemy.ext.asyncio import AsyncEngine

from cloud_api import edge, errors, health, sync_docs
from cloud_api.audit import routes as audit_routes
from cloud_api.audit.service import Journal
from cloud_api.auth.device import DeviceAuthenticator
from cloud_api.auth.directory import SqlDirectory
from cloud_api.auth.door import Door
from cloud_api.auth.guard import Guard
from cloud_api.auth.issuers import identities_of
from cloud_api.auth.statement_key import FileStatementKey, ed25519_check
from cloud_api.clinic_settings import routes as settings_routes
from cloud_api.clinic_settings.service import SettingService
from cloud_api.db.engine import open_database
from cloud_api.db.erasing import act_on_kept_erasures
from cloud_api.db.heads import SqlHeads
from cloud_api.db.migrate import migrate
from cloud_api.db.settings import SqlDeviceSettings
from cloud_api.db.sink import SqlSink
from cloud_api.devices import routes as devices_routes
from cloud_api.devices.repository import Fleet
from cloud_api.devices.service import DeviceService
from cloud_api.diagnose import routes as diagnose_routes
from cloud_api.diagnose.kept import KeptDiagnosis
from cloud_api.diagnose.room import WaitingRoom
from cloud_api.diagnose.service import ClinicalEngine, DiagnosisService
from cloud_api.documentation import DESCRIPTION, TITLE, document_of, install_page
from cloud_api.drain import Drain
from cloud_api.drift import routes as drift_routes
from cloud_api.drift.service import DriftService
from cloud_api.feedback import routes as feedback_routes
from cloud_api.feedback.service import FeedbackService
from cloud_api.identity import routes as identity_routes
from cloud_api.metrics import routes as metrics_routes
from cloud_api.metrics.fleet import devices_by_state
from cloud_api.metrics.metrics import Metrics
from cloud_api.observability.traces import NO_TRACES, SERVICE, provider_of
from cloud_api.predictions import routes as predictions_routes
from cloud_api.predictions.service import Receipts
from cloud_api.records.home import Records, records_of
from cloud_api.registry import routes as registry_routes
from cloud_api.registry.repository import Repository
from cloud_api.rollout import routes as rollout_routes
from cloud_api.rollout.ledger import ReleaseLedger
from cloud_api.settings import CloudSettings
from cloud_api.stream.forward import Forwarder, SqlCursor
from cloud_api.stream.kafka import KafkaBroker
from cloud_api.stream.log import EmbeddedLog
from ddx.domain.artifacts import Artifacts
from sync_service.gateway import routes as gateway_routes
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
    drain: Drain | None = None,
    spans: SpanExporter | None = None,
) -> FastAPI:
    """Return the service. Database and engine are opened when it starts.

    drain: tells that the service leaves. spans: takes the traces, in place of Azure Monitor.

    Raises:
        UndeclaredAccessError: an operation does not say who may call it.
    """
    repository, metrics, drain = Repository.of(settings), Metrics(), drain or Drain()
    traces = provider_of(settings, spans)
    tracer = traces.get_tracer(SERVICE) if traces else None
    shared = edge.shared_of(settings, metrics)
    engine = open_database(settings.database_address())
    diagnosis = DiagnosisService(lambda: open_engine(repository.open()))
    directory, stream = SqlDirectory(engine), EmbeddedLog(engine)
    authenticator = DeviceAuthenticator(directory.find, shared.nonces, now)
    identities, persons = identities_of(settings, now)
    guard = Guard(
        people=persons,
        devices=authenticator,
        operator=settings.tenant,
        admitted=lambda caller: shared.subject.spend(caller.tenant_id, caller.actor),
    )
    records = records_of(settings, engine, now)
    ledger = ReleaseLedger(records.audit, repository, now)
    lifespan = _lifespan(settings, engine, diagnosis, ledger, _open(records, shared, traces))
    app = FastAPI(
        title=TITLE,
        version="0.1.0",
        lifespan=lifespan,
        description=DESCRIPTION,
        docs_url=None,  # `documentation.install_page` has one that needs no other host
        redoc_url=None,
    )
    gateway = Gateway(
        sink=SqlSink(engine, now=now, alarmed=lambda a: metrics.alarms.labels(a.kind).inc()),
        heads=SqlHeads(engine, now=now, alarmed=lambda a: metrics.alarms.labels(a.kind).inc()),
        key=FileStatementKey(settings.statement_key_file()),
        check=ed25519_check,
        identities=identities,
        directory=directory,
        authenticator=authenticator,
        now=now,
        settings=SqlDeviceSettings(engine),
        counted=lambda result, count: metrics.records.labels(result).inc(count),
    )
    door = Door(app)
    receipts = Receipts(records.predictions, now)
    kept = KeptDiagnosis(diagnosis, shared.answers, metrics, tracer or NO_TRACES)
    room = WaitingRoom(refused=metrics.refused.inc)
    door.let_in(diagnose_routes.router(guard, kept, receipts, room))  # asked most: found first
    door.let_in(gateway_routes.router(gateway, sync_docs.described))
    door.let_in(health.router(stream, diagnosis, drain))
    door.let_in(metrics_routes.router(metrics, stream, _gauges(metrics, engine, diagnosis)))
    registry_routes.install(door, repository)
    for routes in _rooms(
        guard=guard,
        engine=engine,
        receipts=receipts,
        records=records,
        ledger=ledger,
        directory=directory,
        now=now,
        decided=lambda outcome, verb: metrics.feedback.labels(outcome, verb).inc(),
    ):
        door.let_in(routes)
    install_page(door)
    door.close()
    errors.install(app, lambda: now().timestamp())
    edge.install(app, settings, shared=shared, metrics=metrics, drain=drain, tracer=tracer)
    app.openapi = lambda: document_of(app, door.operations)  # type: ignore[method-assign] # FastAPI's own extension point
    app.state.diagnosis, app.state.metrics, app.state.door = diagnosis, metrics, door
    return app


def _gauges(
    metrics: Metrics, engine: AsyncEngine, diagnosis: DiagnosisService
) -> Callable[[], Awaitable[None]]:
    async def set_gauges() -> None:
        for state, count in (await devices_by_state(engine)).items():
            metrics.devices.labels(state).set(count)
        if diagnosis.state == "ready":
            served = diagnosis.engine
            metrics.bundle.info({"version": served.version, "digest": served.digest})

    return set_gauges


@asynccontextmanager
async def _open(
    records: Records, shared: edge.Shared, traces: TracerProvider | None
) -> AsyncIterator[None]:
    """Hold the connections to what is neither database nor broker."""
    async with records.opened:
        try:
            yield
        finally:
            await shared.memory.close()
            if traces is not None:
                await asyncio.to_thread(traces.shutdown)


def _rooms(
    *,
    guard: Guard,
    engine: AsyncEngine,
    receipts: Receipts,
    records: Records,
    ledger: ReleaseLedger,
    directory: SqlDirectory,
    now: Callable[[], datetime],
    decided: Callable[[str, str], None],
) -> Iterator[APIRouter]:
    """Return the routes of every room that knows its callers through the guard."""
    journal, fleet = Journal(records.audit, now), Fleet(engine)
    decisions = FeedbackService(records.feedback, receipts, now, decided)
    yield feedback_routes.router(guard, decisions, journal)
    yield predictions_routes.router(guard, receipts, journal)
    yield audit_routes.router(guard, journal)
    yield rollout_routes.registry(guard, ledger, records.audit)
    yield rollout_routes.rollout(guard, ledger)
    yield drift_routes.router(guard, DriftService(records.predictions, records.feedback, now))
    yield devices_routes.router(guard, DeviceService(fleet, directory, journal, now))
    yield settings_routes.router(
        guard, SettingService(SqlDeviceSettings(engine), fleet, journal, now)
    )
    yield identity_routes.router(guard)


def _lifespan(
    settings: CloudSettings,
    engine: AsyncEngine,
    diagnosis: DiagnosisService,
    ledger: ReleaseLedger,
    held: AbstractAsyncContextManager[None],
) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await prepare(settings, engine)
        tasks = [asyncio.create_task(diagnosis.load()), asyncio.create_task(ledger.watch())]
        if settings.kafka_servers:
            broker = KafkaBroker(settings)
            forwarder = Forwarder(EmbeddedLog(engine), broker, SqlCursor(engine, _KAFKA))
            tasks.append(asyncio.create_task(forwarder.run()))
        try:
            async with held:
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
