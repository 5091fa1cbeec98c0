"""The next visit is made before anybody asks, and asked for too early it opens part by part."""

from dataclasses import replace

from desktop.ui.visit import VisitScreen


def test_a_visit_asked_for_before_it_is_made_opens_part_by_part(window, hands):
    window.visit_ahead.forget()
    screen = hands.patients(window)
    screen.list.setCurrentIndex(screen.list.lines.index(0))
    screen.list.open_current()
    assert window.screen_shown is screen
    assert window.visit_ahead.screen._to_build  # the first part is there, not the last
    hands.until(lambda: isinstance(window.screen_shown, VisitScreen))


def test_of_two_visits_asked_for_at_once_the_last_one_opens(window, hands):
    window.visit_ahead.forget()
    first = hands.patients(window).state.patients[0]
    other = replace(first, given_name="Otra")
    window.show_visit(first)
    window.show_visit(other)
    hands.until(lambda: isinstance(window.screen_shown, VisitScreen))
    hands.rest(0.2)
    assert window.screen_shown.state.patient == other


def test_who_goes_elsewhere_meanwhile_stays_there(window, hands):
    window.visit_ahead.forget()
    window.show_visit(hands.patients(window).state.patients[0])
    window.show_settings()
    shown = window.screen_shown
    hands.rest(0.4)
    assert window.screen_shown is shown


def test_a_visit_made_for_an_older_model_is_made_anew(window, hands, monkeypatch):
    ahead = window.visit_ahead
    hands.until(lambda: ahead.screen and not ahead.screen.build_more())
    old = ahead.screen
    monkeypatch.setattr(type(old), "is_of_active_model", property(lambda screen: screen is not old))
    assert hands.open_visit(window) is not old
