"""The past of a patient, and what leaves of it."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from ddx.domain.audit import AuditAction
from desktop.presenters.history import ExportAsked
from desktop.ui.patients import PatientsScreen

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def twice(window, answered, hands):
    """Two visits on record: the second with a headache and a rash after all."""
    hands.press(Qt.Key.Key_1, CONTROL)
    hands.type("Reposo y agua")
    hands.press(Qt.Key.Key_Return)
    hands.until(lambda: answered.state.decision.recorded)
    hands.press(Qt.Key.Key_F2)
    hands.find(answered, "cabeza")
    hands.find(answered, "erup")
    hands.diagnose(answered)
    return answered


@pytest.fixture
def shown(window, twice, hands):
    """The history, asked for from the visit."""
    hands.press(Qt.Key.Key_H, CONTROL)
    screen = twice.history.shown
    hands.until(lambda: screen.state.visits)
    yield screen
    twice.history.close()


def test_the_newest_visit_stands_first_with_what_it_came_to(shown):
    lines = shown.list.lines
    role = Qt.ItemDataRole.DisplayRole
    assert lines.rowCount() == 2
    assert "sin decidir" in lines.data(lines.index(0), role)
    assert "De acuerdo: Neumonía" in lines.data(lines.index(1), role)
    assert "Erupción cutánea" in shown.page.toPlainText()


def test_the_plan_is_read_where_it_was_made(shown, hands):
    hands.press(Qt.Key.Key_Down)
    assert "Plan: Reposo y agua" in shown.page.toPlainText()


def test_two_visits_are_compared_by_two_keys(shown, hands):
    hands.press(Qt.Key.Key_C)
    hands.press(Qt.Key.Key_Down)
    text = shown.page.toPlainText()
    assert "Erupción cutánea: ausente → presente" in text
    assert "Dolor de cabeza: sin preguntar → presente" in text
    assert "Fiebre" not in text.partition("Constantes")[0]
    role = Qt.ItemDataRole.AccessibleTextRole
    assert shown.list.lines.data(shown.list.lines.index(0), role).endswith("se compara")


@pytest.mark.parametrize("kind", ["fhir", "phenopacket"])
def test_an_export_is_written_down_and_then_written(shown, hands, kind, tmp_path, monkeypatch):
    target = tmp_path / f"out.{kind}.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a: (str(target), ""))
    shift = Qt.KeyboardModifier.ShiftModifier
    hands.press(Qt.Key.Key_E, {"fhir": CONTROL | shift, "phenopacket": CONTROL}[kind])
    hands.until(lambda: shown.state.saved)
    assert json.loads(target.read_bytes())
    with shown._session._desk.store.read() as unit:
        last = unit.audit.after(0)[-1]
    assert (last.action, last.detail["what"]) == (AuditAction.EXPORTED, kind)


def test_a_file_that_cannot_be_written_says_so(shown, hands, tmp_path):
    shown.dispatch(ExportAsked("fhir", str(tmp_path / "no" / "such" / "folder.json")))
    hands.until(shown.refused.isVisible)
    assert shown.state.saved == ""


def test_the_history_opens_from_the_list_of_patients_as_well(window, twice, hands):
    twice.leave()
    screen = hands.screen(window, PatientsScreen)
    hands.until(lambda: screen.state.patients)
    hands.press(Qt.Key.Key_H, CONTROL)
    hands.until(lambda: window.history.shown.state.visits)
    assert window.history.shown.name.text() == "Quispe Mamani, Zenobia"
    window.history.close()


def test_the_summary_holds_the_plan_and_asks_nothing_of_a_hospital(window, twice, hands):
    hands.press(Qt.Key.Key_1, CONTROL)
    hands.type("Paracetamol y control en dos días")
    hands.press(Qt.Key.Key_Return)
    hands.until(lambda: twice.state.decision.recorded)
    hands.press(Qt.Key.Key_R, CONTROL)
    hands.until(lambda: getattr(twice, "letter", None) and twice.letter.isVisible())
    text = twice.letter.shown.page.toPlainText()
    twice.letter.close()
    for said in (
        "Resumen de la consulta",
        "Paracetamol y control",
        twice.state.diagnosis.short_code,
    ):
        assert said in text
    assert "Se solicita" not in text
