"""`vereda self-test`: the golden cases of one bundle, run for the application that starts this.

Not for people: it reads a request from its input and says one line of JSON (`model_bundles.trial`).
"""

import sys
from collections.abc import Sequence

from model_bundles import trial
from model_bundles.selftest import EngineFactory


def main(argv: Sequence[str] | None = None) -> int:  # noqa: ARG001 (the signature of a command)
    """Run one trial. Exit codes: 0 an answer was said, 2 the request cannot be read."""
    return trial.answer(_engine_from, sys.stdin.buffer, sys.stdout.buffer)


def _engine_from() -> EngineFactory:
    from ddx.engine import Engine  # noqa: PLC0415 -- loads onnxruntime, within the limits

    return Engine.from_artifacts


if __name__ == "__main__":
    sys.exit(main())
