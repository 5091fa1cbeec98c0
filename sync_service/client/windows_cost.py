"""What Windows says the connection costs: the Network List Manager, through ctypes.

No package: one COM object with one call. Source: netlistmgr.h of the Windows SDK,
`INetworkCostManager::GetCost` and `NLM_CONNECTION_COST`; Windows 8 and later.
"""

import ctypes
from collections.abc import Callable
from contextlib import suppress
from ctypes import POINTER, byref, c_long, c_ulong, c_void_p
from typing import Any, Final
from uuid import UUID

from sync_service.client.meter import LinkCost

NETWORK_LIST_MANAGER: Final = UUID("dcb00c01-570f-4a9b-8d69-199fdba5723b")
NETWORK_COST_MANAGER: Final = UUID("dcb00008-570f-4a9b-8d69-199fdba5723b")

UNRESTRICTED, FIXED, VARIABLE = 0x1, 0x2, 0x4
OVER_DATA_LIMIT, ROAMING = 0x10000, 0x40000
_PAID: Final = FIXED | VARIABLE | OVER_DATA_LIMIT | ROAMING

_CLSCTX_ALL: Final = 0x17
_RELEASE, _GET_COST = 2, 3
"""Places in the table of methods: IUnknown has three, GetCost is the first of its own."""

_Prototype: Any = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)
"""On 64-bit Windows both call alike; elsewhere only tests come here."""


def cost_of(flags: int) -> LinkCost:
    """Return what the flags of NLM_CONNECTION_COST mean: 0 is "unknown"."""
    if flags & _PAID:
        return LinkCost.PAID
    return LinkCost.FREE if flags & UNRESTRICTED else LinkCost.UNKNOWN


def windows_says(load: Callable[[], Any] | None = None) -> LinkCost:
    """Return what the way to the Internet costs; UNKNOWN where Windows does not say.

    load: returns `ole32`; that of the system when not given.
    """
    try:
        ole32 = load() if load else ctypes.WinDLL("ole32")  # type: ignore[attr-defined,unused-ignore]
        return cost_of(_flags(ole32))
    except (OSError, AttributeError):  # no such library, interface or service
        return LinkCost.UNKNOWN


def _flags(ole32: Any) -> int:
    """Return the cost of the machine's connection. Raises OSError when a call fails."""
    begun = ole32.CoInitializeEx(None, 0) >= 0  # below: another apartment; COM works all the same
    try:
        manager = c_void_p()
        _succeeded(
            ole32.CoCreateInstance(
                byref(_guid(NETWORK_LIST_MANAGER)),
                None,
                _CLSCTX_ALL,
                byref(_guid(NETWORK_COST_MANAGER)),
                byref(manager),
            )
        )
        try:
            flags = c_ulong()
            get_cost = _method(manager, _GET_COST, POINTER(c_ulong), c_void_p)
            _succeeded(get_cost(manager, byref(flags), None))
            return flags.value
        finally:
            _method(manager, _RELEASE)(manager)
    finally:
        if begun:
            with suppress(OSError):
                ole32.CoUninitialize()


def _method(pointer: c_void_p, place: int, *arguments: Any) -> Any:
    table = ctypes.cast(pointer, POINTER(POINTER(c_void_p))).contents
    return _Prototype(c_long, c_void_p, *arguments)(table[place])


def _succeeded(result: int) -> None:
    if result < 0:  # HRESULT: the highest bit means failure
        raise OSError(f"HRESULT {result & 0xFFFFFFFF:#010x}")


def _guid(uuid: UUID) -> Any:
    return (ctypes.c_byte * 16).from_buffer_copy(uuid.bytes_le)
