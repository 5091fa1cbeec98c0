"""None survives a long day of Qt calls."""

import subprocess
import sys

import pytest

MANY_CALLS = """
import desktop.ui
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
label = QLabel()
for i in range(50_000):
    label.setText("x")
print("alive")
"""


def test_none_outlives_fifty_thousand_calls_that_return_nothing():
    done = subprocess.run(
        [sys.executable, "-c", MANY_CALLS], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout.strip(), done.returncode) == ("alive", 0), done.stderr


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal by itself")
def test_a_second_call_changes_nothing():
    from desktop.ui.immortal_none import PLENTY, keep_none_alive

    assert sys.getrefcount(None) > PLENTY
    assert keep_none_alive() is False
