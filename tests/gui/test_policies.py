"""What a policy of the machine set: shown as locked, in force, not for anybody here to change."""

import pytest
from PySide6.QtCore import Qt
from support.ward_engine import WardShelf

from desktop.policies import file_layers
from desktop.presenters.freshness import Tick
from desktop.services.clinic import Clinic
from desktop.settings import load_settings
from desktop.ui.settings import SettingsScreen

POLICY = "MaxModelAgeDays = 1\nCommitFirstMode = true\nIdleLockMinutes = 30\n"


@pytest.fixture
def clinic(tmp_path, clinic, engine):
    """The clinic of the other tests on a machine with a policy file."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    settings = load_settings(tmp_path / "clinic", file_layers(folder, "ana"))
    return Clinic(
        tmp_path / "clinic",
        WardShelf(engine),
        settings=settings,
        cost=clinic._vault._cost,
        sleep=lambda _: None,
    )


def test_what_the_policy_set_is_locked_on_the_settings_and_nothing_else(window, hands):
    hands.until(lambda: window._commit_first is not None)
    window.all_settings.trigger()
    screen = hands.screen(window, SettingsScreen)
    hands.until(lambda: screen.state.content)
    locked = {row[0] for row in screen.table.lines.rows if row[2] == "bloqueado: su organización"}
    assert locked == {
        "Avisar de un modelo viejo (días)",
        "Cerrar la sesión sin uso (minutos)",
        "Primero el diagnóstico propio",
    }
    assert screen.first.isChecked()
    assert not screen.first.isEnabled()


def test_the_own_diagnosis_is_asked_for_where_the_policy_says_so(window, visit, hands):
    assert not window.preferences.commit_first
    hands.find(visit, "fiebre")
    hands.until(lambda: not visit.state.unsaved)
    hands.press(Qt.Key.Key_F5)
    assert visit.state.asking_opinion


def test_a_model_older_than_the_policy_allows_asks_for_attention(window, hands):
    window.status.dispatch(Tick())
    hands.until(lambda: window.status.model.property("look") == "attention")
    assert window.status.state.model.old_after_days == 1
