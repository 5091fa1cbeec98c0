"""Schema of a store: read cheaply at open; Alembic is imported only when a migration is due."""

from pathlib import Path

from sqlalchemy import Engine, text

from desktop.store.engine import begin_immediate
from desktop.store.errors import StoreCorruptError, StoreNewerError
from desktop.store.tables import SCHEMA_VERSION

MIGRATIONS = Path(__file__).with_name("migrations")


def schema_version(engine: Engine) -> int:
    """Return the store's schema version; 0 for a database without our tables."""
    with engine.connect() as connection:
        return int(connection.execute(text("PRAGMA user_version")).scalar_one())


def bring_to_head(engine: Engine, path: Path, *, create: bool = False) -> None:
    """Migrate the store to the schema this version knows; nothing to do is the usual case.

    Raises:
        StoreCorruptError: no schema at all in a store that was not just created.
        StoreNewerError: written by a newer application; left untouched.
    """
    found = schema_version(engine)
    if found == SCHEMA_VERSION:
        return
    if found > SCHEMA_VERSION:
        raise StoreNewerError(found, SCHEMA_VERSION)
    if found == 0 and not create:
        raise StoreCorruptError(path, "the file holds no clinic")
    upgrade(engine)


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to `revision` in one transaction."""
    from alembic import command  # noqa: PLC0415 -- 0.7 s, paid only when a migration is due
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with begin_immediate(engine).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
