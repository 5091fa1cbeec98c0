"""The computer dies while somebody types in the real window: what was saved comes back."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ddx.intake.draft import draft_to_json
from desktop.services.clinic import Clinic
from desktop.services.demo import PASSPHRASE

REPOSITORY = Path(__file__).resolve().parents[3]
TYPIST = REPOSITORY / "tests" / "support" / "typing_window.py"
KILLS = 1
SAVES_BEFORE_A_KILL = 3


def type_until_killed(folder, after_saves):
    """Return what the typist said before the kill that follows `after_saves` saves."""
    said, saves = [], 0
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        [sys.executable, str(TYPIST), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as typist:
        for line in typist.stdout:
            if not line.startswith("{"):
                continue
            said.append(json.loads(line))
            saves += said[-1]["kind"] == "saved"
            if saves == after_saves:
                typist.send_signal(signal.SIGKILL)
                break
        else:
            pytest.fail("the typist ended by itself")
        rest = [json.loads(line) for line in typist.stdout if line.startswith('{"kind": "typed"')]
    assert typist.returncode == -signal.SIGKILL
    return said + rest


class NoShelf:
    """Opening a draft needs no model."""

    refused = ()

    def remember(self, kept):
        pass


@pytest.mark.slow
def test_a_killed_window_restores_the_draft_letter_by_letter(tmp_path):
    for kill in range(KILLS):
        said = type_until_killed(tmp_path, SAVES_BEFORE_A_KILL + kill)
        saved = max(line["number"] for line in said if line["kind"] == "saved")
        patient = next(line["patient"] for line in said if line["kind"] == "opened")
        clinic = Clinic(tmp_path, NoShelf())
        (card,) = [c for c in clinic.clinicians() if c.display_name]
        session = clinic.sign_in(card.id, PASSPHRASE)
        restored = draft_to_json(session.visits.open_draft(patient).draft)
        session.close()
        typed = [line for line in said if line["kind"] == "typed"]
        promised = [line["draft"] for line in typed if line["number"] >= saved]
        assert restored in promised, f"kill {kill}: older than the save the window spoke of"
