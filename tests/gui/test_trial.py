"""The list that follows the findings, the what-if, and the diagnosis said before the list."""

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from support.ward_engine import COUGH, DENGUE, FEVER, INFLUENZA, RASH

from ddx.domain.finding import Presence, Severity
from desktop.presenters.moves import Move
from desktop.presenters.visit_state import FindingMarked
from desktop.ui.jobs import Lane
from desktop.ui.visit import VisitScreen
from desktop.ui.why import ReasonBar

CONTROL = Qt.KeyboardModifier.ControlModifier


def visible_text(widget):
    return "\n".join(w.text() for w in widget.findChildren(QLabel) if w.isVisible())


def history(window, visit):
    return window._session.visits.history(visit.state.patient.id)


def test_after_a_list_each_finding_moves_it_at_once_and_says_it_is_not_recorded(
    window, answered, hands
):
    hands.press(Qt.Key.Key_F7)
    answered.entry.entered.setCurrentIndex(answered.entry.entered.lines.index(2))
    hands.press(Qt.Key.Key_P)  # the rash that was absent
    hands.until(lambda: answered.state.on_trial)
    assert answered.differential.stale.text() == (
        "Así queda la lista con los últimos cambios; aún sin registrar. F5 la registra."
    )
    lines = {line.candidate.disease: line for line in answered.differential.list.lines.lines}
    assert lines[DENGUE].move.steps > 0
    assert "▲" in lines[DENGUE].pieces[2].text
    assert "sube" in lines[DENGUE].spoken
    assert not answered.decision.refer.isEnabled()
    assert len(history(window, answered)) == 1
    hands.diagnose(answered)
    assert len(history(window, answered)) == 2
    assert answered.state.before is not None


def test_a_what_if_is_seen_and_forgotten(window, answered, hands):
    before = [line.candidate for line in answered.differential.list.lines.lines]
    hands.press(Qt.Key.Key_F11)
    assert answered.differential.trial.isVisible()
    hands.press(Qt.Key.Key_Space)  # fever, present -> absent
    hands.until(lambda: answered.state.on_trial)
    assert [x.candidate for x in answered.differential.list.lines.lines] != before
    assert answered.entry.entered.lines.lines[0].presence is Presence.EXCLUDED
    hands.press(Qt.Key.Key_Escape)
    assert not answered.differential.trial.isVisible()
    assert [x.candidate for x in answered.differential.list.lines.lines] == before
    assert answered.entry.entered.lines.lines[0].presence is Presence.PRESENT
    assert not answered.state.unsaved
    assert window.screen_shown is answered


def test_a_what_if_that_is_kept_is_on_disk(window, answered, hands):
    hands.press(Qt.Key.Key_F11)
    hands.press(Qt.Key.Key_Space)
    hands.press(Qt.Key.Key_Return, CONTROL)
    hands.until(lambda: answered.state.draft_id and not answered.state.unsaved)
    draft = window._session.visits.open_draft(answered.state.patient.id).draft
    assert draft.findings[0].presence is Presence.EXCLUDED


def test_severity_and_onset_are_one_key_each_and_are_read_aloud(window, visit, hands):
    hands.find(visit, "fiebre")
    hands.press(Qt.Key.Key_F7)
    for _ in range(3):
        hands.press(Qt.Key.Key_S)
    hands.press(Qt.Key.Key_D)
    hands.type("2 semanas")
    hands.press(Qt.Key.Key_Return)
    line = visit.entry.entered.lines.lines[0]
    assert line.shown == "Fiebre · grave · hace 14 días"
    assert line.spoken == "Fiebre, presente, grave, hace 14 días"
    hands.until(lambda: not visit.state.unsaved)
    (kept,) = window._session.visits.open_draft(visit.state.patient.id).draft.findings
    assert (kept.severity, kept.onset_days) == (Severity.SEVERE, 14)


def test_an_onset_nobody_can_read_is_asked_again_and_escape_lets_go_of_it(visit, hands):
    hands.find(visit, "fiebre")
    hands.press(Qt.Key.Key_F7)
    hands.press(Qt.Key.Key_D)
    hands.type("ayer")
    hands.press(Qt.Key.Key_Return)
    assert "Escriba un número" in visible_text(visit.entry.onset)
    hands.press(Qt.Key.Key_Escape)
    assert not visit.entry.onset.isVisible()
    assert visit.entry.entered.hasFocus()
    assert visit.state.draft.findings[0].onset_days is None


def test_vital_signs_say_what_is_expected_and_the_score_so_far(visit, hands):
    hands.press(Qt.Key.Key_F6)
    panel = visit.entry.vitals
    assert panel.captions["respiratory_rate_bpm"].text() == "Respiración (/min) 12–20"
    assert "NEWS" in panel.numbers["heart_rate_bpm"].toolTip()
    panel.numbers["respiratory_rate_bpm"].setFocus()
    hands.type("26")
    assert panel.numbers["respiratory_rate_bpm"].property("outside") == "true"
    assert panel.captions["respiratory_rate_bpm"].text().endswith(" ▲")
    assert panel.news2 == "NEWS2 ≥ 3"
    assert "NEWS2 ≥ 3: un signo en rojo: revisar. Falta: saturación" in visible_text(panel)


