import sys

import pytest

from desktop.thrift import _libc, give_back


def test_giving_back_does_no_harm_anywhere():
    give_back()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc")
def test_a_computer_with_glibc_is_asked():
    assert _libc() is not None
