"""What Windows says of a link, asked of a COM object with the layout of the real one."""

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_long, c_ulong, c_void_p
from uuid import UUID

import pytest

from sync_service.client.meter import LinkCost
from sync_service.client.windows_cost import (
    FIXED,
    NETWORK_COST_MANAGER,
    NETWORK_LIST_MANAGER,
    OVER_DATA_LIMIT,
    ROAMING,
    UNRESTRICTED,
    VARIABLE,
    cost_of,
    windows_says,
)

E_FAIL, CHANGED_MODE = -2147467259, -2147417850


class FakeOle32:
    """ole32 over one network cost manager: a table of methods, and how often it was let go."""

    def __init__(self, flags=UNRESTRICTED, *, create=0, get=0, initialise=0):
        self.flags, self.create, self.get, self.initialise = flags, create, get, initialise
        self.begun = self.ended = self.released = 0
        unused = CFUNCTYPE(c_long, c_void_p)(lambda _this: E_FAIL)
        release = CFUNCTYPE(c_long, c_void_p)(self._release)
        get_cost = CFUNCTYPE(c_long, c_void_p, POINTER(c_ulong), c_void_p)(self._get_cost)
        self.methods = (unused, unused, release, get_cost, unused)
        self.table = (c_void_p * 5)(*(ctypes.cast(m, c_void_p).value for m in self.methods))
        self.manager = c_void_p(ctypes.addressof(self.table))

    def _release(self, _this):
        self.released += 1
        return 0

    def _get_cost(self, _this, cost, address):
        assert address is None  # of the machine, not of one destination
        cost[0] = self.flags
        return self.get

    def CoInitializeEx(self, _reserved, _apartment):  # noqa: N802
        self.begun += 1
        return self.initialise

    def CoUninitialize(self):  # noqa: N802
        self.ended += 1

    def CoCreateInstance(self, wanted, _outer, _context, interface, created):  # noqa: N802
        assert UUID(bytes_le=bytes(wanted._obj)) == NETWORK_LIST_MANAGER
        assert UUID(bytes_le=bytes(interface._obj)) == NETWORK_COST_MANAGER
        created._obj.value = ctypes.addressof(self.manager)
        return self.create


@pytest.mark.parametrize(
    ("flags", "cost"),
    [
        (0, LinkCost.UNKNOWN),
        (UNRESTRICTED, LinkCost.FREE),
        (FIXED, LinkCost.PAID),
        (VARIABLE, LinkCost.PAID),
        (UNRESTRICTED | ROAMING, LinkCost.PAID),
        (FIXED | OVER_DATA_LIMIT, LinkCost.PAID),
    ],
)
def test_the_flags_of_windows_are_read(flags, cost):
    assert cost_of(flags) is cost
    ole32 = FakeOle32(flags)
    assert windows_says(lambda: ole32) is cost
    assert (ole32.begun, ole32.ended, ole32.released) == (1, 1, 1)


def test_a_thread_of_another_apartment_is_left_as_it_was():
    ole32 = FakeOle32(FIXED, initialise=CHANGED_MODE)
    assert windows_says(lambda: ole32) is LinkCost.PAID
    assert (ole32.begun, ole32.ended, ole32.released) == (1, 0, 1)


@pytest.mark.parametrize("broken", [{"create": E_FAIL}, {"get": E_FAIL}])
def test_where_windows_does_not_answer_nobody_knows(broken):
    ole32 = FakeOle32(**broken)
    assert windows_says(lambda: ole32) is LinkCost.UNKNOWN
    assert ole32.begun == ole32.ended


def test_without_the_library_nobody_knows():
    def missing():
        raise OSError("no ole32 here")

    assert windows_says(missing) is LinkCost.UNKNOWN
