"""What the window says while a bundle arrives, and when a model must not answer."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from support.ward_engine import WardEngine

from desktop.presenters.freshness import ModelRead, UpdateDone


class Status:
    version = "2026.11.1"
    reverted = False
    old_after_days = 180

    def __init__(self, standing, blocked=(), reverted=False):
        self.built_at, self.blocked, self.reverted = standing.built_at, blocked, reverted


@pytest.fixture
def bar(window, answered, hands):
    hands.until(lambda: window.status.model.text().startswith("Modelo 2026.11.1"))
    return window.status


def test_the_download_of_a_bundle_is_shown_in_percent_until_it_ends(bar, hands):
    bar._downloading, course = bar.jobs.work("")
    for received in (1_000_000, 1_000_001, 3_000_000):
        course.at(received, 4_000_000)
    hands.until(lambda: "descargando: 75 %" in bar.model.text())
    bar.dispatch(UpdateDone("activated"))
    assert "recién actualizado" in bar.model.text()
    assert "descargando" not in bar.model.text()


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("postponed", "esperará a otro día"),
        ("sent_back", "por orden de seguridad"),
        ("refused", "no pasó la verificación"),
    ],
)
def test_how_an_update_ended_is_said_beside_the_model(bar, result, said):
    bar.dispatch(UpdateDone(result))
    assert said in bar.model.text()


def test_a_clock_that_is_behind_is_said(bar):
    bar.dispatch(UpdateDone("up_to_date", clock_behind_s=100_000))
    assert "va atrasado" in bar.model.text()


def test_a_newer_application_that_lies_ready_is_said_beside_the_model(bar):
    bar.dispatch(ModelRead(bar.state.model, application="0.2.0"))
    assert "Vereda 0.2.0 lista para instalar" in bar.model.text()
    bar.dispatch(ModelRead(bar.state.model))
    assert "lista para instalar" not in bar.model.text()


def test_a_stopped_model_and_a_reverted_release_are_said(bar):
    bar.dispatch(ModelRead(Status(bar.state.model, blocked=("rare",), reverted=True)))
    assert "un modelo está detenido" in bar.model.text()
    assert "uno más nuevo falló aquí" in bar.model.text()
    bar.dispatch(ModelRead(Status(bar.state.model, blocked=("common", "rare"))))
    assert "solo reglas y registros" in bar.model.text()


@pytest.mark.parametrize(
    ("stopped", "said"),
    [({"rare"}, "la lista solo tiene frecuentes"), ({"common", "rare"}, "no hay lista")],
)
def test_the_list_says_which_model_did_not_answer_and_that_alarms_go_on(
    window, answered, stopped, said
):
    state = answered.state
    case = state.diagnosis
    made = WardEngine().without(stopped).diagnose(case.case)
    answered.differential.show_state(replace(state, diagnosis=replace(case, differential=made)))
    text = answered.differential.blocked.text()
    assert said in text
    assert "alarmas" in text
    assert answered.differential.blocked.isVisible()
    assert answered.differential.blocked.textFormat() is not Qt.TextFormat.RichText
