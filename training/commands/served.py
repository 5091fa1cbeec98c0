"""`python -m training served DEVICE DAY`: which model a device had, from the promotion ledger."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ddx.errors import DdxError
from training.commands.workspace import DONE, REFUSED, ROOT, Workspace
from training.publish.ledger import served


def main(argv: Sequence[str] | None = None) -> int:
    """Print the model; return 0, or 2 when the ledger does not hold."""
    parser = argparse.ArgumentParser(prog="python -m training served", description=__doc__)
    parser.add_argument("device", help="the device's identifier")
    parser.add_argument("day", type=datetime.fromisoformat, help="2026-11-26, or with a time")
    parser.add_argument("--site", help="the device's site")
    parser.add_argument("--root", type=Path, default=ROOT, help="workspace (VEREDA_LEARNING)")
    asked = parser.parse_args(argv)
    at = asked.day if asked.day.tzinfo else asked.day.replace(tzinfo=UTC)
    try:
        found = served(Workspace(asked.root).ledger.entries(), asked.device, asked.site, at)
    except DdxError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return REFUSED
    if found.release is None:
        print("the bundle it was installed with: the ledger offered it nothing by then")
    else:
        how = "reported by the device" if found.reported else "offered to the device"
        print(f"{found.release.version}  {found.release.digest}  {how}, entry {found.entry}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
