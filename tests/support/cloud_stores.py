"""Fixtures of the cloud's stores: a test that asks for `database` runs on SQLite and PostgreSQL.

A plugin of the whole suite, so that a session starts each server once, when it is first asked for.
"""

import pytest

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres_cluster():
    from support.services import postgres  # most sessions need neither server nor client

    with postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def redis_address():
    from support.services import redis_server

    with redis_server() as address:
        yield address


@pytest.fixture(scope="session")
def _migrated():
    """Names of databases brought to this version once and copied from then on."""
    return {}


@pytest.fixture(params=BACKENDS)
async def empty_address(request, tmp_path):
    """Address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'cloud.db'}"
        return
    cluster = request.getfixturevalue("postgres_cluster")
    name = await cluster.create()
    yield cluster.address(name)
    await cluster.drop(name)


@pytest.fixture(params=BACKENDS)
async def database_address(request, tmp_path, _migrated):
    """Address of a database with the tables of this version."""
    if request.param == "sqlite":
        address = f"sqlite+aiosqlite:///{tmp_path / 'cloud.db'}"
        await _migrate(address)
        yield address
        return
    cluster = request.getfixturevalue("postgres_cluster")
    if "template" not in _migrated:
        template = await cluster.create()
        await _migrate(cluster.address(template))
        _migrated["template"] = template
    name = await cluster.create(_migrated["template"])
    yield cluster.address(name)
    await cluster.drop(name)


@pytest.fixture
async def database(database_address):
    from cloud_api.db.engine import open_database

    engine = open_database(database_address)
    yield engine
    await engine.dispose()


async def _migrate(address):
    from cloud_api.db.engine import open_database
    from cloud_api.db.migrate import migrate

    engine = open_database(address)
    try:
        await migrate(engine)
    finally:
        await engine.dispose()
