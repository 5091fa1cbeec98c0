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


def test_a_clinic_of_the_first_schema_keeps_its_chain_and_its_diagnoses(engine):
    upgrade(engine, "0001")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO audit_entry (epoch, sequence, id, at, actor, action, subject, detail,"
                " previous, hash) VALUES (1, 1, 'e', '2026-11-23T12:00:00.000000+00:00', 'a',"
                " 'sign_in', 's', '{}', 'p', 'h')"
            )
        )
        connection.execute(
            text("INSERT INTO clinician VALUES ('c', 'A', 'Auditor', 1, '2026-11-23')")
        )
        connection.execute(
            text(
                "INSERT INTO patient VALUES ('p', 'A', 'B', 'a b', 'female', '1990-05-01', '',"
                " 'x', '2026-11-23', '2026-11-23')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO diagnosis VALUES ('d', 'p', 'c', '2026-11-23', '{}', '{}', 'f', 'r',"
                " 'v', 'b', '3fa9-12bc-77')"
            )
        )
    upgrade(engine)
    with engine.connect() as connection:
        entry = connection.execute(text("SELECT hash, signature FROM audit_entry")).one()
        kept = connection.execute(
            text("SELECT short_code, features, contributions FROM diagnosis")
        ).one()
    assert tuple(entry) == ("h", "")
    assert tuple(kept) == ("3fa9-12bc-77", "", "[]")


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


OLD_CASE = '{"findings":[{"id":"HP:0001945","presence":"present"}]}'
OLD_DIFFERENTIAL = '{"candidates":[{"disease":"VD:dengue","rank":1}]}'
OLD_ROWS = (
    "INSERT INTO clinician VALUES ('c', 'Ana', 'MedicoAdmin', 1, '2026-01-01')",
    "INSERT INTO patient VALUES ('p', 'José', 'Núñez', 'jose nunez', 'male', '1990-05-01', "
    "'45678912', 'x', '2026-01-01T00:00:00.000000+00:00', '2026-01-01T00:00:00.000000+00:00')",
    f"INSERT INTO diagnosis VALUES ('d', 'p', 'c', '2026-01-01', '{OLD_CASE}', "
    f"'{OLD_DIFFERENTIAL}', 'f', 'r', 'v', 'b', 'dead-beef-00')",
    "INSERT INTO feedback VALUES ('k', 'd', 'c', 'custom', 'VD:flu', 'other', '2026-01-01', "
    "'viene de Lares')",
    "INSERT INTO audit_entry VALUES (1, 1, 'e', '2026-01-01', 'c', 'sign_in', 'c', '{}', 'g', 'h')",
)
"""What a store of the first revision may hold; later revisions keep every one of these columns."""


def earlier_revisions():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    known = ScriptDirectory.from_config(config).walk_revisions()
    return sorted(script.revision for script in known if not script.is_head)


@pytest.mark.parametrize("revision", earlier_revisions())
def test_a_store_of_an_earlier_revision_is_brought_to_head_with_its_rows(
    tmp_path, key, engine, revision
):
    upgrade(engine, "0001")
    with engine.begin() as connection:
        for row in OLD_ROWS:
            connection.exec_driver_sql(row.replace("%", "%%"))
    upgrade(engine, revision)
    engine.dispose()
    store = ClinicStore.open(tmp_path / "clinic.db", key)
    store.check()
    with store.read() as unit:
        assert [p.given_name for p in unit.patients.search("nune 456", 5)] == ["José"]
        for codes, words in (
            (("HP:0001945",), ""),
            (("VD:dengue",), ""),
            (("VD:flu",), ""),
            ((), "lares"),
            ((), "dead beef"),
        ):
            assert [d for _, d in unit.patients.seen_with(codes, words, 5)] == ["d"], codes
    with store._readers.connect() as connection:
        counts = [
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("clinician", "patient", "diagnosis", "feedback", "audit_entry")
        ]
    assert counts == [1, 1, 1, 1, 1]
    store.close()
