"""Column types: UTC moments as sortable text, JSON as canonical text."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from ddx.domain.canonical import canonical_json


class UtcMoment(TypeDecorator[datetime]):
    """A moment as `2026-11-23T18:40:18.000000+00:00`: text order is time order."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Return the text to store. Raises ValueError for a moment without a time zone."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("a stored moment needs a time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Return the moment, in UTC."""
        return None if value is None else datetime.fromisoformat(value)


class CanonicalJson(TypeDecorator[Any]):
    """A JSON value as canonical text, so that what was hashed is what is stored."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Return the text to store. Raises ValueError for nan and infinities."""
        return None if value is None else canonical_json(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 -- SQLAlchemy's signature
        """Return the stored value."""
        return None if value is None else json.loads(value)
