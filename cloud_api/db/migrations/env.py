"""Runs the migrations on the connection `cloud_api.db.migrate` hands over."""

from alembic import context

from cloud_api.db import record_tables  # noqa: F401 - its tables belong to the metadata
from cloud_api.db.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
