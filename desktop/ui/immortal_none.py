"""Keeps `None` alive under PySide6 on Python 3.11.

The PySide6 6.12 wheels are built against headers in which None is immortal (PEP 683, Python 3.12):
every call that returns nothing gives back a reference to None it never took. On 3.11 None is an
ordinary object; a few thousand paints later the interpreter aborts with "deallocating None".
So, before Qt is used, None is given as many references as no program can give back.
"""

import ctypes
import sys
from typing import Final

ENOUGH: Final = 1 << 60
PLENTY: Final = 1 << 40


def keep_none_alive() -> bool:
    """Make None outlive the process; return whether that was needed and done.

    Only on 64-bit CPython before 3.12, and only where the reference count is where CPython
    keeps it: first in the object.
    """
    if sys.implementation.name != "cpython" or sys.version_info >= (3, 12):
        return False
    count = ctypes.c_ssize_t.from_address(id(None))
    told = sys.getrefcount(None)
    if told > PLENTY or abs(count.value - told) > 16 or sys.maxsize < ENOUGH:
        return False
    count.value += ENOUGH
    return True
