"""A crash leaves no memory on the disk."""

import subprocess
import sys

import pytest

PROBE = (
    "from desktop.hardening import refuse_dumps; done = refuse_dumps(); import resource, ctypes\n"
    "print(done, resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
)


@pytest.mark.skipif(sys.platform != "linux", reason="limits and prctl of Linux")
def test_the_process_writes_no_core_and_is_not_dumpable():
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "('core_limit', 'not_dumpable') (0, 0) 0"
