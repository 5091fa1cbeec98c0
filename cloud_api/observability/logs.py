"""Log lines as JSON, one object a line, that cannot carry what a caller sent.

Two rules make it so. Of our own modules a line holds the message, whose arguments are codes and
counts, and the fields of FIELDS; of everybody else's modules only the unformatted template, since
their arguments may be values. Of an exception it holds type and place, never the message.
"""

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from opentelemetry import trace
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_api.errors import where_of
from cloud_api.metrics.metrics import StatusSent, method_of, route_of

log = logging.getLogger(__name__)

FIELDS: Final = ("route", "method", "status", "milliseconds")
"""Extra fields a line may have; any other is dropped."""

OURS: Final = ("cloud_api", "sync_service", "model_bundles", "ddx")
_QUIET: Final = {"alembic": logging.WARNING, "aiosqlite": logging.INFO, "azure": logging.WARNING}


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": at,
            "level": record.levelname,
            "logger": record.name,
            "message": message_of(record),
        }
        line |= {name: vars(record)[name] for name in FIELDS if name in vars(record)}
        line |= _trace()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = {"type": type(error).__name__, "where": where_of(error)}
        return json.dumps(line, ensure_ascii=False)


def message_of(record: logging.LogRecord) -> str:
    """Return the message of one of our modules, the bare template of any other's."""
    if record.name.split(".")[0] in OURS:
        return record.getMessage()
    return str(record.msg)


def write_json(stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """Send every logger's lines to `stream` as JSON."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, at_least in _QUIET.items():
        logging.getLogger(name).setLevel(at_least)


class RequestLines:
    """Writes one line for each request: template of the route, method, status, duration."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on and write down."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent, began = StatusSent(send), time.perf_counter()

        try:
            await self._app(scope, receive, sent)
        finally:
            told = {
                "route": route_of(scope),
                "method": method_of(scope),
                "status": sent.status,
                "milliseconds": round((time.perf_counter() - began) * 1000, 1),
            }
            log.info("request", extra=told)


def _trace() -> dict[str, str]:
    context = trace.get_current_span().get_span_context()
    return {"trace": format(context.trace_id, "032x")} if context.is_valid else {}
