"""Finding and registering patients."""

from dataclasses import replace

from PySide6.QtCore import Qt

from ddx.domain.case import Sex
from ddx.domain.roles import Role
from desktop.services.session import Session
from desktop.settings import Settings
from desktop.ui.patients import PatientsScreen, full_name
from desktop.ui.visit import VisitScreen

CONTROL = Qt.KeyboardModifier.ControlModifier


def test_typing_a_name_narrows_the_list(window, hands):
    screen = hands.patients(window)
    assert screen.list.lines.rowCount() == 2
    hands.type("zen")
    hands.until(lambda: screen.list.lines.rowCount() == 1)


def test_nobody_found_says_how_to_register(window, hands):
    screen = hands.patients(window)
    hands.type("zzz")
    hands.until(screen.empty.isVisible)
    assert "Ctrl+N" in screen.empty.text()


def test_an_incomplete_new_patient_says_all_that_is_missing(window, hands):
    screen = hands.patients(window)
    hands.press(Qt.Key.Key_N, CONTROL)
    hands.press(Qt.Key.Key_Return)
    assert screen.form.issues.text().splitlines() == [
        "Falta el nombre.",
        "Faltan los apellidos.",
        "Escriba la fecha de nacimiento como día/mes/año, por ejemplo 07/03/1984.",
    ]


def test_a_birth_date_in_the_future_is_refused_in_words_and_nothing_typed_is_lost(window, hands):
    screen = hands.patients(window)
    hands.press(Qt.Key.Key_N, CONTROL)
    for text in ("Inés", "Roldán", "1/1/2999"):
        hands.type(text)
        hands.press(Qt.Key.Key_Tab)
    screen.form.save.click()
    hands.until(screen.form.issues.isVisible)
    assert screen.form.issues.text() == "La fecha de nacimiento es posterior a hoy. Revísela."
    assert screen.form.given.text() == "Inés"


def test_a_new_patient_is_registered_from_the_keyboard_and_opened(window, hands):
    hands.patients(window)
    hands.press(Qt.Key.Key_N, CONTROL)
    for text in ("Inés", "Roldán", "7/3/1984"):
        hands.type(text)
        hands.press(Qt.Key.Key_Tab)
    hands.press(Qt.Key.Key_Tab)
    hands.press(Qt.Key.Key_Return)
    visit = hands.screen(window, VisitScreen)
    assert visit.name.text() == "Roldán, Inés"
    assert visit.state.patient.sex is Sex.UNKNOWN  # nobody said otherwise


def test_a_patient_is_erased_only_after_a_second_question_and_leaves_a_proof(window, hands):
    screen = hands.patients(window)
    before = len(screen.state.patients)
    screen.erase.click()
    name = full_name(screen.state.patients[0])
    assert f"¿Borrar a {name}?" in screen.question.text()
    screen.keep.click()
    assert screen.asked.isHidden()
    screen.erase.click()
    screen.confirm.click()
    hands.until(lambda: screen.state.erased and not screen.state.loading)
    assert len(screen.state.patients) == before - 1
    assert name not in [full_name(patient) for patient in screen.state.patients]
    assert screen.state.erased.proof in screen.erased.text()


def test_who_may_not_erase_sees_no_way_to(window, hands, qtbot):
    session = hands.patients(window)._session
    card = replace(session.clinician, role=Role.MEDICO_GENERAL)
    doctor = Session(replace(session._desk, clinician=card), Settings())
    screen = PatientsScreen(doctor, window.jobs)
    qtbot.addWidget(screen)
    screen.show()
    assert screen.erase.isHidden()
