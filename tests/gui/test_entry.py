"""Entering findings, by keyboard only."""

from PySide6.QtCore import Qt
from support.ward_engine import COUGH, FEVER, HEADACHE, PAIN, RASH

from ddx.domain.finding import Presence
from desktop.ui.patients import PatientsScreen
from desktop.ui.sign_in import SignInScreen

SHIFT = Qt.KeyboardModifier.ShiftModifier


def states(visit):
    return {f.id: f.presence for f in visit.state.draft.findings}


def test_findings_are_entered_present_and_absent_without_the_mouse(visit, hands):
    hands.find(visit, "fiebre")
    hands.find(visit, "erup", SHIFT)
    assert states(visit) == {FEVER: Presence.PRESENT, RASH: Presence.EXCLUDED}
    assert visit.entry.search.text() == ""
    assert visit.entry.search.hasFocus()


def test_the_results_take_one_letter_each(visit, hands):
    hands.type("dolor")
    hands.until(lambda: len(visit.state.hits) >= 3)
    wanted = [line.id for line in visit.entry.hits.lines.lines].index(HEADACHE)
    hands.press(Qt.Key.Key_Down)
    for _ in range(wanted):
        hands.press(Qt.Key.Key_Down)
    hands.press(Qt.Key.Key_U)
    assert states(visit) == {HEADACHE: Presence.UNKNOWN}


def test_an_entered_finding_is_cycled_corrected_and_removed(visit, hands):
    hands.find(visit, "fiebre")
    hands.press(Qt.Key.Key_F7)
    seen = []
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Space, Qt.Key.Key_Space, Qt.Key.Key_A, Qt.Key.Key_P):
        hands.press(key)
        seen.append(states(visit)[FEVER])
    assert seen == [
        Presence.EXCLUDED,
        Presence.UNKNOWN,
        Presence.PRESENT,
        Presence.EXCLUDED,
        Presence.PRESENT,
    ]
    hands.press(Qt.Key.Key_Delete)
    assert states(visit) == {}


def test_a_graded_finding_takes_its_intensity_from_one_digit(visit, hands):
    hands.find(visit, "intensidad")
    hands.press(Qt.Key.Key_F7)
    hands.press(Qt.Key.Key_7)
    assert visit.state.draft.findings[0].grade == 7.0
    assert visit.entry.entered.current().id == PAIN


def test_enter_never_takes_a_result_of_older_text(visit, hands):
    hands.type("fiebre")
    hands.until(lambda: visit.state.hits)
    hands.type("zzzz")
    hands.press(Qt.Key.Key_Return)  # the results still on screen may be those of "fiebre"
    hands.rest(0.2)
    assert states(visit) == {}


def test_escape_empties_the_search_before_it_leaves_the_visit(window, visit, hands):
    hands.type("fiebre")
    hands.press(Qt.Key.Key_Escape)
    assert window.screen_shown is visit
    assert visit.entry.search.text() == ""
    assert visit.state.hits == ()


def test_vital_signs_are_reached_with_one_key_and_kept_as_typed(visit, hands):
    hands.press(Qt.Key.Key_F6)
    hands.type("38,5")
    hands.press(Qt.Key.Key_Tab)
    hands.type("112")
    assert dict(visit.state.draft.vitals) == {"temperature_c": "38,5", "heart_rate_bpm": "112"}


def test_every_issue_is_shown_at_once_and_nothing_is_lost(visit, hands):
    hands.find(visit, "fiebre")
    visit.entry.age.setFocus()
    visit.entry.age.selectAll()
    hands.type("-3")
    hands.press(Qt.Key.Key_F6)
    hands.type("98,6")
    hands.press(Qt.Key.Key_F5)
    hands.until(visit.refusal.isVisible)
    assert visit.entry.issues.text().splitlines() == [
        "Edad -3: no puede ser negativa. ¿Quiso decir 3?",
        "Temperatura 98.6: no es posible (de 13 a 47). Revise el número. ¿Quiso decir 37.0?",
    ]
    assert visit.entry.age.property("wrong") == "true"
    assert visit.entry.vitals.numbers["temperature_c"].property("wrong") == "true"
    assert states(visit) == {FEVER: Presence.PRESENT}
    assert visit.state.diagnosis is None


def test_a_group_of_key_presses_is_saved_and_said(visit, hands):
    hands.find(visit, "fiebre")
    assert visit.saved.text() == "Escribiendo…"
    hands.until(lambda: not visit.state.unsaved)
    assert visit.saved.text() == "Guardado"


def test_a_draft_is_there_again_after_closing_the_window(window, visit, hands, new_window, set_up):
    hands.find(visit, "fiebre")
    hands.find(visit, "tos", SHIFT)
    window.close()  # nothing waited for: the close itself must save
    hands.until(lambda: not window.isVisible())
    again = new_window()
    hands.sign_in(again, set_up)
    restored = hands.open_visit(again)
    assert states(restored) == {FEVER: Presence.PRESENT, COUGH: Presence.EXCLUDED}
    assert restored.saved.text() == "Borrador recuperado"


def test_leaving_with_escape_saves_first(window, visit, hands):
    hands.find(visit, "fiebre")
    hands.press(Qt.Key.Key_Escape)
    hands.screen(window, PatientsScreen)
    again = hands.open_visit(window)
    assert states(again) == {FEVER: Presence.PRESENT}
    hands.diagnose(again)  # the keys now belong to the visit in front


def test_signing_out_in_the_middle_of_a_visit_saves_first(window, visit, hands, set_up):
    hands.find(visit, "fiebre")
    hands.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    hands.screen(window, SignInScreen)
    hands.sign_in(window, set_up)
    assert states(hands.open_visit(window)) == {FEVER: Presence.PRESENT}
