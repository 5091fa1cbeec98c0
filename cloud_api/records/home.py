"""Where the three logs live: the service's own database, or Azure Cosmos DB when it is named.

When each serves: docs/adr/0020-two-homes-for-the-records.md.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from cloud_api.db.online import OnlineLog, SqlOnlineLog
from cloud_api.records.ports import AuditLog, FeedbackLog, PredictionLog
from cloud_api.records.sql import SqlAuditLog, SqlFeedbackLog, SqlPredictionLog
from cloud_api.settings import CloudSettings
from ddx.errors import DdxError


class CosmosMissingError(DdxError):
    """The logs are wanted in Cosmos DB and the library for it is not installed."""

    code = "record.cosmos_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The three logs. opened: hold it while they are used."""

    predictions: PredictionLog
    feedback: FeedbackLog
    audit: AuditLog
    opened: AbstractAsyncContextManager[None]


def records_of(
    settings: CloudSettings, engine: AsyncEngine, now: Callable[[], datetime]
) -> Records:
    """Return the logs where the settings want them.

    Raises:
        CosmosMissingError: install the extra `cosmos`.
    """
    if settings.cosmos_endpoint:
        return _in_cosmos(settings, SqlOnlineLog(engine, now))
    return Records(
        predictions=SqlPredictionLog(engine),
        feedback=SqlFeedbackLog(engine),
        audit=SqlAuditLog(engine),
        opened=_nothing(),
    )


def _in_cosmos(settings: CloudSettings, events: OnlineLog) -> Records:
    try:
        from azure.cosmos.aio import CosmosClient  # noqa: PLC0415 - an extra

        from cloud_api.records import cosmos  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise CosmosMissingError("install vereda[cosmos] to keep records in Azure") from error
    client = CosmosClient(
        settings.cosmos_endpoint,
        settings.cosmos_key.get_secret_value(),
        connection_verify=settings.cosmos_ca or True,
    )
    database = client.get_database_client(settings.cosmos_database)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        async with client:
            yield

    return Records(
        predictions=cosmos.CosmosPredictionLog(database),
        feedback=cosmos.CosmosFeedbackLog(database, events),
        audit=cosmos.CosmosAuditLog(database),
        opened=opened(),
    )


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield
