"""Debugging symbols out of the libraries that survive it."""

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


def _may_be_stripped(path: Path, inside: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    if path.relative_to(inside).parts[0] in UNTOUCHED or path.name.startswith("libscipy_openblas"):
        return False
    with path.open("rb") as opened:
        return opened.read(len(ELF)) == ELF
