"""The page a stranger follows: every command of docs/api.md does what it says, in order."""

import io
import json
import re
import subprocess
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from support.bundle_workshop import BundleWorkshop
from support.cloud_server import SmallEngine, cloud_in_thread, wait_until

from cloud_api.__main__ import main

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
TOKEN = re.compile(r"vereda (--dev-token [^)]+)\)")


@pytest.fixture
def cloud(tmp_path):
    shop = BundleWorkshop(tmp_path / "publisher")
    shop.publish("2026.11.1")
    root = tmp_path / "root.json"
    root.write_bytes(shop.trust.root)
    chosen = {"repository": shop.repository, "root": root, "dev_issuer": True}
    engine = lambda artifacts: SmallEngine(artifacts.version, artifacts.digest)  # noqa: E731
    with cloud_in_thread(tmp_path / "data", open_engine=engine, **chosen) as running:
        wait_until(lambda: running.app.state.diagnosis.state == "ready")
        wait_until(lambda: running.rows("SELECT 1 FROM audit_record"))
        observed_s = int(time.time())
        wait_until(lambda: int(time.time()) > observed_s)  # the page asks by whole seconds
        yield running


def printed(cloud, wanted):
    """Return a shell command that prints what `vereda-cloud` prints for each of its arguments."""
    said = []
    for arguments in wanted:
        output = io.StringIO()
        with redirect_stdout(output):
            assert main(["--data", str(cloud.settings.data), *arguments.split()]) == 0
        said.append(f'"{arguments}") echo {output.getvalue().strip()};;')
    return 'case "$*" in ' + " ".join(said) + " esac"


def test_every_command_of_the_page_works_in_order(cloud, tmp_path):
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 9
    script = "set -euo pipefail\n" + "\n".join(f"{block}\necho; echo '---'" for block in blocks)
    script = script.replace("http://127.0.0.1:8077", cloud.url)
    script = script.replace(
        '.venv/bin/vereda-cloud "$@"', printed(cloud, set(TOKEN.findall(script)))
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    said = [part.strip() for part in done.stdout.split("---")]
    assert json.loads(said[1])["receipt_id"]
    assert json.loads(said[3]) == {
        "feedback_id": "0198a000-0000-7000-8000-000000000003",
        "stored": True,
    }
    assert said[7].endswith("404")
    shown = re.search(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert json.loads(said[8]) == json.loads(shown.group(1))
