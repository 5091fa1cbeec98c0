"""The logs over SQL do what the ports say."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from support.record_logs import (
    AuditLogContract,
    FeedbackLogContract,
    PredictionLogContract,
    a_decision,
    a_draft,
    a_prediction,
)

from cloud_api.records.sql import SqlAuditLog, SqlFeedbackLog, SqlPredictionLog


class TestSqlPredictionLog(PredictionLogContract):
    @pytest.fixture
    def log(self, database):
        return SqlPredictionLog(database)


class TestSqlFeedbackLog(FeedbackLogContract):
    @pytest.fixture
    def log(self, database):
        return SqlFeedbackLog(database)


class TestSqlAuditLog(AuditLogContract):
    @pytest.fixture
    def log(self, database):
        return SqlAuditLog(database)


@pytest.mark.parametrize("table", ["prediction", "feedback", "audit_record"])
@pytest.mark.parametrize("change", ["UPDATE {} SET actor = 'nobody'", "DELETE FROM {}"])
async def test_the_database_itself_refuses_to_change_or_remove_a_record(database, table, change):
    await SqlPredictionLog(database).append(a_prediction())
    await SqlFeedbackLog(database).append(a_decision())
    await SqlAuditLog(database).append(a_draft())
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.begin() as connection:
            await connection.execute(text(change.format(table)))
    async with database.connect() as connection:
        kept = await connection.scalar(
            text(f"SELECT count(*) FROM {table} WHERE actor != 'nobody'")
        )
    assert kept == 1
