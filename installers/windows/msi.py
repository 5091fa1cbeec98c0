"""Make one MSI of a payload folder: wixl for files and cabinet, msibuild for what wixl drops."""

import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from installers.icons.render import ico
from installers.windows import identity
from installers.windows.source import source
from installers.windows.summary import dated
from installers.windows.tables import statements, tables

PROGRAMS: Final = ("vereda.exe", "veredaw.exe", "vereda-sync.exe")


class PayloadError(Exception):
    """The payload folder cannot become an MSI; the text says what is missing."""


def make_msi(payload: Path, version: str, package: Path, epoch: int) -> None:
    """Write `package` with every file of `payload`. epoch: the clock of the build, Unix seconds.

    Raises:
        PayloadError: a program the tables speak of is not at the top of the payload.
    """
    missing = [name for name in PROGRAMS if not (payload / name).is_file()]
    if missing:
        raise PayloadError(f"the payload lacks {', '.join(missing)}")
    for path in payload.rglob("*"):
        os.utime(path, (epoch, epoch))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "payload").symlink_to(payload.resolve())
        (work / "vereda.ico").write_bytes(ico())
        text = source(payload, version)
        (work / "vereda.wxs").write_bytes(text)
        made = work / "vereda.msi"
        _run(["wixl", "--arch", "x64", "--output", str(made), "vereda.wxs"], work)
        keys = _file_keys(text)
        rest = []
        for table, content in tables(version, keys["vereda.exe"]).items():
            (work / f"{table}.idt").write_bytes(content.encode("cp1252"))
            rest += ["-i", f"{table}.idt"]
        for statement in statements():
            rest += ["-q", statement]
        # All in one call: each one writes the whole file anew.
        _run(["msibuild", str(made), *rest], work)
        template = f"x64;{identity.LANGUAGE}"
        number = identity.package_code(_digest(text, payload))
        about = [f"{identity.NAME} {version}", identity.MANUFACTURER, template, number]
        _run(["msibuild", str(made), "-s", *about], work)
        package.parent.mkdir(parents=True, exist_ok=True)
        package.write_bytes(dated(made.read_bytes(), epoch))


def _file_keys(text: bytes) -> dict[str, str]:
    """Return name -> File key of the programs at the top."""
    found = re.findall(rb'<File Id="(f\d+)" Name="([\w.-]+\.exe)"', text)
    return {name.decode(): key.decode() for key, name in reversed(found)}


def _digest(text: bytes, payload: Path) -> str:
    total = hashlib.sha256(text)
    for path in sorted(p for p in payload.rglob("*") if p.is_file()):
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PayloadError(f"{command[0]} failed: {done.stdout}{done.stderr}")
