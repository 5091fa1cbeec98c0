"""`python -m training.feature_store`: publish, status, read.

`publish` computes the features from gold and brings the online store up to now. `status` says how
fresh they are. Both read the same definitions.
"""

import argparse
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from training.__main__ import REPOSITORY
from training.feature_store.publish import compute, gone_patients
from training.feature_store.store import SQLITE, FeatureStore
from training.feature_store.tables import TABLES
from training.lake.__main__ import ENGINE, ENGINES, LAKE
from training.lake.engine import open_engine
from training.lake.place import Lake
from training.lake.upkeep import tidy
from training.terminal import DONE, Say, leave, run

FOLDER: Final = REPOSITORY / "build" / "features"
ONLINE: Final = os.environ.get("VEREDA_FEATURES_ONLINE", SQLITE)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 after saying what to do."""
    return run(_parser(), argv)


def _publish(asked: argparse.Namespace, lake: Lake, say: Say) -> int:
    if asked.dry_run:
        say(f"would compute the features from gold of {lake.address} and bring {asked.online} up")
        return DONE
    for table in TABLES:
        lake.open(table)
    store = FeatureStore(lake, asked.folder, online=asked.online)
    gone = gone_patients(lake)
    store.forget(gone, datetime.now(UTC))
    with open_engine(asked.engine, lake) as engine:
        compute(lake, engine, say)
    store.materialise(datetime.now(UTC))
    say(f"online store brought up to now, {len(gone)} patients forgotten")
    tidy(lake, say, tables=TABLES)
    return DONE


def _status(asked: argparse.Namespace, lake: Lake, _say: Say) -> int:
    store = FeatureStore(lake, asked.folder, online=asked.online)
    now = datetime.now(UTC)
    for view, until in store.published_until().items():
        age = "never published" if until is None else f"{(now - until).total_seconds():.0f} s ago"
        print(f"{view:<20}{age}")
    return DONE


def _read(asked: argparse.Namespace, lake: Lake, _say: Say) -> int:
    store = FeatureStore(lake, asked.folder, online=asked.online)
    (found,) = store.online([(asked.patient, asked.clinic)])
    print(json.dumps({"values": found.values, "known_at": found.known_at}, default=str, indent=1))
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.feature_store", description=__doc__)
    parser.add_argument("--lake", default=LAKE, help="folder or address (VEREDA_LAKE)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="registry, and SQLite's file")
    parser.add_argument(
        "--online", default=ONLINE, help="sqlite, or host:port of a Redis (VEREDA_FEATURES_ONLINE)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    publishing = commands.add_parser("publish", help="compute, and bring the online store up")
    publishing.add_argument("--engine", choices=ENGINES, default=ENGINE)
    publishing.add_argument("--dry-run", action="store_true")
    publishing.set_defaults(run=_publish)
    commands.add_parser("status", help="how fresh the features are").set_defaults(run=_status)
    reading = commands.add_parser("read", help="the features of one patient at one clinic")
    reading.add_argument("patient")
    reading.add_argument("clinic")
    reading.set_defaults(run=_read)
    return parser


if __name__ == "__main__":
    leave(main())
