"""`make demo` as a newcomer runs it: a cloud process, a clinic, one case up, one bundle down."""

import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "deploy" / "demo.py"


@pytest.mark.slow
def test_one_case_goes_up_and_one_bundle_comes_down():
    run = subprocess.run(
        [sys.executable, str(DEMO)], capture_output=True, text=True, timeout=240, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 refused" in run.stdout
    assert "device says: activated" in run.stdout
    assert run.stdout.rstrip().endswith("the bundle on the device.")
