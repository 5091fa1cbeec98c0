import subprocess
import sys

import pytest

from desktop.thrift import _libc, give_back


def test_giving_back_does_no_harm_anywhere():
    give_back()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc")
def test_a_computer_with_glibc_is_asked():
    assert _libc() is not None


def test_pyside_keeps_no_sources_of_what_is_imported_after_it():
    probe = (
        "import linecache\n"
        "from desktop.thrift import read_no_sources\n"
        "import PySide6.QtCore\n"
        "read_no_sources()\n"
        "import desktop.services.clinic\n"
        "print(*(name for name in linecache.cache if 'sqlalchemy/' in name or 'desktop/' in name))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
