"""Memory the process no longer uses, given back to the computer.

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
