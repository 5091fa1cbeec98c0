"""tuf-js, a client of npm that shares no line with ours, reads our repository and refuses alike.

Needs node and npm. Where they are absent, or its packages cannot be fetched, the tests say so and
are skipped; with VEREDA_REQUIRE_NODE=1 (set by CI once it has installed them) they fail instead.
"""

import functools
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from support.bundle_workshop import BundleWorkshop, flip, small_members

HERE = Path(__file__).parent / "tuf_js"
FILES = ("package.json", "package-lock.json", "download.cjs")


def absent(reason):
    if os.environ.get("VEREDA_REQUIRE_NODE") == "1":
        pytest.fail(f"{reason}, and VEREDA_REQUIRE_NODE is set")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The program with its locked packages beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        absent("node or npm is not installed; tuf-js cannot read our repository")
    folder = tmp_path_factory.mktemp("tuf-js")
    for name in FILES:
        shutil.copy(HERE / name, folder)
    fetched = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode != 0:
        absent(f"npm could not fetch tuf-js: {fetched.stderr.strip()[-200:]}")
    return [node, str(folder / "download.cjs")]


@pytest.fixture
def workshop(tmp_path):
    workshop = BundleWorkshop(tmp_path / "publisher")
    workshop.publish("2026.11.1", small_members(common=bytes(range(256)) * 40))
    return workshop


@pytest.fixture
def web(workshop):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(workshop.repository))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def download(program, web, workshop, tmp_path):
    metadata, targets = tmp_path / "js-metadata", tmp_path / "js-targets"
    metadata.mkdir()
    targets.mkdir()
    (metadata / "root.json").write_bytes(workshop.trust.root)

    def run():
        return subprocess.run(
            [*program, web, str(metadata), str(targets), "stable"],
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_tuf_js_downloads_a_whole_release_from_our_repository(download, workshop):
    done = download()
    assert done.returncode == 0, done.stderr
    bundle = workshop.opened()
    models = workshop.writer.signed().delegated["models"].targets
    assert json.loads(done.stdout) == {
        path: target.hashes["sha256"] for path, target in models.items()
    }
    assert len(models) == 2 + len(bundle.members)
    manifest = workshop.find("targets/2026.11.1/*.manifest.json").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == bundle.digest


def test_tuf_js_follows_our_root_rotation_and_safety_orders_do_not_disturb_it(download, workshop):
    from datetime import UTC, datetime

    from unit.model_bundles.test_rotation import rotate

    from model_bundles.orders import Block, Orders

    release = workshop.writer.release("2026.11.1")
    block = Block(release=release, model="rare")
    workshop.writer.order(Orders(number=1, issued_at=datetime.now(UTC), blocks=(block,)))
    assert download().returncode == 0
    workshop.keys = rotate(workshop, "root", "timestamp")
    workshop.writer = type(workshop.writer)(
        workshop.repository, workshop.keys, workshop.writer.policy
    )
    workshop.publish("2026.11.2")
    done = download()
    assert done.returncode == 0, done.stderr
    assert "2026.11.2/manifest.json" in json.loads(done.stdout)


@pytest.mark.parametrize("what", ["expired", "tampered", "replayed"])
def test_tuf_js_refuses_what_our_client_refuses(download, workshop, what):
    kept = workshop.keep()
    workshop.publish("2026.11.2")
    assert download().returncode == 0
    match what:
        case "expired":
            workshop.expire()
        case "tampered":
            workshop.publish("2026.11.3")
            flip(workshop.find("metadata/*.models.json"), offset=200)
        case _:
            workshop.replay(kept)
    assert download().returncode == 1
