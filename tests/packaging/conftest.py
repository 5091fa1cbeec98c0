"""The artefacts under test, as `make package` leaves them in `dist`; nothing is built here."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DIST = REPOSITORY / "dist"


@dataclass(frozen=True)
class Frozen:
    """The frozen application and a home of its own."""

    folder: Path
    home: Path

    def run(self, *arguments, program="vereda", stdin=None, **variables):
        """Run one program of the folder; return what it said."""
        surroundings = {
            "PATH": "/usr/bin:/bin",  # no Python of ours may be found
            "HOME": str(self.home),
            "VEREDA_HOME": str(self.home / "clinic"),
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "OMP_NUM_THREADS": "1",
            "LANG": "C.UTF-8",
            **variables,
        }
        return subprocess.run(
            [self.folder / program, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            env=surroundings,
            cwd=self.home,
            check=False,
        )


@pytest.fixture(scope="session")
def artefact():
    """Return a way to ask for something of `dist`; missing, the test says how to make it."""

    def find(pattern: str) -> Path:
        found = sorted(DIST.glob(pattern), key=os.path.getmtime)
        if not found:
            pytest.fail(f"no {pattern} in dist: run `make package` first")
        return found[-1]

    return find


@pytest.fixture(scope="session")
def application(artefact) -> Path:
    """The folder of the frozen application."""
    return artefact("vereda/vereda").parent


@pytest.fixture(scope="module")
def frozen(application, tmp_path_factory):
    """The frozen application with a home where one demonstration visit has been made."""
    return Frozen(application, tmp_path_factory.mktemp("home"))
