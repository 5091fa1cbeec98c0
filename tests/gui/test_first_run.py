"""The first start of a new clinic."""

from PySide6.QtCore import Qt

from desktop.presenters.first_run import Field
from desktop.ui.first_run import FirstRunScreen
from desktop.ui.patients import PatientsScreen
from desktop.ui.sign_in import SignInScreen


def test_an_empty_form_says_all_that_is_missing(new_window, clinic, hands):
    window = new_window()
    window.attach(clinic, set_up=False)
    screen = hands.screen(window, FirstRunScreen)
    hands.press(Qt.Key.Key_Return)
    assert not clinic.is_set_up()
    said = [issue.text() for issue in screen.findChildren(type(screen.key)) if issue.isVisible()]
    assert "Falta el nombre del centro." in said
    assert "Falta su nombre." in said
    assert any(text.startswith("Use al menos 8 caracteres") for text in said)


def test_a_clinic_is_created_and_entered_from_the_keyboard(new_window, clinic, hands):
    window = new_window()
    window.attach(clinic, set_up=False)
    screen = hands.screen(window, FirstRunScreen)
    for text in ("Posta de Lares", "Ana Ruiz", "cielo claro de abril", "cielo claro de abril"):
        hands.type(text)
        hands.press(Qt.Key.Key_Tab)
    screen.fields[Field.REPEATED].setFocus()
    hands.press(Qt.Key.Key_Return)
    hands.until(screen.key.isVisible)
    assert len(screen.key.text()) > 20
    assert not screen.go_on.isEnabled()
    hands.press(Qt.Key.Key_Space)
    hands.press(Qt.Key.Key_Tab)
    hands.press(Qt.Key.Key_Space)
    hands.until(screen.skip.isVisible)
    for _ in range(3):  # past address, code and "join"
        hands.press(Qt.Key.Key_Tab)
    hands.press(Qt.Key.Key_Space)
    sign_in = hands.screen(window, SignInScreen)
    hands.until(lambda: sign_in.state.may_try)
    hands.type("cielo claro de abril")
    hands.press(Qt.Key.Key_Return)
    hands.screen(window, PatientsScreen)
