"""The next question, the triage, why not and first actions, from the keyboard."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from support.ward_engine import CHEST_PAIN, COUGH, DYSPNEA, EMBOLISM, FEVER, SITES

from ddx.domain.finding import Presence
from desktop.presenters.guide import Equipment
from desktop.ui.preferences import PreferenceFile


def states(visit):
    return {f.id: f.presence for f in visit.state.draft.findings}


def visible_text(widget):
    return "\n".join(w.text() for w in widget.findChildren(QLabel) if w.isVisible())


@pytest.fixture
def begun(visit, hands):
    """A visit with fever, and its first question."""
    hands.find(visit, "fiebre")
    hands.guided(visit)
    return visit


def test_one_key_answers_and_the_next_question_follows(begun, hands):
    assert begun.guide.question.text() == "¿Le duele el pecho?"
    hands.press(Qt.Key.Key_F8)
    hands.press(Qt.Key.Key_A)
    assert states(begun)[CHEST_PAIN] is Presence.EXCLUDED
    hands.guided(begun)
    assert begun.guide.state.question.findings == (DYSPNEA,)
    assert "estetoscopio" in begun.guide.question.text()
    hands.press(Qt.Key.Key_U)
    assert states(begun)[DYSPNEA] is Presence.UNKNOWN
    hands.guided(begun)
    assert begun.guide.state.question.findings == SITES


def test_a_choice_is_answered_whole_and_what_it_rules_out_is_one_line(begun, hands):
    hands.press(Qt.Key.Key_F8)
    for _ in range(2):
        hands.press(Qt.Key.Key_A)
        hands.guided(begun)
    hands.press(Qt.Key.Key_A)
    assert [states(begun)[site] for site in SITES] == [Presence.EXCLUDED] * 2
    lines = begun.entry.entered.lines.lines
    assert lines[-1].label == "Lesión: cara y 1 más de la misma pregunta"
    hands.guided(begun)
    assert begun.guide.note.text().startswith("Deje de preguntar:")
    hands.press(Qt.Key.Key_F7)
    begun.entry.entered.setCurrentIndex(begun.entry.entered.lines.index(len(lines) - 1))
    hands.press(Qt.Key.Key_Delete)
    assert not set(SITES) & set(states(begun))


def test_a_clinic_without_a_stethoscope_is_not_asked_to_use_one(window, begun, hands, tmp_path):
    window.choose(replace(window.preferences, equipment=Equipment.WORDS))
    assert PreferenceFile(tmp_path).read().equipment is Equipment.WORDS
    hands.press(Qt.Key.Key_F8)
    hands.press(Qt.Key.Key_A)
    hands.guided(begun)
    assert begun.guide.state.question.findings == SITES


def test_the_triage_is_there_before_the_list_and_moves_with_what_is_measured(begun, hands):
    assert begun.triage.isVisible()
    assert begun.triage.text().startswith("Triaje 2 · Naranja")
    hands.press(Qt.Key.Key_F6)
    begun.entry.vitals.numbers["spo2_percent"].setFocus()
    hands.type("84")
    hands.until(lambda: begun.triage.text().startswith("Triaje 1 · Rojo"))
    assert "Saturación menor de 90 %" in begun.triage.accessibleName()


def test_what_cannot_be_set_aside_is_marked_and_only_that(answered):
    kept = {line.candidate.disease for line in answered.differential.list.lines.lines if line.kept}
    assert kept == answered.state.diagnosis.not_excluded


def test_any_disease_is_told_what_would_bring_it_up(answered, hands):
    hands.press(Qt.Key.Key_F10)
    hands.type("embolia pulmonar")
    hands.until(lambda: answered.state.why_not)
    assert answered.state.why_not.disease == EMBOLISM
    told = answered.why.why_not.answer
    hands.until(told.isVisible)
    assert told.text() == answered.labels.why_not(answered.state.why_not)
    assert "Embolia pulmonar" in told.text()


def test_what_to_do_first_carries_its_guideline(answered, hands):
    hands.until(lambda: "Dé amoxicilina según el peso." in visible_text(answered.why))
    assert "OPS. Guía. 2022" in visible_text(answered.why)


def test_on_a_low_screen_the_question_unfolds_when_it_is_gone_to(window, begun, hands):
    window.resize(1024, 600)
    hands.until(lambda: not begun.guide.list.isVisible())
    assert begun.guide.question.isVisible()
    hands.press(Qt.Key.Key_F8)
    hands.until(begun.guide.list.hasFocus)
    hands.press(Qt.Key.Key_P)
    assert states(begun)[CHEST_PAIN] is Presence.PRESENT
    hands.press(Qt.Key.Key_F2)
    hands.until(lambda: not begun.guide.list.isVisible())


def test_answering_goes_on_after_the_list_is_calculated(begun, hands):
    hands.press(Qt.Key.Key_F8)
    hands.diagnose(begun)
    assert begun.guide.list.hasFocus()
    hands.press(Qt.Key.Key_P)
    assert states(begun) == {FEVER: Presence.PRESENT, CHEST_PAIN: Presence.PRESENT}
    assert begun.state.stale
    assert COUGH not in states(begun)
