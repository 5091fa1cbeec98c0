"""Each room starts in a fresh process; whatever third party it pulled in must be on its list.

A deny-list leaks: a new dependency of a dependency would pass. So this is an allow-list over
`sys.modules`, by top-level distribution package.
"""

import json
import os
import subprocess
import sys

import pytest

CORE = {"numpy", "onnxruntime", "google", "flatbuffers", "packaging"}
BUNDLES = {
    "tuf",
    "securesystemslib",
    "cryptography",
    "zstandard",
    "urllib3",
    "cffi",
    "_cffi_backend",
    "_openssl",  # the module cryptography binds OpenSSL under
}
PROTOCOL = {
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
}
SYNC_CLIENT = {"httpx", "httpcore", "h11", "anyio", "sniffio", "idna", "certifi", "truststore"} | {
    "apscheduler",
    "tzlocal",
    "tzdata",
    "msal",
    "requests",
    "charset_normalizer",
    "jwt",
}
GATEWAY = {"fastapi", "starlette", "anyio", "sniffio", "idna", "annotated_doc", "multipart"}
STORE = {"sqlalchemy", "sqlcipher3", "greenlet", "platformdirs", "cython_runtime"}
KEYSTORE = {"keyring", "jaraco", "more_itertools", "importlib_metadata", "zipp", "backports"} | {
    "secretstorage",
    "jeepney",
}
"""The keystore of the operating system; on Linux it is reached over the session bus."""
QT = {"PySide6", "shiboken6", "shibokensupport", "signature_bootstrap"}
INJECTED = {"_distutils_hack", "a1_coverage", "sitecustomize", "usercustomize"}
"""Put there by the interpreter's site packages, not by us."""
OPTIONAL = {"rich", "click", "pygments", "markdown_it", "mdurl", "opentelemetry"}
"""httpx and FastAPI try these and go on without them; a clinic's lock does not install them for
the desktop, and the frozen application leaves them out."""
ABSENT = "import sys; sys.modules['azure'] = None; "
"""securesystemslib tries Azure's clients. They come with extras of the cloud that no clinic's lock
holds, and here, where everything is installed, would bring msal and requests along."""

ROOMS = {
    "ddx.engine": CORE,
    "model_bundles.verify": CORE | BUNDLES,
    "model_bundles.slots": CORE | BUNDLES,
    "model_bundles.selftest": CORE | BUNDLES,
    "sync_service.protocol": PROTOCOL,
    "sync_service.client.__main__": CORE | BUNDLES | PROTOCOL | SYNC_CLIENT,
    "sync_service.gateway.routes": PROTOCOL | GATEWAY | BUNDLES | CORE,
    "desktop.app": CORE | BUNDLES | PROTOCOL | SYNC_CLIENT | STORE | KEYSTORE | QT,
}

LOADED = "print(json.dumps(sorted({name.split('.')[0] for name, at in sys.modules.items() if at})))"
IMPORT_ROOM = f"{ABSENT}import importlib, json, sys; importlib.import_module(sys.argv[1]); {LOADED}"
WHOLE_VISIT = (
    f"{ABSENT}import json, sys; from desktop.app import main; "
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
    assert loaded_by(IMPORT_ROOM, room) - ROOMS[room] - INJECTED - OPTIONAL == set()


@pytest.mark.gui
def test_a_whole_visit_loads_nothing_of_training_or_the_cloud(tmp_path):
    migrations = {"alembic", "mako", "markupsafe"}  # only when a store is created or upgraded
    loaded = loaded_by(WHOLE_VISIT, str(tmp_path / "clinic"), str(tmp_path / "screens"))
    assert loaded - ROOMS["desktop.app"] - INJECTED - OPTIONAL - migrations == set()
