"""A whole visit without touching the mouse, on the bundle that ships, in at most 90 keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from ddx.domain.audit import AuditAction
from ddx.domain.feedback import Verb
from ddx.domain.finding import Presence
from ddx.engine import Engine
from model_bundles.embedded import open_embedded_bundle

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
MOST_KEYS = 90  # issue 10
PRESENT = ("fieb", "tos", "escal", "disn", "mialg", "flem", "cansa", "náus", "pecho")
ABSENT = ("erup", "hemo", "diarr")


@pytest.fixture(scope="module")
def shipped():
    return Engine.from_artifacts(open_embedded_bundle())


@pytest.fixture
def engine(shipped):
    return shipped


def answer(visit, hands, key):
    """Answer the question on screen with one key and wait for the next one."""
    before = visit.guide.state.question
    assert before is not None
    hands.press(key)
    hands.until(lambda: visit.guide.state.question is not before)
    hands.guided(visit)


@pytest.mark.slow
def test_twelve_findings_three_questions_a_decision_and_a_letter(
    window, hands, tmp_path, monkeypatch
):
    letter = tmp_path / "letter.pdf"
    asked = []

    def where(*_arguments):
        asked.append(True)
        return str(letter), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", where)
    visit = hands.open_visit(window)
    before = hands.keystrokes
    for text in PRESENT:
        hands.find(visit, text)
    for text in ABSENT:
        hands.find(visit, text, SHIFT)
    findings = visit.state.draft.findings
    assert [f.presence for f in findings] == [Presence.PRESENT] * 9 + [Presence.EXCLUDED] * 3
    hands.guided(visit)
    hands.press(Qt.Key.Key_F8)
    for key in (Qt.Key.Key_P, Qt.Key.Key_A, Qt.Key.Key_U):
        answer(visit, hands, key)
    assert len(visit.state.draft.findings) >= 15
    hands.diagnose(visit)
    hands.press(Qt.Key.Key_1, CONTROL)
    hands.press(Qt.Key.Key_Return)
    hands.until(lambda: visit.state.decision.recorded)
    hands.press(Qt.Key.Key_P, CONTROL)
    hands.until(lambda: getattr(visit, "letter", None) and visit.letter.isVisible())
    hands.type("Hospital")
    hands.press(Qt.Key.Key_S, CONTROL)
    hands.keystrokes += 1  # Enter takes the suggested name of the file
    hands.until(lambda: visit.letter.shown.state.saved)
    visit.letter.close()
    assert asked == [True]
    assert letter.read_bytes().startswith(b"%PDF")
    assert hands.keystrokes - before <= MOST_KEYS, f"{hands.keystrokes - before} keys"
    (record,) = window._session.visits.history(visit.state.patient.id)
    assert [f.verb for f in record.feedback] == [Verb.AGREE]
    with window._session._desk.store.read() as unit:
        told = [e.action for e in unit.audit.after(0)]
    assert told.count(AuditAction.DIAGNOSED) == 1
    assert AuditAction.EXPORTED in told
