"""Before the store is open."""

from PySide6.QtCore import Qt

from desktop.ui import words
from desktop.ui.patients import PatientsScreen
from desktop.ui.sign_in import SignInScreen


def at_sign_in(new_window, clinic, hands):
    window = new_window()
    window.attach(clinic, set_up=True)
    screen = hands.screen(window, SignInScreen)
    hands.until(lambda: screen.state.may_try)
    return window, screen


def test_a_wrong_passphrase_says_what_to_do_and_keeps_who_you_are(new_window, set_up, hands):
    _, screen = at_sign_in(new_window, set_up, hands)
    hands.type("no es esta")
    hands.press(Qt.Key.Key_Return)
    hands.until(screen.refusal.isVisible)
    assert screen.refusal.text() == (
        "La frase de paso no es correcta. Revise las mayúsculas y vuelva a intentarlo."
    )
    assert screen.who.currentText() == "Ana Ruiz · Médico responsable"
    assert screen.passphrase.text() == ""


def test_the_right_passphrase_after_a_wrong_one_opens_the_patients(new_window, set_up, hands):
    window, screen = at_sign_in(new_window, set_up, hands)
    hands.type("no es esta")
    hands.press(Qt.Key.Key_Return)
    hands.until(lambda: screen.refusal.isVisible() and screen.state.may_try)
    hands.type("llama del altiplano")
    hands.press(Qt.Key.Key_Return)
    hands.screen(window, PatientsScreen)


def test_a_damaged_store_is_told_and_set_aside_whole(new_window, set_up, hands, tmp_path):
    (database,) = (tmp_path / "clinic" / "store").glob("*.db")
    damaged = bytearray(database.read_bytes())
    damaged[100:4000] = bytes(3900)
    database.write_bytes(damaged)
    _, screen = at_sign_in(new_window, set_up, hands)
    hands.type("llama del altiplano")
    hands.press(Qt.Key.Key_Return)
    hands.until(screen.set_aside.isVisible)
    assert screen.refusal.text().startswith("Los datos de este equipo están dañados. Nada")
    screen.set_aside.click()
    hands.until(lambda: screen.state.set_aside_at)
    assert screen.state.set_aside_at in screen.demo.text()
    kept = [p for p in tmp_path.rglob("*.db") if p.read_bytes() == bytes(damaged)]
    assert len(kept) == 1


def test_each_backup_that_can_be_restored_says_when_and_of_which_clinic(new_window, set_up, hands):
    session = set_up.sign_in(set_up.clinicians()[0].id, "llama del altiplano")
    made = session.keeping.back_up()
    session.close()
    _, screen = at_sign_in(new_window, set_up, hands)
    hands.until(screen.backup.count)
    assert screen.backup.itemText(0) == f"{words.moment(made.made_at)} · Posta de Lares"


def test_signing_out_locks_the_store_and_comes_back_to_the_sign_in(window, hands):
    hands.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    hands.screen(window, SignInScreen)
    assert window.status.sync.text() == "Sin sesión: los datos están cerrados y cifrados"


def test_an_answer_that_comes_after_signing_out_says_nothing(window, hands):
    window.status.read()
    window.sign_out()
    hands.screen(window, SignInScreen)
    assert window.status.sync.text() == "Sin sesión: los datos están cerrados y cifrados"
