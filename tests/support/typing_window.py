"""A clinician who types on and on until somebody kills the computer.

    python typing_window.py DATA_DIR

Opens the demonstration clinic in the real window, offscreen, and writes a line for each change:
"typed" with the draft as it is on screen, "saved" with the number of the last change on disk.
"""

import json
import os
import sys
from itertools import count
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest

from ddx.domain.finding import Presence
from ddx.intake.draft import AgeUnit, draft_to_json
from desktop.app import compose
from desktop.presenters.visit_state import (
    AgeTyped,
    FindingMarked,
    FindingWeighed,
    OnsetTyped,
    VitalTyped,
)
from desktop.services.demo import PASSPHRASE
from desktop.ui.patients import PatientsScreen
from desktop.ui.sign_in import SignInScreen
from desktop.ui.visit import VisitScreen

FEVER, COUGH, RASH = "HP:0001945", "HP:0012735", "HP:0000988"


def breathe(ms):
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


def wait(holds):
    for _ in range(6_000):
        if holds():
            return
        breathe(10)
    raise TimeoutError


def tell(kind, **said):
    sys.stdout.write(json.dumps({"kind": kind, **said}) + "\n")
    sys.stdout.flush()


def opened(window):
    wait(lambda: isinstance(window.screen_shown, SignInScreen))
    screen = window.screen_shown
    wait(lambda: screen.state.may_try)
    screen.passphrase.setText(PASSPHRASE)
    screen.enter.click()
    wait(lambda: isinstance(window.screen_shown, PatientsScreen))
    screen = window.screen_shown
    wait(lambda: screen.state.patients)
    patient = screen.state.patients[0]
    screen.list.setCurrentIndex(screen.list.lines.index(0))
    QTest.keyClick(screen.list, Qt.Key.Key_Return)
    wait(lambda: isinstance(window.screen_shown, VisitScreen))
    visit = window.screen_shown
    wait(lambda: visit.state.draft_id)
    tell("opened", patient=patient.id)
    return visit


def main(data_dir):
    app = compose(data_dir, demo=True, language="es")
    visit = opened(app.window)
    told = visit.state.saved_revision

    def type_on(event):
        nonlocal told
        visit.dispatch(event)
        tell("typed", number=visit.state.revision, draft=draft_to_json(visit.state.draft))
        breathe(40)
        if visit.state.saved_revision > told:
            told = visit.state.saved_revision
            tell("saved", number=told)

    for turn in count():
        letters = "38,5"[: 1 + turn % 4]
        for event in (
            FindingMarked(FEVER, Presence.PRESENT),
            FindingWeighed(FEVER),
            OnsetTyped(FEVER, turn),
            VitalTyped("temperature_c", letters),  # half a number is kept as half a number
            FindingMarked(COUGH, (Presence.EXCLUDED, Presence.UNKNOWN)[turn % 2]),
            AgeTyped(str(turn % 100), AgeUnit.YEARS),
            FindingMarked(RASH, Presence.EXCLUDED),
        ):
            type_on(event)
        breathe(500)  # a hand that rests is a group of key presses that is written


if __name__ == "__main__":
    main(Path(sys.argv[1]))
