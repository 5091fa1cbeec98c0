"""No query on rows of an organisation escapes it: by the source, and by what a session does."""

import ast
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import aliased
from support.record_logs import OURS, THEIRS, a_draft, a_prediction

import cloud_api
from cloud_api.db import record_tables
from cloud_api.db.engine import open_database
from cloud_api.db.migrate import migrate
from cloud_api.db.one_step import one_step
from cloud_api.db.record_tables import AuditTipRow, PredictionRow
from cloud_api.db.scoped import (
    Reason,
    ScopeError,
    TenantRow,
    add_rows,
    tenant_session,
    unscoped_session,
)
from cloud_api.db.tables import Base
from cloud_api.records.sql import SqlAuditLog, SqlPredictionLog

ROOM = Path(cloud_api.__file__).parent
OPENERS = {"AsyncSession", "Session", "async_sessionmaker", "sessionmaker", "AsyncConnection"}
CONNECTS = {"begin", "connect", "raw_connection"}

MAY_CONNECT = {
    "db/scoped.py": "opens the two kinds of session",
    "db/one_step.py": "runs what db/scoped.py gives it",
    "db/migrate.py": "changes tables, reads no rows",
    "db/erasing.py": "one PRAGMA that empties SQLite's log",
}
MAY_SEE_ALL = {
    "auth/directory.py": {Reason.AUTHENTICATION, Reason.DEVICE},
    "db/online.py": {Reason.DEVICE},
    "db/sink.py": {Reason.DEVICE},
    "db/erasing.py": {Reason.DEVICE},
    "db/settings.py": {Reason.DEVICE, Reason.SERVICE},
    "metrics/fleet.py": {Reason.COUNTS},
    "stream/log.py": {Reason.STREAM},
    "stream/forward.py": {Reason.STREAM},
}
"""Each opening for every organisation is named here; a new one is a decision, not a slip."""


def calls(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            yield getattr(called, "id", getattr(called, "attr", "")), node


def modules():
    for path in sorted(ROOM.rglob("*.py")):
        if "migrations" not in path.parts:
            yield path.relative_to(ROOM).as_posix(), path


def test_sessions_and_connections_are_opened_in_one_module():
    found = {}
    for name, path in modules():
        for called, node in calls(path):
            owner = ast.unparse(node.func).rpartition(".")[0]
            raw = called in CONNECTS and owner.endswith("engine")
            if called in OPENERS or raw or called == "connection":
                found.setdefault(name, []).append(called)
    assert found.keys() == MAY_CONNECT.keys()


def test_every_session_without_an_organisation_has_a_reason_on_the_list():
    found = {}
    for name, path in modules():
        for called, node in calls(path):
            if called in {"unscoped_session", "unscoped_row"}:
                assert ast.unparse(node.args[1]).startswith("Reason."), name
                found.setdefault(name, set()).add(Reason[node.args[1].attr])
    assert found == MAY_SEE_ALL


def test_every_table_with_an_organisation_is_one_the_scope_knows():
    assert record_tables
    for mapper in Base.registry.mappers:
        carries = "tenant_id" in mapper.local_table.columns
        assert carries is issubclass(mapper.class_, TenantRow), mapper


@pytest.fixture
async def database(tmp_path):
    engine = open_database(f"sqlite+aiosqlite:///{tmp_path / 'cloud.db'}")
    await migrate(engine)
    await SqlPredictionLog(engine).append(a_prediction(tenant_id=OURS))
    await SqlPredictionLog(engine).append(a_prediction(1, tenant_id=THEIRS, triage_level=5))
    await SqlAuditLog(engine).append(a_draft(tenant_id=THEIRS))
    yield engine
    await engine.dispose()


OTHER = aliased(PredictionRow)


@pytest.mark.parametrize(
    "statement",
    [
        select(PredictionRow.tenant_id),
        select(PredictionRow.tenant_id).where(PredictionRow.tenant_id == THEIRS),
        select(PredictionRow.tenant_id).where(PredictionRow.triage_level == 5),
        select(OTHER.tenant_id),
        select(OTHER.tenant_id).join(PredictionRow, OTHER.id != PredictionRow.id),
        select(select(PredictionRow.tenant_id).subquery()),
        select(PredictionRow.tenant_id).union_all(select(OTHER.tenant_id)),
        select(func.max(PredictionRow.tenant_id)),
        select(PredictionRow.tenant_id).where(
            PredictionRow.tenant_id == OURS,
            select(AuditTipRow.tenant_id).where(AuditTipRow.tenant_id == THEIRS).exists(),
        ),
    ],
)
async def test_no_way_of_asking_finds_rows_of_another_organisation(database, statement):
    async with tenant_session(database, OURS) as session:
        found = (await session.scalars(statement)).all()
    assert set(found) <= {OURS, None}
    async with unscoped_session(database, Reason.SERVICE) as session:
        everything = (await session.scalars(statement)).all()
    assert THEIRS in everything or OURS in everything  # the question does find rows


async def test_neither_get_nor_update_nor_delete_reaches_them(database):
    async with tenant_session(database, OURS) as session:
        assert await session.get(AuditTipRow, THEIRS) is None
        await session.execute(update(AuditTipRow).values(hash="f" * 64))
        await session.execute(delete(AuditTipRow))
    assert (await SqlAuditLog(database).tip(THEIRS)).sequence == 1
    assert (await SqlAuditLog(database).tip(THEIRS)).hash != "f" * 64


@pytest.mark.parametrize(
    "statement",
    [
        insert(AuditTipRow).values(tenant_id=THEIRS, sequence=9, hash="f" * 64),
        select(PredictionRow.__table__),
        select(PredictionRow.__table__.c.tenant_id),
        delete(AuditTipRow.__table__),
        text("SELECT tenant_id FROM prediction"),
    ],
)
async def test_what_the_scope_cannot_be_added_to_is_refused(database, statement):
    with pytest.raises(ScopeError):
        async with tenant_session(database, OURS) as session:
            await session.execute(statement)


async def test_rows_for_another_organisation_are_not_written(database):
    with pytest.raises(ScopeError):
        async with tenant_session(database, OURS) as session:
            session.add(AuditTipRow(tenant_id="others", sequence=0, hash="f" * 64))


async def test_a_session_of_no_organisation_is_no_session(database):
    with pytest.raises(ScopeError):
        async with tenant_session(database, ""):
            pass


async def test_rows_are_added_to_the_organisation_they_name_and_to_none_without_one(database):
    row = {"tenant_id": OURS, "sequence": 0, "hash": "f" * 64}
    await add_rows(one_step(database), AuditTipRow, [row])
    assert (await SqlAuditLog(database).tip(OURS)).hash == "f" * 64
    with pytest.raises(ScopeError):
        await add_rows(one_step(database), AuditTipRow, [row | {"tenant_id": ""}])


def test_transactions_in_one_step_go_through_the_scope_only():
    made = {
        name
        for name, path in modules()
        for called, node in calls(path)
        if called == "one_step" or ast.unparse(node.func) in {"database.read", "database.write"}
    }
    assert made == {"db/scoped.py", "auth/directory.py", "records/sql.py"}
