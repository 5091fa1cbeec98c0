"""Each room starts in a fresh process; whatever third party it pulled in must be on its list.

The lists are those the frozen application is made from: `installers.frozen.allowed`.
"""

import json
import os
import subprocess
import sys

import pytest
from support.as_installed import without_optional

from installers.frozen.allowed import MIGRATIONS, ROOMS, excluded

INJECTED = {"_distutils_hack", "a1_coverage", "sitecustomize", "usercustomize"}
"""Put there by the interpreter's site packages, not by us."""

LOADED = (
    "print(json.dumps(sorted({name.split('.')[0] for name, module in sys.modules.items() "
    "if module is not None})))"
)

IMPORT_ROOM = f"importlib.import_module(sys.argv[1]); {LOADED}"
WHOLE_VISIT = (
    "from desktop.app import main; "
    f"code = main(['--data', sys.argv[1], '--offscreen', sys.argv[2]]); {LOADED}; sys.exit(code)"
)
OURS = {"ddx", "model_bundles", "sync_service", "desktop", "cloud_api", "training"}
STANDARD = set(sys.stdlib_module_names) | set(sys.builtin_module_names) | OURS
GENERATED = ("__", "_sysconfigdata", "_cython")
"""Prefixes of module names the interpreter and Cython make up."""


def loaded_by(program: str, *arguments: str) -> set[str]:
    """Run `program` in a fresh process; return the third-party packages it ended up with."""
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert run.returncode == 0, run.stderr
    names = set(json.loads(run.stdout.splitlines()[-1])) - STANDARD
    return {name for name in names if not name.startswith(GENERATED)}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_in_a_fresh_process_imports_only_what_its_list_allows(room):
    assert (
        loaded_by(f"{without_optional(room)}; {IMPORT_ROOM}", room) - ROOMS[room] - INJECTED
        == set()
    )


@pytest.mark.gui
def test_a_whole_visit_loads_nothing_of_training_or_the_cloud(tmp_path):
    program = f"{without_optional('desktop.app')}; {WHOLE_VISIT}"
    loaded = loaded_by(program, str(tmp_path / "clinic"), str(tmp_path / "screens"))
    assert loaded - ROOMS["desktop.app"] - INJECTED - MIGRATIONS == set()


def test_the_frozen_application_leaves_out_whatever_no_room_may_import():
    left_out = set(excluded())
    assert {"pandas", "sklearn", "mlflow", "fastapi", "PySide6.QtNetwork", "training"} <= left_out
    assert not left_out & ROOMS["desktop.app"]
