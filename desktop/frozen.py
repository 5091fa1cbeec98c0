"""What differs where the application is frozen into a folder and no Python is around."""

import sys
from pathlib import Path


def self_test_command() -> tuple[str, ...]:
    """Return the command line that runs `vereda self-test` in a process of its own.

    Frozen, that is the program `vereda` beside the one that runs: `vereda-sync` asks too.
    """
    if getattr(sys, "frozen", False):
        here = Path(sys.executable)
        return str(here.with_name(f"vereda{here.suffix}")), "self-test"
    return sys.executable, "-m", "desktop.commands.self_test"
