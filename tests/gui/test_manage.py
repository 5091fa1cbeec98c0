"""Managing the centre, the recovery key, restoring a copy, and the lock nobody has to think of."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtTest import QTest

from ddx.domain.roles import Role
from desktop.presenters.manage import Done, Form, FormAsked
from desktop.presenters.sign_in import Mode
from desktop.ui.first_run import FirstRunScreen
from desktop.ui.manage import ManageScreen
from desktop.ui.patients import PatientsScreen
from desktop.ui.printing import recovery_page
from desktop.ui.sign_in import SignInScreen
from desktop.ui.visit import VisitScreen

PASSPHRASE = "llama del altiplano"
NEW = "quinua y cañihua"


@pytest.fixture
def manage(window, hands):
    window.show_manage()
    screen = hands.screen(window, ManageScreen)
    hands.until(lambda: screen.state.members)
    return screen


def texts(screen):
    return [
        screen.people.itemAtPosition(line, 0).widget().text()
        for line in range(len(screen.state.members))
    ]


def test_a_clinician_is_added_given_a_new_passphrase_and_removed(manage, set_up, hands):
    manage.dispatch(FormAsked(Form.ADD))
    manage.name.setText("Luz Cárdenas")
    manage.passphrase.setText(NEW)
    manage.own.setText(PASSPHRASE)
    manage.confirm.click()
    hands.until(lambda: manage.state.done is Done.ADDED and len(manage.state.members) == 2)
    assert texts(manage)[1] == "Luz Cárdenas · Médico general"
    luz = manage.state.members[1].id
    manage.people.itemAtPosition(1, 1).widget().click()
    assert manage.form_title.text() == "Frase de paso nueva para Luz Cárdenas"
    manage.passphrase.setText("otra frase de paso")
    manage.own.setText(PASSPHRASE)
    manage.confirm.click()
    hands.until(lambda: manage.state.done is Done.RESET)
    set_up.sign_in(luz, "otra frase de paso").close()
    manage.people.itemAtPosition(1, 2).widget().click()
    manage.own.setText(PASSPHRASE)
    manage.confirm.click()
    hands.until(lambda: manage.state.done is Done.REMOVED and len(manage.state.members) == 1)


def test_without_ones_own_passphrase_nothing_happens_and_the_screen_says_so(manage, hands):
    manage.dispatch(FormAsked(Form.ADD))
    manage.name.setText("Luz")
    manage.passphrase.setText(NEW)
    manage.confirm.click()
    assert manage.refusal.text().startswith("Escriba su propia frase")
    manage.own.setText("no es esta frase")
    manage.confirm.click()
    hands.until(lambda: manage.state.refusal and not manage.state.busy)
    assert manage.refusal.text().startswith("La frase de paso no es correcta")
    assert manage.own.text() == ""
    assert len(manage.state.members) == 1


def test_a_backup_is_made_and_its_date_shown(manage, hands):
    assert manage.backups.text() == "Todavía no hay ninguna copia de seguridad."
    manage.back_up.click()
    hands.until(lambda: manage.state.done is Done.BACKED_UP and manage.state.last_backup_at)
    assert manage.backups.text().startswith("Última copia: ")
    manage.check.click()
    hands.until(lambda: manage.state.done is Done.CHECKED)


def test_a_new_data_key_shows_the_new_recovery_key_and_ends_the_session(
    manage, window, set_up, hands
):
    manage.new_key.click()
    manage.own.setText(PASSPHRASE)
    manage.confirm.click()
    hands.until(lambda: manage.state.recovery_key, timeout=20_000)
    key = manage.key.text()
    assert not manage.form.isVisible()
    manage.noted.click()
    hands.screen(window, SignInScreen)
    set_up.recover(key, set_up.clinicians()[0].id, NEW).close()


def test_only_who_manages_sees_the_way_there(new_window, set_up, hands):
    session = set_up.sign_in(set_up.clinicians()[0].id, PASSPHRASE)
    luz = session.staff.add(PASSPHRASE, "Luz", Role.MEDICO_GENERAL, NEW)
    session.close()
    window = new_window()
    window._clinic = set_up
    window._signed_in(set_up.sign_in(luz.id, NEW))
    hands.patients(window)
    assert not window.manage.isVisible()
    window.show_manage()
    assert isinstance(window.screen_shown, PatientsScreen)


def at_sign_in(window, clinic, hands):
    window.attach(clinic, set_up=True)
    screen = hands.screen(window, SignInScreen)
    hands.until(lambda: screen.state.may_try)
    return screen


def test_the_recovery_key_opens_and_a_mistyped_group_is_named(new_window, clinic, hands):
    key = clinic.create(clinic_name="Posta", display_name="Ana Ruiz", passphrase=PASSPHRASE)
    window = new_window()
    screen = at_sign_in(window, clinic, hands)
    screen.forgot.click()
    screen.recovery_key.setText(("B" if key[0] == "A" else "A") + key[1:])
    screen.new.setText(NEW)
    screen.repeated.setText(NEW)
    screen.enter.click()
    hands.until(lambda: screen.state.refusal and screen.state.may_try)
    assert screen.refusal.text().endswith("Revise el grupo 1.")
    screen.recovery_key.setText(key.lower())
    screen.enter.click()
    hands.screen(window, PatientsScreen)


def test_two_different_new_passphrases_are_noticed_before_anything_is_tried(
    new_window, set_up, hands
):
    screen = at_sign_in(new_window(), set_up, hands)
    screen.forgot.click()
    screen.recovery_key.setText("A")
    screen.new.setText(NEW)
    screen.repeated.setText(NEW + "s")
    screen.enter.click()
    assert screen.refusal.text() == "Las dos frases no coinciden."


def test_a_damaged_store_is_replaced_by_a_copy_from_the_sign_in(
    new_window, set_up, hands, tmp_path
):
    session = set_up.sign_in(set_up.clinicians()[0].id, PASSPHRASE)
    session.keeping.back_up()
    session.close()
    database = tmp_path / "clinic" / "store" / "clinic.db"
    database.write_bytes(bytes(8192))
    window = new_window()
    screen = at_sign_in(window, set_up, hands)
    screen.passphrase.setText(PASSPHRASE)
    screen.enter.click()
    hands.until(lambda: screen.state.damaged)
    assert screen.set_aside.isVisible()
    assert screen.restore.isVisible()
    screen.restore.click()
    assert screen.state.mode is Mode.RESTORE
    screen.secret.setText(PASSPHRASE)
    screen.enter.click()
    hands.until(lambda: screen.state.restored_from)
    assert screen.demo.text().startswith("Se ha restaurado la copia del ")
    hands.until(lambda: screen.state.may_try)
    screen.passphrase.setText(PASSPHRASE)
    screen.enter.click()
    assert len(hands.patients(window).state.patients) == 2


def test_the_first_run_offers_a_copy_when_there_is_one(new_window, set_up, hands):
    session = set_up.sign_in(set_up.clinicians()[0].id, PASSPHRASE)
    session.keeping.back_up()
    session.close()
    set_up.quarantine()
    window = new_window()
    window.attach(set_up, set_up=False)
    first = hands.screen(window, FirstRunScreen)
    hands.until(first.restore.isVisible)
    first.restore.click()
    screen = hands.screen(window, SignInScreen)
    hands.until(lambda: screen.state.may_try)
    screen.secret.setText(PASSPHRASE)
    screen.enter.click()
    hands.until(lambda: screen.state.restored_from and screen.state.clinicians)


def test_an_idle_window_locks_and_what_was_typed_is_there_afterwards(window, visit, hands):
    now = [1_000.0]
    window.idle._now = lambda: now[0]
    window.idle.watch(10)
    hands.find(visit, "fiebre")
    now[0] += 599
    window.idle.look()
    assert isinstance(window.screen_shown, VisitScreen)
    now[0] += 2
    window.idle.look()
    screen = hands.screen(window, SignInScreen)
    assert screen.demo.text() == "Sesión cerrada por inactividad. Lo escrito está guardado."
    hands.until(lambda: screen.state.may_try)
    screen.passphrase.setText(PASSPHRASE)
    screen.enter.click()
    hands.patients(window)
    again = hands.open_visit(window)
    hands.until(lambda: again.state.draft.findings)


def test_the_key_that_wakes_a_sleeping_computer_reaches_nobody(window, hands):
    patients = window.screen_shown
    now = [1_000.0]
    window.idle._now = lambda: now[0]
    window.idle.watch(10)
    typed = [""]
    patients.search.textChanged.connect(typed.append)
    patients.search.setFocus()
    now[0] += 3_600  # the lid was closed: no timer ran
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Q)  # as the system hands a key over
    hands.screen(window, SignInScreen)
    assert typed == [""]


def test_keys_and_pointer_keep_the_session(window, hands):
    now = [1_000.0]
    window.idle._now = lambda: now[0]
    window.idle.watch(10)
    window.screen_shown.search.setFocus()
    for _ in range(2):
        now[0] += 500
        QTest.keyClick(window.windowHandle(), Qt.Key.Key_Q)
        window.idle.look()
        now[0] += 500
        QTest.mouseMove(window.windowHandle(), QPoint(40, 40 + int(now[0]) % 100))
        hands.rest(0.05)  # the pointer is told of by the event loop
        window.idle.look()
    assert window.screen_shown.search.text() == "qq"
    assert isinstance(window.screen_shown, PatientsScreen)


def test_keys_in_a_dialog_keep_the_session_too(window, hands):
    now = [1_000.0]
    window.idle._now = lambda: now[0]
    window.idle.watch(10)
    window.show_keys()
    hands.until(window.key_map.isActiveWindow)
    now[0] += 500
    QTest.keyClick(window.key_map.windowHandle(), Qt.Key.Key_Down)
    now[0] += 500
    window.idle.look()
    assert isinstance(window.screen_shown, PatientsScreen)
    window.key_map.close()


def test_the_recovery_key_prints_whole(qapp, tmp_path):
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "key.pdf"))
    key = "ABCD7-" * 7 + "ABCD7"
    page = recovery_page(key)
    page.print_(printer)
    assert (tmp_path / "key.pdf").read_bytes().startswith(b"%PDF")
    assert page.toPlainText().replace("\u200b", "").count("ABCD7") == 8
