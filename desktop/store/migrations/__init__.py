"""Alembic migrations of the clinic's store."""
