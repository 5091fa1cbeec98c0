#!/usr/bin/env python
"""Our client, driven as tuf-conformance drives clients: init, refresh, download.

    conformance_client.py --metadata-dir D --metadata-url U init ROOT
    conformance_client.py --metadata-dir D --metadata-url U refresh
    conformance_client.py --metadata-dir D --metadata-url U --target-name N --target-base-url T \\
        --target-dir F download

The suite's repositories hold no bundles, so what is driven is the application's session around
python-tuf: embedded root, lock, fsync, floors and the mapping of errors. Any refusal exits 1.
"""

import argparse
import sys
from pathlib import Path

import httpx

from model_bundles.client import BundleClient
from model_bundles.errors import BundleError
from model_bundles.local import RepositoryLocation
from model_bundles.verify import Trust
from sync_service.client.fetcher import HttpxFetcher

TRUSTED = "trusted_root.bin"


class SuiteClient(BundleClient):
    """The application's client over repositories that name their roles as they like."""

    def refresh(self) -> None:
        """Bring the metadata up to date."""
        with self._session() as updater:
            updater.refresh()

    def download(self, name: str, folder: Path) -> None:
        """Download one target; raise when it is not signed."""
        with self._session() as updater:
            target = updater.get_targetinfo(name)
            if target is None:
                raise BundleError(f"{name} is not signed")
            place = str(folder / name.replace("/", "_"))
            if updater.find_cached_target(target, place) is None:
                updater.download_target(target, place)


def main(argv: list[str] | None = None) -> int:
    """Run one command of the suite; return 0, or 1 for a refusal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--metadata-dir", type=Path, required=True)
    parser.add_argument("--metadata-url", default="")
    parser.add_argument("--target-name")
    parser.add_argument("--target-base-url", default="")
    parser.add_argument("--target-dir", type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("root", type=Path)
    commands.add_parser("refresh")
    commands.add_parser("download")
    given = parser.parse_args(argv)
    state: Path = given.metadata_dir.parent
    if given.command == "init":
        given.metadata_dir.mkdir(parents=True, exist_ok=True)
        (state / TRUSTED).write_bytes(given.root.read_bytes())
        (given.metadata_dir / "root.json").write_bytes(given.root.read_bytes())
        return 0
    with httpx.Client(timeout=10) as link:
        location = RepositoryLocation(_folder(given.metadata_url), _folder(given.target_base_url))
        fetcher = HttpxFetcher(link, sleep=lambda seconds: None)
        trust = Trust((state / TRUSTED).read_bytes())
        client = SuiteClient(trust, state, location, fetcher)
        SuiteClient._metadata = property(lambda self: given.metadata_dir)
        try:
            if given.command == "refresh":
                client.refresh()
            else:
                client.download(given.target_name, given.target_dir)
        except BundleError as error:
            sys.stderr.write(f"{error.code}: {error}\n")
            return 1
    return 0


def _folder(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


if __name__ == "__main__":
    sys.exit(main())
