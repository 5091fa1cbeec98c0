"""Another process that holds a lock."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = (
    "import sys, pathlib; from ddx import file_lock\n"
    "with file_lock.tried(pathlib.Path(sys.argv[1])) as taken:\n"
    "    print(taken(), flush=True); sys.stdin.read()"
)


@contextmanager
def holding(lock: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Have a process hold `lock` until it is killed, at the end at the latest."""
    command = [sys.executable, "-c", _PROGRAM, str(lock)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().strip() == b"True"
            yield process
        finally:
            process.kill()
