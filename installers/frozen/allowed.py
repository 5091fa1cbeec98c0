"""Third parties that may reach a clinic's computer, by top-level import name, room by room.

A deny-list leaks: a new dependency of a dependency would pass. Tests start each room in a fresh
process and compare; `build.spec` leaves out of the frozen application whatever is not here.
"""

import sys
from importlib.metadata import packages_distributions
from types import MappingProxyType
from typing import Final

CORE: Final = frozenset({"numpy", "onnxruntime", "google", "flatbuffers", "packaging"})
BUNDLES: Final = frozenset(
    {
        "tuf",
        "securesystemslib",
        "cryptography",
        "zstandard",
        "urllib3",
        "cffi",
        "_cffi_backend",
        "_openssl",  # the module cryptography binds OpenSSL under
    }
)
PROTOCOL: Final = frozenset(
    {
        "pydantic",
        "pydantic_core",
        "annotated_types",
        "typing_extensions",
        "typing_inspection",
    }
)
SYNC_CLIENT: Final = frozenset(
    {
        "httpx",
        "httpcore",
        "h11",
        "anyio",
        "sniffio",
        "idna",
        "certifi",
        "truststore",
        "apscheduler",
        "tzlocal",
        "tzdata",
        "msal",
        "requests",
        "charset_normalizer",
        "jwt",
    }
)
GATEWAY: Final = frozenset(
    {"fastapi", "starlette", "anyio", "sniffio", "idna", "annotated_doc", "multipart"}
    | {"opentelemetry"}
)
STORE: Final = frozenset({"sqlalchemy", "sqlcipher3", "greenlet", "platformdirs", "cython_runtime"})
KEYSTORE: Final = frozenset(
    {
        "keyring",
        "jaraco",
        "more_itertools",
        "importlib_metadata",
        "zipp",
        "backports",
        "secretstorage",
        "jeepney",
    }
)
"""The keystore of the operating system; on Linux it is reached over the session bus."""
QT: Final = frozenset({"PySide6", "shiboken6", "shibokensupport", "signature_bootstrap"})
MIGRATIONS: Final = frozenset({"alembic", "mako", "markupsafe"})
"""Only when a store is created or upgraded."""
OPTIONAL: Final = frozenset(
    {"rich", "click", "pygments", "markdown_it", "mdurl", "opentelemetry", "ujson"}
) | {"azure", "boto3", "botocore", "PyKCS11", "asn1crypto"}
"""httpx, FastAPI, onnxruntime and the signers of securesystemslib try these and go on without them:
where training or cloud bring them along, the frozen application still leaves them out."""

ROOMS: Final = MappingProxyType(
    {
        "ddx.engine": CORE,
        "model_bundles.verify": CORE | BUNDLES,
        "model_bundles.slots": CORE | BUNDLES,
        "model_bundles.selftest": CORE | BUNDLES,
        "sync_service.protocol": PROTOCOL,
        "sync_service.client.__main__": CORE | BUNDLES | PROTOCOL | SYNC_CLIENT,
        "sync_service.gateway.routes": PROTOCOL | GATEWAY | BUNDLES | CORE,
        "desktop.app": CORE | BUNDLES | PROTOCOL | SYNC_CLIENT | STORE | KEYSTORE | QT,
    }
)
CLINIC: Final = ROOMS["desktop.app"] | ROOMS["sync_service.client.__main__"] | MIGRATIONS
"""Everything the installed application may hold."""

WINDOWS_ONLY: Final = frozenset({"win32ctypes"})
"""The keystore of Windows (pywin32-ctypes)."""

OUR_ROOMS: Final = ("ddx", "model_bundles", "sync_service", "desktop")
NOT_INSTALLED: Final = ("model_bundles.authoring", "sync_service.gateway", "cloud_api", "training")
"""Ours, and of no use in a clinic; nobody who runs a bundle can write one."""

UNUSED_STANDARD: Final = frozenset(
    {"tkinter", "turtle", "turtledemo", "idlelib", "lib2to3", "ensurepip", "pydoc_data"}
) | {"test", "_tkinter", "curses", "_curses", "distutils"}
QT_MODULES: Final = frozenset({"QtCore", "QtGui", "QtWidgets", "QtPrintSupport"})
"""The modules of Qt the window imports."""


def excluded() -> list[str]:
    """Return every import name of this environment that a clinic's application leaves out."""
    installed = {name.split(".")[0] for name in packages_distributions()}
    foreign = installed - CLINIC - WINDOWS_ONLY - set(OUR_ROOMS) - set(sys.stdlib_module_names)
    return sorted(foreign | OPTIONAL | UNUSED_STANDARD | set(NOT_INSTALLED) | set(_other_qt()))


def _other_qt() -> list[str]:
    from importlib.util import find_spec  # noqa: PLC0415 -- finds without importing
    from pathlib import Path  # noqa: PLC0415

    found = find_spec("PySide6")
    folders = found.submodule_search_locations if found else None
    stems = {p.name.split(".")[0] for f in folders or () for p in Path(f).glob("Qt*.abi3.so")}
    stems |= {p.stem for f in folders or () for p in Path(f).glob("Qt*.pyd")}
    return [f"PySide6.{name}" for name in sorted(stems - QT_MODULES)]
