"""Sentences by side, the strongest first, and what nobody asked apart from both."""

from ddx.explain.narrate import Direction, Sentence, Strength
from desktop.presenters.why import why


def sentence(direction, share, code="present"):
    return Sentence(
        code=code, direction=direction, strength=Strength.CLEAR, share=share, subject="HP:0001945"
    )


UP, DOWN, BALANCED = Direction.RAISES, Direction.LOWERS, Direction.BALANCED


def test_each_side_keeps_the_order_of_the_account():
    told = [sentence(UP, 0.5), sentence(UP, 0.1), sentence(DOWN, 0.3), sentence(DOWN, 0.05)]
    shown = why(told)
    assert shown.reasons_for == tuple(told[:2])
    assert shown.reasons_against == tuple(told[2:])


def test_what_was_not_asked_stands_apart_whatever_it_does():
    raising = sentence(UP, 0.9, "unasked")
    balanced = sentence(BALANCED, 0.0, "unasked_balanced")
    shown = why([sentence(UP, 0.1), raising, balanced])
    assert shown.unasked == (raising, balanced)
    assert shown.reasons_for == (sentence(UP, 0.1),)


def test_bars_are_measured_against_the_strongest_reason_that_was_entered():
    assert why(
        [sentence(UP, 0.2), sentence(DOWN, 0.4), sentence(UP, 0.9, "unasked")]
    ).strongest == (0.4)
    assert why([]).strongest > 0
