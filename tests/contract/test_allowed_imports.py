"""Each room starts in a fresh process; whatever third party it pulled in must be on its list.

A deny-list leaks: a new dependency of a dependency would pass. So this is an allow-list over
`sys.modules`, by top-level distribution package.
"""

import json
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
STORE = {"sqlalchemy", "sqlcipher3", "greenlet", "platformdirs"}
QT = {"PySide6", "shiboken6"}
INJECTED = {"_distutils_hack", "a1_coverage", "sitecustomize", "usercustomize"}
"""Put there by the interpreter's site packages, not by us."""

ROOMS = {
    "ddx.engine": CORE,
    "model_bundles.verify": CORE | BUNDLES,
    "model_bundles.slots": CORE | BUNDLES,
    "model_bundles.selftest": CORE | BUNDLES,
    "sync_service.protocol": PROTOCOL,
    "sync_service.client.__main__": CORE | BUNDLES | PROTOCOL | SYNC_CLIENT,
    "sync_service.gateway.routes": PROTOCOL | GATEWAY | BUNDLES | CORE,
    "desktop.app": CORE | BUNDLES | PROTOCOL | SYNC_CLIENT | STORE | QT,
}

REPORT = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
rooms = {"ddx", "model_bundles", "sync_service", "desktop", "cloud_api", "training"}
standard = set(sys.stdlib_module_names) | set(sys.builtin_module_names)
tops = {name.split(".")[0] for name in sys.modules}
print(json.dumps(sorted(top for top in tops - standard - rooms if not top.startswith("__"))))
"""


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_in_a_fresh_process_imports_only_what_its_list_allows(room):
    run = subprocess.run(
        [sys.executable, "-c", REPORT, room], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    imported = {name for name in json.loads(run.stdout) if not name.startswith("__editable__")}
    assert imported - ROOMS[room] - INJECTED == set()
