"""Memory the process does not need: never taken, or given back to the computer.

Reading a bundle and a visit's lists takes much memory for a moment; the C library keeps it for the
next time. On a computer of a clinic the browser beside needs it more.
"""

import ctypes
import sys
from functools import cache
from typing import Any


@cache
def _libc() -> Any:
    """Return the C library where it can give memory back (glibc), else None."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None


def give_back() -> None:
    """Give free memory back. Some milliseconds, without the interpreter lock; any thread may.

    Source: malloc_trim(3). Does nothing elsewhere: Windows trims its heaps by itself.
    """
    if (libc := _libc()) is not None:
        libc.malloc_trim(0)


def read_no_sources() -> None:
    """Keep PySide from reading, and keeping, the text of every module imported from now on.

    It looks for its own name there, to know where `from __feature__ import snake_case` may count;
    nothing here says that. The lines stay in `linecache`: 40 MB, and a fifth of a second. The
    frozen application has no sources to read. Call after PySide6.QtCore is imported.
    """
    feature = sys.modules.get("shibokensupport.feature")  # brought along by PySide6.QtCore
    if feature is not None:  # there is no switch for it
        vars(feature)["_mod_uses_pyside"] = lambda _module: False
