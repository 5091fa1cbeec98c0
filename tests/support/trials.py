"""Programs to try a bundle with: an engine that is right, and children that go wrong.

python -m tests.support.trials tiny | hungry | endless | silent | dead
"""

import itertools
import os
import sys

from model_bundles import trial


def command(name: str) -> tuple[str, ...]:
    """Return the command that runs this module as the child `name`."""
    return sys.executable, "-m", "tests.support.trials", name


def _tiny():
    from support.tiny_engine import TinyEngine

    return TinyEngine.from_artifacts


def _hungry():
    """Take more than a trial may; right in everything else, should that be allowed."""
    assert bytearray(8 * 2**30)
    return _tiny()


def _endless():
    for _ in itertools.count():
        pass


def main(name: str) -> int:
    if name == "silent":
        sys.stdin.buffer.read()
        return 0
    if name == "dead":
        sys.stdin.buffer.read()
        os._exit(3)
    engine = {"tiny": _tiny, "hungry": _hungry, "endless": _endless}[name]
    return trial.answer(engine, sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    sys.path.insert(0, "tests")
    sys.exit(main(sys.argv[1]))