def test_rules_are_pinned_before_there_is_any_list(visit, hands):
    hands.find(visit, "fiebre")
    hands.press(Qt.Key.Key_F6)
    visit.entry.vitals.numbers["spo2_percent"].setFocus()
    hands.type("84")
    hands.until(visit.differential.strip.isVisible)
    assert visit.state.diagnosis is None
    assert "Saturación menor de 90\u00a0%" in visit.differential.strip.accessibleName()


def test_reasons_begin_with_sentences_and_end_with_numbers(answered, hands):
    hands.until(lambda: "Sube" in visible_text(answered.why))
    assert not answered.why.findChildren(ReasonBar)
    hands.press(Qt.Key.Key_D, CONTROL)
    assert answered.why.findChildren(ReasonBar)
    hands.press(Qt.Key.Key_D, CONTROL)
    table = answered.why.numbers
    assert table.isVisible()
    weights = [float(row[0].replace("−", "-").replace(",", ".")) for row in table.lines.rows]
    assert weights[-1] == pytest.approx(sum(weights[:-1]), abs=1e-3)  # rounded to three places


@pytest.fixture
def asked(window, hands):
    """A visit of a clinician who wants to say their own diagnosis first, at F5."""
    window.choose(replace(window.preferences, commit_first=True))
    visit = hands.open_visit(window)
    hands.find(visit, "fiebre")
    hands.press(Qt.Key.Key_F5)
    assert visit.differential.opinion.isVisible()
    assert visit.state.diagnosis is None
    return visit


def test_the_own_diagnosis_comes_before_the_list_and_stays_with_it(window, asked, hands):
    hands.type("gripe")
    popup = asked.differential.opinion.disease.completer().popup()
    hands.until(popup.isVisible)
    popup.setCurrentIndex(popup.model().index(0, 0))
    hands.qtbot.keyClick(popup, Qt.Key.Key_Return)
    hands.press(Qt.Key.Key_Return)
    hands.until(lambda: asked.state.diagnosis)
    assert asked.differential.thought.text().startswith("Antes de la lista pensó en: Gripe.")
    (record,) = history(window, asked)
    assert record.opinion == INFLUENZA


def test_having_no_diagnosis_yet_is_an_answer_too(window, asked, hands):
    asked.differential.opinion.none.click()
    hands.until(lambda: asked.state.diagnosis)
    assert asked.differential.thought.text() == "Antes de la lista: sin diagnóstico propio."


def test_escape_goes_back_to_the_findings_without_a_list(window, asked, hands):
    hands.press(Qt.Key.Key_Escape)
    assert not asked.differential.opinion.isVisible()
    assert asked.state.diagnosis is None
    assert isinstance(window.screen_shown, VisitScreen)


def test_a_candidate_says_how_it_moved_without_arrows_to_a_screen_reader(answered):
    line = replace(answered.differential.list.lines.lines[0], move=Move(-2))
    assert line.spoken.endswith("baja 2")
    assert "▼" not in line.spoken


class Slow:
    """A search for the smallest change that ends only when it is told to."""

    def __init__(self, visits):
        self._visits, self.stopped = visits, threading.Event()

    def __getattr__(self, name):
        return getattr(self._visits, name)

    def why_not(self, diagnosis, disease, may_go_on):
        while may_go_on():
            self.stopped.wait(0.01)
        return self._visits.why_not(diagnosis, disease, may_go_on)


def test_what_takes_long_says_so_and_can_be_ended(window, answered, hands):
    session = window._session
    session.visits = Slow(session.visits)
    hands.press(Qt.Key.Key_F10)
    hands.type("Gripe")
    hands.until(window.busy.isVisible)
    assert window.busy.title.text() == "Buscando el cambio más pequeño…"
    hands.press(Qt.Key.Key_Escape)
    hands.until(lambda: answered.state.why_not)
    hands.until(lambda: not window.busy.isVisible())


def test_the_findings_of_the_ward_are_those_the_tests_name(answered):
    assert [f.id for f in answered.state.draft.findings] == [FEVER, COUGH, RASH]


def test_what_was_typed_past_is_not_tried(window, answered, hands, monkeypatch):
    """A list on trial is for the findings as they stand when its turn comes."""
    held, tried = threading.Event(), []
    answered.jobs.run(held.wait, lambda _none: None, lambda _error: None, Lane.TRIAL)
    visits = window._session.visits
    preview = visits.preview
    monkeypatch.setattr(visits, "preview", lambda draft: tried.append(draft) or preview(draft))
    for finding, presence in (
        (RASH, Presence.PRESENT),
        (FEVER, Presence.EXCLUDED),
        (RASH, Presence.UNKNOWN),
    ):
        answered.dispatch(FindingMarked(finding, presence))
    held.set()
    hands.until(lambda: answered.state.on_trial)
    assert tried == [answered.state.draft]
