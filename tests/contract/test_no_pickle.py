"""Nothing that runs code when it is read: not in a bundle, not in what reads one."""

import ast
import io
import zipfile
from pathlib import Path

import pytest

from model_bundles.embedded import open_embedded_bundle

ROOT = Path(__file__).parents[2]
ROOMS = ("ddx", "model_bundles", "desktop", "sync_service", "cloud_api")
READERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "torch"}
SIGNS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""The first two bytes of a pickle, protocols 2 to 5 (PEP 307, 574)."""


def sources():
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_no_room_that_runs_at_a_clinic_or_a_server_imports_a_pickle_reader():
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in sources()
        if (names := READERS & set(imported(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert len(sources()) > 200
    assert found == {}


def test_no_array_is_loaded_with_pickles_allowed():
    """numpy refuses object arrays unless told otherwise, and nobody tells it."""
    told = [
        path.name
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword)
        and node.arg == "allow_pickle"
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ]
    assert told == []


@pytest.fixture(scope="module")
def bundle():
    return open_embedded_bundle()


def test_no_member_of_the_bundle_is_a_pickle_or_hides_one(bundle):
    checked = 0
    for name in bundle.members:
        raw = bundle.read(name)
        assert not raw.startswith(SIGNS), name
        if name.endswith(".npz"):
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                for entry in archive.namelist():
                    content = archive.read(entry)
                    assert not content.startswith(SIGNS), f"{name}/{entry}"
                    assert b"'descr': '|O'" not in content[:256], f"{name}/{entry}"
                    checked += 1
        checked += 1
    assert checked > len(bundle.members)
