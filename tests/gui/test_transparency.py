"""What left the clinic on screen, and the auditor's way in."""

import json

import pytest

from desktop.ui.patients import PatientsScreen
from desktop.ui.transparency import TransparencyScreen


@pytest.fixture
def of_an_auditor(set_up):
    session = set_up.sign_in(set_up.clinicians()[0].id, "llama del altiplano")
    with session._desk.store.write() as unit:
        unit._session.connection().exec_driver_sql("UPDATE clinician SET role = 'Auditor'")
    session.close()
    return set_up


def signed_in(qtbot, window, clinic):
    session = clinic.sign_in(clinic.clinicians()[0].id, "llama del altiplano")
    window.attach(clinic, set_up=True)
    window._signed_in(session)


def test_an_auditor_lands_on_the_audit_and_exports_what_verifies(
    qtbot, new_window, of_an_auditor, tmp_path
):
    window = new_window()
    signed_in(qtbot, window, of_an_auditor)
    screen = window.screen_shown
    assert isinstance(screen, TransparencyScreen)
    assert screen.back.isHidden()
    screen.verify.click()
    qtbot.waitUntil(lambda: "encaja" in screen.told.text())
    from desktop.commands.audit import HOLDS
    from desktop.presenters.transparency import ExportAsked
    from desktop.terminal.audit import main

    path = tmp_path / "log.jsonl"
    screen.dispatch(ExportAsked(str(path)))
    qtbot.waitUntil(lambda: "Exportada" in screen.told.text())
    assert main(["verify", str(path)]) == HOLDS


def test_a_doctor_reads_the_exact_payload_and_goes_back(qtbot, new_window, set_up):
    window = new_window()
    session = set_up.sign_in(set_up.clinicians()[0].id, "llama del altiplano")
    with session._desk.store.write() as unit:
        session._desk.journal.send_audit(unit)
    session.close()
    signed_in(qtbot, window, set_up)
    assert isinstance(window.screen_shown, PatientsScreen)
    assert window.transparency.isVisible()
    window.transparency.trigger()
    screen = window.screen_shown
    assert isinstance(screen, TransparencyScreen)
    qtbot.waitUntil(lambda: screen.list.count() == 1)
    assert json.loads(screen.payload.toPlainText())["head"]
    assert screen.verify.isHidden()
    assert "responsable" in screen.standing.text()
    screen.back.click()
    assert isinstance(window.screen_shown, PatientsScreen)


def test_a_file_that_cannot_be_written_is_told(qtbot, new_window, of_an_auditor, tmp_path):
    from desktop.presenters.transparency import ExportAsked

    window = new_window()
    signed_in(qtbot, window, of_an_auditor)
    screen = window.screen_shown
    screen.dispatch(ExportAsked(str(tmp_path / "missing" / "log.jsonl")))
    qtbot.waitUntil(lambda: "otra carpeta" in screen.refused.text())
