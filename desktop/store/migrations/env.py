"""Alembic environment: migrates the connection it is handed, in that connection's transaction."""

from alembic import context

from desktop.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
)
context.run_migrations()
