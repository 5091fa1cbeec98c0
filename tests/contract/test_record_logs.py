"""The logs over SQL do what the ports say."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from support.record_logs import (
    OURS,
    AuditLogContract,
    FeedbackLogContract,
    PredictionLogContract,
    a_decision,
    a_draft,
    a_prediction,
    an_event,
    decided,
)

from cloud_api.records.sql import SqlAuditLog, SqlFeedbackLog, SqlPredictionLog
from cloud_api.stream.log import EmbeddedLog


class TestSqlPredictionLog(PredictionLogContract):
    @pytest.fixture
    def log(self, database):
        return SqlPredictionLog(database)


class TestSqlFeedbackLog(FeedbackLogContract):
    @pytest.fixture
    def log(self, database):
        return SqlFeedbackLog(database)

    @pytest.fixture
    def events(self, database):
        return EmbeddedLog(database)

    async def test_a_decision_whose_event_cannot_be_stored_is_not_stored_either(self, log, events):
        broken = replace(an_event(a_decision()), payload={"at": object()})
        with pytest.raises(TypeError):
            await log.append(a_decision(), broken)
        assert await log.search(OURS) == []
        assert await events.head() == 0


class TestSqlAuditLog(AuditLogContract):
    @pytest.fixture
    def log(self, database):
        return SqlAuditLog(database)


@pytest.mark.parametrize("table", ["prediction", "feedback", "audit_record"])
@pytest.mark.parametrize("change", ["UPDATE {} SET actor = 'nobody'", "DELETE FROM {}"])
async def test_the_database_itself_refuses_to_change_or_remove_a_record(database, table, change):
    await SqlPredictionLog(database).append(a_prediction())
    await decided(SqlFeedbackLog(database), a_decision())
    await SqlAuditLog(database).append(a_draft())
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.begin() as connection:
            await connection.execute(text(change.format(table)))
    async with database.connect() as connection:
        kept = await connection.scalar(
            text(f"SELECT count(*) FROM {table} WHERE actor != 'nobody'")
        )
    assert kept == 1
