"""`vereda-job`: how a cluster runs a command of the lake, the features or the learning loop.

    vereda-job lake ingest …      vereda-job features publish …      vereda-job retrain …

Databricks calls the entry point of a wheel and looks at nothing it returns: a command that
refused would be a green job. Here a refusal ends the process. A candidate the plan stops, or a
release that was rolled back, is an outcome people were told of; a job that failed would be tried
again, and train once more.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Final

REFUSED: Final = 2
"""What every command returns for a refusal, after saying why."""

ROOMS: Final = {"lake": "training.lake.__main__", "features": "training.feature_store.__main__"}


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command. Raises SystemExit when it refused."""
    given = list(sys.argv[1:] if argv is None else argv)
    room = ROOMS.get(given[0]) if given else None
    command = importlib.import_module(room or "training.__main__").main
    if command(given[1:] if room else given) == REFUSED:
        raise SystemExit(REFUSED)
