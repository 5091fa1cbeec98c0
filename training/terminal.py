"""How a command of the lake runs: lines with the seconds passed, and one clear refusal."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from ddx.errors import DdxError
from training.lake.place import Lake

DONE, FAILED = 0, 2
"""Exit codes: done; refused, the text says why."""

Say = Callable[[str], None]
SECONDS: Final = "[{:6.1f} s] {}"


def run(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Run the chosen command, `run(asked, lake, say)`; return 0, or 2 after saying what to do."""
    asked = parser.parse_args(argv)
    started = time.monotonic()

    def say(line: str) -> None:
        print(SECONDS.format(time.monotonic() - started, line), flush=True)

    try:
        return int(asked.run(asked, Lake(asked.lake), say))
    except DdxError as error:
        print(f"\nStopped ({error.code}): {error}", file=sys.stderr)
        return FAILED


def leave(code: int) -> NoReturn:
    """End the process with `code`, whatever threads of the embedded engine are left.

    They aborted a finished process once (docs/adr/0022).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
