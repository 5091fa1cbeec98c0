"""The command that tuf-conformance drives speaks to our repository as the suite would ask it to."""

import functools
import http.server
import threading

import pytest
from support.bundle_workshop import BundleWorkshop
from support.conformance_client import main


@pytest.fixture
def workshop(tmp_path):
    workshop = BundleWorkshop(tmp_path / "publisher")
    workshop.publish("2026.11.1")
    return workshop


@pytest.fixture
def run(workshop, tmp_path):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(workshop.repository))
    state, targets = tmp_path / "state" / "metadata", tmp_path / "targets"
    targets.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"

        def command(*words, target="channels/stable.json"):
            places = ["--metadata-dir", str(state), "--metadata-url", f"{url}/metadata"]
            if words[0] == "download":
                places += ["--target-name", target, "--target-base-url", f"{url}/targets"]
                places += ["--target-dir", str(targets)]
            return main([*places, *map(str, words)])

        yield command
        server.shutdown()
        thread.join()


def test_init_refresh_and_download(run, workshop, tmp_path):
    assert run("init", workshop.repository / "metadata" / "1.root.json") == 0
    assert run("refresh") == 0
    assert run("download") == 0
    downloaded = (tmp_path / "targets" / "channels_stable.json").read_bytes()
    assert downloaded == workshop.find("targets/channels/*.stable.json").read_bytes()
    kept = {path.name for path in (tmp_path / "state" / "metadata").iterdir()}
    assert {"root.json", "timestamp.json", "snapshot.json", "targets.json"} <= kept


def test_refusals_are_told_by_the_exit_code(run, workshop):
    run("init", workshop.repository / "metadata" / "1.root.json")
    assert run("download", target="nothing.json") == 1
    workshop.expire()
    assert run("refresh") == 1
