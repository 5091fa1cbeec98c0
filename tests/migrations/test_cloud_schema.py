"""Every migration of the cloud runs on SQLite and on PostgreSQL, up, down and up again."""

import asyncio

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from cloud_api.db import migrate as migrating
from cloud_api.db import record_tables  # noqa: F401 - its tables belong to the metadata
from cloud_api.db.engine import open_database
from cloud_api.db.migrate import migrate
from cloud_api.db.tables import Base

SCRIPTS = ScriptDirectory(f"{migrating.__file__.rsplit('/', 1)[0]}/migrations")


def step(connection, direction, revision):
    config = Config()
    config.set_main_option("script_location", SCRIPTS.dir)
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)


@pytest.fixture
async def empty(empty_address):
    engine = open_database(empty_address)
    yield engine
    await engine.dispose()


def test_there_is_one_line_of_migrations():
    assert len(SCRIPTS.get_heads()) == 1


async def test_each_migration_goes_up_down_and_up_again(empty):
    for script in reversed(list(SCRIPTS.walk_revisions())):
        for direction, revision in (
            ("upgrade", script.revision),
            ("downgrade", script.down_revision or "base"),
            ("upgrade", script.revision),
        ):
            async with empty.begin() as connection:
                await connection.run_sync(step, direction, revision)
    async with empty.connect() as connection:
        names = await connection.run_sync(lambda c: inspect(c).get_table_names())
    assert set(Base.metadata.tables) <= set(names)


async def test_the_migrations_make_the_tables_the_program_reads(database):
    def differences(connection):
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        return compare_metadata(context, Base.metadata)

    async with database.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_workers_that_start_together_migrate_once(empty_address):
    if "sqlite" in empty_address:
        pytest.skip("the embedded database has one worker")
    engines = [open_database(empty_address) for _ in range(3)]
    await asyncio.gather(*map(migrate, engines))
    for engine in engines:
        await engine.dispose()


APPEND_ONLY = {
    "event": (
        "server_sequence, device_id, epoch, sequence, id, kind, created_at, received_at, payload, "
        "payload_sha256, batch_id, schema_version, app_version, extra",
        "1, 'd', 1, 1, 'i', 'diagnosis', '2026-11-26', '2026-11-26', '{}', 'h', 'b', 1, '1', '{}'",
    ),
    "audit_head": (
        "device_id, epoch, sequence, head, device_key, device_signature, server_time, server_key, "
        "signature",
        "'d', 1, 1, 'h', 'k', 's', 't', 'k', 's'",
    ),
    "device_setting": (
        "server_sequence, device_id, key, value, set_at",
        "1, 'd', 'k', '1', '2026-11-26'",
    ),
}


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {} SET device_id = 'x'", "DELETE FROM {}"])
async def test_no_row_of_a_log_changes_or_goes(database, table, change):
    columns, values = APPEND_ONLY[table]
    async with database.begin() as connection:
        await connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({values})")
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.begin() as connection:
            await connection.execute(text(change.format(table)))


async def test_a_log_cannot_be_emptied_at_once(database):
    if database.dialect.name == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    for table in (*APPEND_ONLY, "erased_subject", "prediction", "feedback", "audit_record"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.begin() as connection:
                await connection.execute(text(f"TRUNCATE {table}"))
