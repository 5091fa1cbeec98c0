"""Migrations of the clinic's store: self-contained, at head, and the same as the models."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from desktop.store.engine import open_engine
from desktop.store.errors import StoreCorruptError, StoreNewerError
from desktop.store.keys import new_data_key
from desktop.store.schema import MIGRATIONS, schema_version, upgrade
from desktop.store.store import ClinicStore
from desktop.store.tables import SCHEMA_VERSION, SEARCH_INDEXES, Table


@pytest.fixture
def key():
    return new_data_key()


@pytest.fixture
def engine(tmp_path, key):
    engine = open_engine(tmp_path / "clinic.db", key, create=True)
    yield engine
    engine.dispose()


def not_an_index(name, kind, _parents):
    return not (kind == "table" and name.startswith(SEARCH_INDEXES))


def test_a_migrated_store_is_what_the_models_describe(engine):
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": not_an_index})
        assert compare_metadata(context, Table.metadata) == []


def test_the_version_read_at_open_is_the_head_of_the_migrations(engine):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    upgrade(engine)
    assert ScriptDirectory.from_config(config).get_current_head() == f"{SCHEMA_VERSION:04d}"
    assert schema_version(engine) == SCHEMA_VERSION


def test_no_migration_imports_the_models():
    for script in (MIGRATIONS / "versions").glob("*.py"):
        assert "desktop" not in script.read_text(encoding="utf-8")


def test_a_failed_migration_leaves_the_store_as_it_was(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE setting (key TEXT)"))  # in the way of revision 0001
    with pytest.raises(Exception, match="already exists"):
        upgrade(engine)
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master")).scalars().all()
    assert tables == ["setting"]
    assert schema_version(engine) == 0


def test_a_store_from_the_future_is_left_alone(tmp_path, key, engine):
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("PRAGMA user_version = 99"))
    engine.dispose()
    with pytest.raises(StoreNewerError) as newer:
        ClinicStore.open(tmp_path / "clinic.db", key)
    assert (newer.value.found, newer.value.known) == (99, SCHEMA_VERSION)


def test_a_database_without_a_clinic_is_not_filled_in_silently(tmp_path, key, engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE stray (a)"))
    engine.dispose()
    with pytest.raises(StoreCorruptError):
        ClinicStore.open(tmp_path / "clinic.db", key)


def test_opening_a_store_at_head_does_not_pay_for_alembic(tmp_path, key):
    ClinicStore.create(tmp_path / "clinic.db", key).close()
    probe = (
        "import sys; from pathlib import Path; from desktop.store.store import ClinicStore\n"
        "key = bytes.fromhex(sys.stdin.read())\n"
        "ClinicStore.open(Path(sys.argv[1]), key).close(); print('alembic' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", probe, str(tmp_path / "clinic.db")],
        input=key.hex(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "False"
