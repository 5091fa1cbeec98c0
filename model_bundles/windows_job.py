"""A job object around one child: its memory limited, ended when the parent ends. Windows only.

Source: Win32 API, "Job Objects" (CreateJobObject, SetInformationJobObject,
AssignProcessToJobObject, JOBOBJECT_EXTENDED_LIMIT_INFORMATION).
"""

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from model_bundles.errors import TrialFailedError

_PROCESS_MEMORY: Final = 0x0100
_KILL_ON_CLOSE: Final = 0x2000
_EXTENDED_LIMITS: Final = 9
_MAY_JAIL: Final = 0x0101  # PROCESS_SET_QUOTA | PROCESS_TERMINATE


class _Basic(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class _Extended(ctypes.Structure):
    _fields_ = (
        ("Basic", _Basic),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


@contextmanager
def limited(child: "subprocess.Popen[bytes]", memory_bytes: int) -> Iterator[None]:
    """Hold `child` in a job of its own while inside; it waits for its request until then.

    Raises:
        TrialFailedError: the system refuses the job; without limits there is no trial.
    """
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = ctypes.c_void_p
        job = ctypes.c_void_p(kernel.CreateJobObjectW(None, None))
        limits = _Extended()
        limits.Basic.LimitFlags = _PROCESS_MEMORY | _KILL_ON_CLOSE
        limits.ProcessMemoryLimit = memory_bytes
        size = ctypes.sizeof(limits)
        kernel.OpenProcess.restype = ctypes.c_void_p
        process = ctypes.c_void_p(kernel.OpenProcess(_MAY_JAIL, False, child.pid))
        try:
            if not (
                job.value
                and process.value
                and kernel.SetInformationJobObject(
                    job, _EXTENDED_LIMITS, ctypes.byref(limits), size
                )
                and kernel.AssignProcessToJobObject(job, process)
            ):
                child.kill()
                raise TrialFailedError("the system does not limit the trial")
            yield
        finally:
            for handle in (process, job):
                if handle.value:
                    kernel.CloseHandle(handle)
    else:
        raise TrialFailedError("job objects are of Windows")
