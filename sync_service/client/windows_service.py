"""`vereda-sync` as a service of Windows: what the service control manager asks, and our answers.

Windows starts the program, waits for it to answer, and tells it to stop when the machine goes
down. Source: Microsoft, "Service Programs" (SERVICE_STATUS, StartServiceCtrlDispatcherW,
RegisterServiceCtrlHandlerExW).
"""

import ctypes
import sys
import threading
from collections.abc import Callable
from enum import IntEnum
from typing import Any, ClassVar, Final, Protocol

from ddx.errors import DdxError

NAME: Final = "VeredaSync"
STOP, INTERROGATE, SHUTDOWN = 1, 4, 5
_ACCEPT_STOP_AND_SHUTDOWN: Final = 1 | 4
_OWN_PROCESS: Final = 0x10
_OWN_ERROR: Final = 1066  # ERROR_SERVICE_SPECIFIC_ERROR: our exit code is in the field beside it
_PATIENCE_MS: Final = 30_000
NO_ERROR, NOT_IMPLEMENTED = 0, 120


class NotAServiceError(DdxError):
    """Windows did not start this process as a service; start it with `sc start VeredaSync`."""

    code: ClassVar[str] = "sync.not_a_service"


class State(IntEnum):
    """What a service says of itself. Source: winsvc.h."""

    STOPPED = 1
    STARTING = 2
    STOPPING = 3
    RUNNING = 4


class ServiceManager(Protocol):
    """The part of Windows a service talks to."""

    def dispatch(self, service_main: Callable[[], None]) -> None:
        """Call `service_main` as the service; return when it has stopped."""

    def on_control(self, handler: Callable[[int], int]) -> None:
        """Let Windows call `handler` with each control code."""

    def report(self, state: State, exit_code: int = 0) -> None:
        """Say where the service stands."""


def run_as_service(work: Callable[[threading.Event], int], manager: ServiceManager) -> int:
    """Do `work` as a service until Windows says stop; return its exit code.

    work: ends soon after the event is set. What it raises ends the service with exit code 1.
    """
    stop, ended = threading.Event(), [1]

    def control(code: int) -> int:
        if code in (STOP, SHUTDOWN):
            manager.report(State.STOPPING)
            stop.set()
            return NO_ERROR
        return NO_ERROR if code == INTERROGATE else NOT_IMPLEMENTED

    def service_main() -> None:
        manager.on_control(control)
        manager.report(State.STARTING)
        manager.report(State.RUNNING)
        try:
            ended[0] = work(stop)
        finally:
            manager.report(State.STOPPED, ended[0])

    manager.dispatch(service_main)
    return ended[0]


class _Status(ctypes.Structure):
    _fields_: ClassVar = [
        (name, ctypes.c_uint32)
        for name in ("type", "state", "accepts", "exit", "own_exit", "checkpoint", "wait_ms")
    ]


class WindowsManager:
    """The service control manager of this machine. Implements `ServiceManager`."""

    def __init__(self) -> None:
        self._api: Any = ctypes.WinDLL("advapi32", use_last_error=True)  # type: ignore[attr-defined]
        self._kept: list[object] = []  # what C calls back must live on
        self._handle: Any = None

    def dispatch(self, service_main: Callable[[], None]) -> None:
        """Implement `ServiceManager`. Raises NotAServiceError."""
        kind = ctypes.WINFUNCTYPE(  # type: ignore[attr-defined]
            None, ctypes.c_uint32, ctypes.POINTER(ctypes.c_wchar_p)
        )

        class Entry(ctypes.Structure):
            _fields_: ClassVar = [("name", ctypes.c_wchar_p), ("main", kind)]

        called = kind(lambda _count, _arguments: service_main())
        table = (Entry * 2)(Entry(NAME, called), Entry(None, kind()))
        self._kept += [called, table]
        if not self._api.StartServiceCtrlDispatcherW(table):
            raise NotAServiceError(f"{NAME} was not started by Windows")

    def on_control(self, handler: Callable[[int], int]) -> None:
        """Implement `ServiceManager`."""
        kind = ctypes.WINFUNCTYPE(  # type: ignore[attr-defined]
            ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p
        )
        called = kind(lambda code, _event, _data, _context: handler(code))
        self._kept.append(called)
        register = self._api.RegisterServiceCtrlHandlerExW
        register.restype, register.argtypes = (
            ctypes.c_void_p,
            [ctypes.c_wchar_p, kind, ctypes.c_void_p],
        )
        self._handle = ctypes.c_void_p(register(NAME, called, None))

    def report(self, state: State, exit_code: int = 0) -> None:
        """Implement `ServiceManager`."""
        waits = state in (State.STARTING, State.STOPPING)
        status = _Status(
            _OWN_PROCESS,
            state,
            _ACCEPT_STOP_AND_SHUTDOWN if state is State.RUNNING else 0,
            _OWN_ERROR if exit_code else 0,
            exit_code,
            0,
            _PATIENCE_MS if waits else 0,
        )
        self._api.SetServiceStatus(self._handle, ctypes.byref(status))


def windows_manager() -> ServiceManager:
    """Return the manager of this machine. Raises NotAServiceError outside Windows."""
    if sys.platform == "win32":
        return WindowsManager()
    raise NotAServiceError("services of Windows run on Windows")
