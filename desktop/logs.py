"""The log file of a clinic: `logs/vereda.log` in its data directory, a few megabytes at most.

Only our own loggers write there, and of an error only its class and where it happened: messages of
libraries quote values (SQL parameters, addresses), and a value may be a patient's.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Final

from desktop.settings import LogLevel

FOLDER: Final = "logs"
FILE: Final = "vereda.log"
OURS: Final = ("ddx", "model_bundles", "sync_service", "desktop")
SIZE_BYTES: Final = 1 << 20
KEPT: Final = 4
_LEVELS: Final = {
    LogLevel.ERROR: logging.ERROR,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.INFO: logging.INFO,
    LogLevel.DEBUG: logging.DEBUG,
}


class PlaceOnly(logging.Formatter):
    """Formats an exception as its classes and places, without what it says."""

    def formatException(self, ei: object) -> str:  # noqa: N802 -- the name of the library
        """Return one line per error of the chain and one per frame."""
        error = ei[1] if isinstance(ei, tuple) else None
        return places(error) if isinstance(error, BaseException) else ""


def places(error: BaseException) -> str:
    """Return where `error` and what caused it happened, innermost last."""
    lines, seen = [], set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"  {type(current).__module__}.{type(current).__qualname__}")
        frames = traceback.extract_tb(current.__traceback__)
        lines += [f"    {Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
        current = current.__cause__ or current.__context__
    return "\n".join(lines)


def keep_log(data_dir: Path, level: LogLevel) -> Callable[[], None]:
    """Begin to write the log of `data_dir`; return what ends it.

    A folder that cannot be written leaves the application without a log, not without a clinic.
    """
    try:
        (data_dir / FOLDER).mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            data_dir / FOLDER / FILE,
            maxBytes=SIZE_BYTES,
            backupCount=KEPT,
            encoding="utf-8",
            delay=True,
        )
    except OSError:
        return lambda: None
    handler.setFormatter(PlaceOnly("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.setLevel(_LEVELS[level])
    loggers = [logging.getLogger(name) for name in OURS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(_LEVELS[level])

    def end() -> None:
        for logger, old in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(old)
        handler.close()

    return end


def log_what_nobody_caught() -> None:
    """Write errors nobody handled, by place, before the process ends as it would have."""
    log = logging.getLogger("desktop")
    shown, shown_of_threads = sys.excepthook, threading.excepthook

    def of_process(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        log.critical("nobody handled\n%s", places(error))
        shown(kind, error, trace)

    def of_thread(told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None:
            log.error("nobody handled\n%s", places(told.exc_value))
        shown_of_threads(told)

    sys.excepthook, threading.excepthook = of_process, of_thread
