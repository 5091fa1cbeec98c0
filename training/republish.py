"""`python -m training.republish`: sign the members that ship anew; nothing is fitted.

For when dates, keys or the repositories around the bundle changed and the models did not: the
version and the digest stay, both repositories (the usual one and that for sticks) are new, and so
are the two roots the application embeds.
"""

import argparse
import sys
from pathlib import Path

from ddx.engine import Engine
from ddx.errors import DdxError
from model_bundles import selftest
from training.__main__ import KEYS
from training.pipelines.release import DEFAULT, republish


def main(argv: list[str] | None = None) -> int:
    """Sign anew and run the golden cases; return 0, or 2 after saying what stopped it."""
    parser = argparse.ArgumentParser(prog="training.republish", description=__doc__)
    parser.add_argument("--keys", type=Path, default=KEYS, help="signing keys (VEREDA_KEYS)")
    keys = parser.parse_args(argv).keys
    try:
        bundle = republish(keys)
        report = selftest.run(bundle, Engine.from_artifacts)
    except DdxError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in DEFAULT.rglob("*") if path.is_file())
    print(f"{bundle.version} {bundle.digest[:16]}… signed anew, {report.cases} golden cases pass")
    print(f"{DEFAULT.name}: {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
