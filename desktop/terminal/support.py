"""`vereda support --out FILE.zip`: what a technician needs, and nothing of a patient.

    about.json      versions of application, system and shipped bundle
    settings.json   every setting, its value and who set it; passwords in addresses left out
    files.tsv       kind, size and age in days of what lies in the data directory, no names
    logs/           the log files: codes and places, never values

The clinic is not opened: no passphrase is asked for, so nothing of it can be written.
Exit codes: 0 written; 2 the file cannot be written.
"""

import argparse
import json
import platform
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from ddx.errors import DdxError
from desktop.logs import FOLDER as LOGS
from desktop.settings import SettingsError, data_directory, load_settings, shown

DONE, BAD_INPUT = 0, 2
KINDS: Final = {
    ".db": "store",
    ".log": "log",
    ".json": "json",
    ".toml": "settings",
    ".ini": "window",
}
DAY_S: Final = 86_400
_UTF_8: Final = "utf-8"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the archive and say where it is."""
    parser = argparse.ArgumentParser(prog="vereda support", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the archive to write (zip)")
    parser.add_argument("--data", type=Path, help="data directory of the clinic")
    asked = parser.parse_args(argv)
    try:
        write_archive(asked.data or data_directory(), asked.out)
    except OSError as error:
        sys.stderr.write(f"vereda support: {asked.out}: {error.strerror}\n")
        return BAD_INPUT
    sys.stdout.write(f"{asked.out}\n")
    return DONE


def write_archive(data_dir: Path, out: Path) -> None:
    """Write what is known of the installation and of `data_dir`. Raises OSError."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about.json", json.dumps(_about(), indent=1))
        archive.writestr("settings.json", json.dumps(_settings(data_dir), indent=1))
        archive.writestr("files.tsv", "".join(_files(data_dir)))
        for log in sorted((data_dir / LOGS).glob("vereda.log*")):
            archive.writestr(f"logs/{log.name}", log.read_bytes())


def _about() -> dict[str, Any]:
    return {
        "vereda": version("vereda"),
        "frozen": bool(getattr(sys, "frozen", False)),
        "python": platform.python_version(),
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "bundle": _bundle(),
    }


def _bundle() -> dict[str, str]:
    from model_bundles.embedded import open_embedded_bundle  # noqa: PLC0415 -- loads the verifier

    try:
        shipped = open_embedded_bundle()
    except DdxError as error:
        return {"refused": error.code}
    return {"version": shipped.version, "digest": shipped.digest}


def _settings(data_dir: Path) -> list[dict[str, Any]] | dict[str, str]:
    try:
        rows = shown(load_settings(data_dir))
    except SettingsError as error:
        return {"refused": error.code, "key": error.key}
    return [{**asdict(row), "value": _without_password(row.value)} for row in rows]


def _without_password(value: str | int | bool) -> str | int | bool:
    """Return an address without user and password; everything else as it is."""
    if not isinstance(value, str) or "@" not in value:
        return value
    parts = urlsplit(value)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _files(data_dir: Path) -> Iterator[str]:
    """Yield lines of kind, bytes, days since it changed. Names stay out: people choose some."""
    yield "kind\tbytes\tdays\n"
    now = time.time()
    for path in sorted(data_dir.rglob("*")):
        if path.is_file() and not path.is_symlink():
            about = path.stat()
            days = max(0, int((now - about.st_mtime) // DAY_S))
            yield f"{KINDS.get(path.suffix, 'other')}\t{about.st_size}\t{days}\n"


if __name__ == "__main__":
    sys.exit(main())
