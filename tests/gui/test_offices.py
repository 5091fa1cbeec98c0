"""The screens beside the visit: settings, audit entries, the clinic in counts."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from ddx.domain.audit import AuditAction
from ddx.domain.roles import Role
from desktop.services.organisation import KEPT
from desktop.services.session import Session
from desktop.settings import Settings
from desktop.ui.aggregates import AggregatesScreen
from desktop.ui.audit_log import AuditLogScreen
from desktop.ui.i18n import Language
from desktop.ui.patients import PatientsScreen
from desktop.ui.settings import SettingsScreen


@pytest.fixture
def settings(window, hands):
    window.all_settings.trigger()
    screen = hands.screen(window, SettingsScreen)
    hands.until(lambda: screen.state.content)
    return screen


def row_of(screen, name):
    return next(row for row in screen.table.lines.rows if row[0] == name)


def test_settings_tell_who_set_what(settings):
    assert row_of(settings, "Cerrar la sesión sin uso (minutos)") == (
        "Cerrar la sesión sin uso (minutos)",
        "10",
        "De fábrica",
    )


def test_what_the_organisation_set_is_marked_as_locked(window, hands):
    with window._session._desk.store.write() as unit:
        unit.settings.put(KEPT, {"MaxModelAgeDays": 90})
    window.all_settings.trigger()
    screen = hands.screen(window, SettingsScreen)
    hands.until(lambda: screen.state.content)
    assert row_of(screen, "Avisar de un modelo viejo (días)")[1:] == (
        "90",
        "bloqueado: su organización",
    )


def test_a_choice_on_the_settings_is_in_force_at_once_and_kept(window, settings, hands):
    english = settings.language.findData(Language.ENGLISH)
    settings.language.setCurrentIndex(english)
    settings.language.activated.emit(english)
    hands.until(lambda: settings.table.lines.rows[0][2] == "Default")
    assert window._file.read().language is Language.ENGLISH
    settings.first.setChecked(True)
    assert window._file.read().commit_first


def test_the_menu_of_settings_opens_and_goes_on_by_key(window, hands):
    hands.press(Qt.Key.Key_F12)
    menu = window.settings.menu()
    hands.until(menu.isVisible)
    assert menu.activeAction() is menu.actions()[0]
    menu.close()


def test_escape_leaves_the_settings(window, settings, hands):
    hands.press(Qt.Key.Key_Escape)
    hands.screen(window, PatientsScreen)


def test_an_open_visit_is_left_in_order_for_the_settings(window, visit, hands):
    hands.find(visit, "fiebre")
    window.all_settings.trigger()
    hands.screen(window, SettingsScreen)
    draft = window._session.visits.open_draft(visit.state.patient.id).draft
    assert len(draft.findings) == 1


@pytest.fixture
def auditor(window, hands):
    """The window of somebody who audits, on the entries."""
    session = window._session
    desk = replace(session._desk, clinician=replace(session.clinician, role=Role.AUDITOR))
    window._signed_in(Session(desk, Settings()))
    window.audit.trigger()
    screen = hands.screen(window, AuditLogScreen)
    hands.until(lambda: screen.state.entries)
    return screen


def test_the_auditor_reads_every_entry_and_narrows_them(window, auditor, hands):
    assert auditor.table.lines.rows[-1][2] == "Centro creado"
    assert '"action"' in auditor.detail.toPlainText()
    place = auditor.action.findData(AuditAction.PATIENT_CREATED.value)
    auditor.action.setCurrentIndex(place)
    auditor.action.activated.emit(place)
    assert {row[2] for row in auditor.table.lines.rows} == {"Paciente registrado"}
    auditor.text.setFocus()
    hands.type("zz")
    assert auditor.table.lines.rows == ()
    assert auditor.counted.text().startswith("0 de ")


def test_entries_are_for_who_may_read_them(window, auditor):
    assert window.audit.isVisible()
    assert not window.counts.isVisible()


def test_the_responsible_clinician_sees_counts_and_no_small_one(window, answered, hands):
    answered.leave()
    hands.screen(window, PatientsScreen)
    window.counts.trigger()
    screen = hands.screen(window, AggregatesScreen)
    hands.until(lambda: screen.state.content)
    assert [row[1] for row in screen.weeks.lines.rows] == ["pocas, no se dice"]
    assert screen.diseases.lines.rows == (("Nada todavía", ""),)
