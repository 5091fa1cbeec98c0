"""What the process can do so that keys in its memory do not reach the disk.

Linux and macOS: no core file (RLIMIT_CORE 0, not to be raised again). Linux also: not dumpable
(PR_SET_DUMPABLE 0), so neither a crash handler nor another process of the same user reads its
memory. Windows: no error-reporting window; local dumps of Windows Error Reporting are a policy of
the machine (`LocalDumps`) that a process cannot refuse, and memory may be paged out: both are for
whoever administers it (encrypt the disk).
"""

import ctypes
import sys
from typing import Final

PR_SET_DUMPABLE: Final = 4  # linux/prctl.h
_SEM_FAILCRITICALERRORS: Final = 0x0001  # errhandlingapi.h
_SEM_NOGPFAULTERRORBOX: Final = 0x0002


def refuse_dumps() -> tuple[str, ...]:
    """Do what this system allows and return the names of what was done."""
    done = []
    if sys.platform == "win32":
        flags = _SEM_FAILCRITICALERRORS | _SEM_NOGPFAULTERRORBOX
        ctypes.windll.kernel32.SetErrorMode(flags)
        return ("error_mode",)
    import resource  # noqa: PLC0415 -- absent on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    done.append("core_limit")
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0:
        done.append("not_dumpable")
    return tuple(done)
