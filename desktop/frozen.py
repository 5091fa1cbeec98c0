"""What differs where the application is frozen into a folder, or runs without a console."""

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

_ERROR_ICON: Final = 0x10  # winuser.h, MB_ICONERROR


def self_test_command() -> tuple[str, ...]:
    """Return the command line that runs `vereda self-test` in a process of its own.

    Frozen, that is the program `vereda` beside the one that runs: `vereda-sync` asks too.
    """
    if getattr(sys, "frozen", False):
        here = Path(sys.executable)
        return str(here.with_name(f"vereda{here.suffix}")), "self-test"
    return sys.executable, "-m", "desktop.commands.self_test"


def give_streams() -> bool:
    """Let what is printed go nowhere where nobody reads it; return whether somebody does.

    A program without a console (`veredaw`, `pythonw`) has None for its streams, and the first
    `write` would end it.
    """
    if sys.stdout is not None and sys.stderr is not None:
        return True
    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 -- as long as we live
    sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    return False


def tell(text: str, *, console: bool) -> None:
    """Say why the application cannot start: on the console, or in a box where there is none."""
    if sys.platform == "win32" and not console:
        ctypes.windll.user32.MessageBoxW(None, text, "Vereda", _ERROR_ICON)
    else:
        sys.stderr.write(f"{text}\n")
