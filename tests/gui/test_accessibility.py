"""Names for screen readers, contrast, large text, small screens."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QScrollArea, QWidget
from support.readable import nameless

from desktop.ui.cloud import CloudScreen
from desktop.ui.first_run import FirstRunScreen
from desktop.ui.sign_in import SignInScreen
from desktop.ui.theme import DARK, LIGHT, MIN_CONTRAST, contrast


def test_every_control_of_the_first_run_has_a_name(new_window, clinic, hands):
    window = new_window()
    window.attach(clinic, set_up=False)
    hands.screen(window, FirstRunScreen)
    assert nameless(window) == []


def test_every_control_of_the_sign_in_has_a_name(new_window, set_up, hands):
    window = new_window()
    window.attach(set_up, set_up=True)
    hands.screen(window, SignInScreen)
    assert nameless(window) == []


def test_every_control_of_the_patients_has_a_name(window):
    assert nameless(window) == []


def test_every_control_of_the_visit_has_a_name(window, answered, hands):
    hands.press(Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert nameless(window) == []


def test_every_control_of_the_cloud_account_has_a_name(window):
    window.cloud.trigger()
    assert isinstance(window.screen_shown, CloudScreen)
    assert nameless(window) == []


def test_every_control_of_the_key_map_has_a_name(window):
    window.show_keys()
    assert nameless(window.key_map) == []


def stops_of(window, hands, first):
    """Return what Tab comes by from `first` until it is there again."""
    first.setFocus()
    stops = [first]
    while len(stops) < 60:
        hands.press(Qt.Key.Key_Tab)
        if (at := window.focusWidget()) is first:
            return stops
        stops.append(at)
    raise AssertionError("Tab does not come round")


def test_tab_goes_by_names_and_as_the_eye_reads(window, answered, hands):
    stops = stops_of(window, hands, answered.entry.search)
    assert [type(stop).__name__ for stop in stops if not stop.accessibleName()] == []
    wanted = (
        answered.entry.search,
        answered.entry.entered,
        answered.guide.list,
        answered.entry.diagnose,
        answered.differential.list,
    )
    places = [stops.index(stop) for stop in wanted]
    assert places == sorted(places)


def test_a_list_reads_its_lines_aloud(answered):
    role = Qt.ItemDataRole.AccessibleTextRole
    entered = answered.entry.entered.lines
    assert entered.data(entered.index(0), role) == "Fiebre, presente"
    ranked = answered.differential.list.lines
    assert "Neumonía" in ranked.data(ranked.index(0), role)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_everything_written_can_be_read(palette):
    faint = {
        pair: round(contrast(*pair), 2)
        for pair in palette.written_pairs()
        if contrast(*pair) < MIN_CONTRAST
    }
    assert faint == {}


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_border_of_a_control_can_be_seen(palette):
    assert contrast(palette.edge, palette.surface) >= 3.0


def test_contrast_is_the_ratio_of_the_web_guidelines():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_letters_are_drawn_with_a_font_that_exists(window, qapp):
    assert QFontDatabase.families()
    assert QFontDatabase.hasFamily(qapp.font().families()[0])


def cut_off(screen):
    """Columns wider than the room they have."""
    return [
        area.widget().findChild(QWidget)
        for area in screen.findChildren(QScrollArea)
        if area.isVisible() and area.widget().width() > area.viewport().width()
    ]


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0])
def test_nothing_is_cut_off_sideways_on_a_small_screen(window, answered, hands, scale):
    window.choose(replace(window.preferences, text_scale=2.0))
    window.resize(1024, 600)
    hands.rest(0.05)
    window.choose(replace(window.preferences, text_scale=scale))
    assert (window.width(), window.height()) == (1024, 600)
    for key in (Qt.Key.Key_F2, Qt.Key.Key_F3, Qt.Key.Key_F4):
        hands.press(key)
        hands.until(lambda: cut_off(answered) == [])


def test_large_text_shows_one_column_at_a_time_with_keys_to_change(window, answered, hands):
    window.resize(1024, 600)
    window.choose(replace(window.preferences, text_scale=2.0))
    hands.until(answered.switcher.isVisible)
    hands.press(Qt.Key.Key_F4)
    assert [c.isVisible() for c in answered.columns] == [False, False, True]
    hands.press(Qt.Key.Key_F2)
    assert [c.isVisible() for c in answered.columns] == [True, False, False]
