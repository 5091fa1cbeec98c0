"""Out of the libraries: debugging symbols, and folders of the building machine."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

ELF: Final = b"\x7fELF"
UNTOUCHED: Final = ("numpy", "numpy.libs")
"""auditwheel moved sections of these around; strip breaks their alignment and they do not load."""


def strip_symbols(application: Path) -> None:
    """Strip the ELF libraries of a frozen application in place; nothing happens elsewhere.

    The programs stay whole: the application's modules are appended to them.
    """
    strip = shutil.which("strip")
    if strip is None:
        return
    inside = application / "_internal"
    libraries = [p for p in sorted(inside.rglob("*")) if _may_be_stripped(p, inside)]
    if libraries:
        subprocess.run([strip, "--strip-unneeded", *map(str, libraries)], check=True)


def forget_builder(application: Path) -> None:
    """Remove search paths outside the application from its ELF files, in place.

    A library that looks into a folder of the building machine would load what an attacker puts
    there; the folder may not exist on the clinic's.
    """
    for path in sorted((application / "_internal").rglob("*")):
        if is_elf(path):
            kept = [place for place in search_path(path) if place.startswith("$ORIGIN")]
            if kept != search_path(path):
                subprocess.run(["patchelf", "--set-rpath", ":".join(kept), str(path)], check=True)


def search_path(path: Path) -> list[str]:
    """Return the RPATH or RUNPATH of an ELF file, folder by folder."""
    shown = subprocess.run(
        ["patchelf", "--print-rpath", str(path)], capture_output=True, text=True, check=True
    )
    return [place for place in shown.stdout.strip().split(":") if place]


def is_elf(path: Path) -> bool:
    """Whether `path` is a regular ELF file."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as opened:
        return opened.read(len(ELF)) == ELF


def _may_be_stripped(path: Path, inside: Path) -> bool:
    return path.relative_to(inside).parts[0] not in UNTOUCHED and is_elf(path)
