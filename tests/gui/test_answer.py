"""The list, its reasons, and what is decided on it."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from support.ward_engine import DENGUE, INFLUENZA, PAIN, PNEUMONIA

from ddx.domain.feedback import OverrideReason, Verb
from desktop.presenters.why import why
from desktop.ui import words
from desktop.ui.i18n import Language

CONTROL = Qt.KeyboardModifier.ControlModifier


def visible_text(widget):
    return "\n".join(w.text() for w in widget.findChildren(QLabel) if w.isVisible())


def test_the_list_is_ranked_with_words_and_never_a_bare_percentage(answered):
    lines = answered.differential.list.lines.lines
    assert [line.name for line in lines][:2] == ["Neumonía", "Gripe"]
    assert lines[0].spoken.startswith("1. Neumonía. Muy probable · ")
    assert all("%" not in line.spoken for line in lines)
    assert lines[0].spoken.endswith("Frecuente. Grave. No se puede descartar")
    assert lines[1].spoken.endswith("Frecuente")
    assert lines[-1].spoken.endswith("Rara")


def test_the_list_says_which_model_made_it_and_what_it_leaves_out(answered):
    text = visible_text(answered.differential)
    assert "Modelo 2026.11.1" in text
    assert words.whole(answered.state.diagnosis.short_code) in text
    assert "Puede no ser ninguna de estas: en 8 de cada 100 casos así, es otra cosa." in text


def test_the_first_candidate_is_explained_in_sentences(answered, hands):
    hands.until(lambda: "Sube" in visible_text(answered.why))
    text = visible_text(answered.why)
    assert "Sube mucho: tos (presente en 80\u00a0% de los pacientes descritos)." in text
    assert "Sube: no hay erupción cutánea." in text
    assert "Nada de lo anotado habla en contra." in text


def test_moving_through_the_list_explains_each_candidate(answered, hands):
    hands.press(Qt.Key.Key_F3)
    hands.press(Qt.Key.Key_Down)
    hands.until(lambda: answered.state.explanation)
    assert answered.state.selected == INFLUENZA
    assert answered.why.title.text() == "Gripe"
    told = why(answered.state.sentences)
    said = [answered.labels.reason(s) for s in (*told.reasons_for, *told.reasons_against)]
    assert said
    hands.until(lambda: all(sentence in visible_text(answered.why) for sentence in said))


def test_what_is_expected_and_not_asked_can_be_answered_where_it_stands(answered, hands):
    hands.press(Qt.Key.Key_F4)
    line = answered.why.expected.current()
    assert line.presence is None
    hands.press(Qt.Key.Key_P)
    assert line.id in {f.id for f in answered.state.draft.findings}
    assert answered.differential.stale.isVisible()


def test_a_red_flag_is_pinned_whatever_the_ranks(visit, hands):
    hands.find(visit, "talla")
    hands.press(Qt.Key.Key_F6)
    visit.entry.vitals.numbers["spo2_percent"].setFocus()
    hands.type("84")
    hands.diagnose(visit)
    strip = visit.differential.strip
    assert strip.isVisible()
    assert "No pasar por alto" in visible_text(strip)
    assert "Saturación menor de 90\u00a0%" in visible_text(strip)
    assert strip.accessibleName().startswith("No pasar por alto")


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("language", list(Language))
def test_the_pinned_alert_stays_readable_in_every_language_and_size(
    window, visit, hands, language, scale
):
    hands.find(visit, "talla")
    hands.press(Qt.Key.Key_F6)
    visit.entry.vitals.numbers["spo2_percent"].setFocus()
    hands.type("84")
    hands.diagnose(visit)
    window.resize(1024, 600)
    window.choose(replace(window.preferences, language=language, text_scale=scale))
    hands.press(Qt.Key.Key_F3)
    hands.rest(0.1)
    strip = visit.differential.strip
    hands.until(lambda: len(visible_text(strip).splitlines()) == 2)
    labels = [label for label in strip.findChildren(QLabel) if label.isVisible()]
    for label in labels:
        assert label.height() >= label.heightForWidth(label.width())
    if scale == 1.0:
        assert strip.height() >= sum(label.height() for label in labels)


def test_what_the_model_cannot_read_is_said(visit, hands):
    hands.find(visit, "intensidad")
    hands.press(Qt.Key.Key_F7)
    hands.press(Qt.Key.Key_5)
    hands.diagnose(visit)
    assert visit.state.diagnosis.differential.unused == (PAIN,)
    assert visit.differential.unused.text().startswith(
        "El modelo no sabe leer: Intensidad del dolor."
    )


def test_an_edit_marks_the_list_as_older_and_closes_the_decision(answered, hands):
    hands.press(Qt.Key.Key_F2)
    hands.find(answered, "cabeza")
    assert answered.differential.stale.text() == (
        "Lista anterior a los últimos cambios. Pulse F5 para actualizarla."
    )
    assert not any(b.isEnabled() for b in answered.decision.buttons.values())
    hands.diagnose(answered)
    assert not answered.differential.stale.isVisible()


def test_agreeing_takes_two_keys_and_is_on_disk(window, answered, hands):
    hands.press(Qt.Key.Key_1, CONTROL)
    assert answered.decision.what.text() == "De acuerdo con: Neumonía. Intro lo guarda."
    hands.press(Qt.Key.Key_Return)
    hands.until(answered.decision.recorded.isVisible)
    assert answered.decision.recorded.text().startswith("✓ Decisión guardada. De acuerdo: Neumonía")
    (record,) = window._session.visits.history(answered.state.patient.id)
    assert [(f.verb, f.disease) for f in record.feedback] == [(Verb.AGREE, PNEUMONIA)]


def test_refusing_without_a_reason_asks_for_it(answered, hands):
    hands.press(Qt.Key.Key_2, CONTROL)
    answered.decision.confirm.click()
    assert answered.decision.missing.text() == "Elija un motivo: ayuda a corregir el modelo."
    assert answered.state.decision.recorded == ()


def test_another_diagnosis_is_added_by_typing_part_of_its_name(window, answered, hands):
    hands.press(Qt.Key.Key_3, CONTROL)
    hands.type("deng")
    popup = answered.decision.disease.completer().popup()
    hands.until(popup.isVisible)
    popup.setCurrentIndex(popup.model().index(0, 0))
    hands.qtbot.keyClick(popup, Qt.Key.Key_Return)
    assert answered.decision.disease.text() == "Dengue"
    answered.decision.reason.setCurrentIndex(
        answered.decision.reason.findData(OverrideReason.NOT_MY_JUDGEMENT.value)
    )
    answered.decision.note.setText("brote en el valle")
    answered.decision.confirm.click()
    hands.until(lambda: answered.state.decision.recorded)
    (record,) = window._session.visits.history(answered.state.patient.id)
    (feedback,) = record.feedback
    assert (feedback.verb, feedback.disease, feedback.note) == (
        Verb.ADD,
        DENGUE,
        "brote en el valle",
    )


def test_escape_closes_the_decision_before_it_leaves_the_visit(window, answered, hands):
    hands.press(Qt.Key.Key_4, CONTROL)
    hands.press(Qt.Key.Key_Escape)
    assert answered.state.decision.verb is None
    assert window.screen_shown is answered


def test_the_status_bar_counts_what_waits(window, answered, hands):
    hands.until(lambda: "Pendientes: " in window.status.sync.text())
    assert window.status.sync.text().endswith("solo en este equipo, sin nube")
    hands.until(lambda: window.status.model.text().startswith("Modelo 2026.11.1"))


@pytest.mark.slow
def test_a_whole_visit_by_keyboard_takes_few_keys(window, hands):
    visit = hands.open_visit(window)
    before = hands.keystrokes
    for text in ("fieb", "tos", "cabeza"):
        hands.find(visit, text)
    hands.find(visit, "erup", Qt.KeyboardModifier.ShiftModifier)
    hands.diagnose(visit)
    hands.press(Qt.Key.Key_1, CONTROL)
    hands.press(Qt.Key.Key_Return)
    hands.until(lambda: visit.state.decision.recorded)
    assert hands.keystrokes - before <= 25
