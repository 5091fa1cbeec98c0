import pytest

from ddx.domain.differential import World
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from desktop.presenters.why import SHOWN_PER_SIDE, why


def reasons(*parts, expected=()):
    contributions = tuple(
        Contribution(subject=s, presence=p, weight=w, frequency=f) for s, p, w, f in parts
    )
    return why(
        Explanation(
            disease=DiseaseId("VD:influenza"),
            world=World.COMMON,
            base=0.0,
            margin=sum(c.weight for c in contributions),
            contributions=contributions,
            expected=expected,
        )
    )


PRESENT, EXCLUDED, UNKNOWN = Presence.PRESENT, Presence.EXCLUDED, Presence.UNKNOWN


def test_each_side_is_ordered_by_strength():
    told = reasons(
        ("HP:0000001", PRESENT, 0.2, None),
        ("HP:0000002", PRESENT, 2.0, 0.8),
        ("HP:0000003", EXCLUDED, -0.1, None),
        ("HP:0000004", PRESENT, -1.0, None),
    )
    assert [r.subject for r in told.reasons_for] == ["HP:0000002", "HP:0000001"]
    assert [r.subject for r in told.reasons_against] == ["HP:0000004", "HP:0000003"]
    assert [r.strength for r in told.reasons_for] == [3, 1]
    assert [r.share for r in told.reasons_for] == [1.0, 0.1]


def test_what_was_not_asked_is_no_reason_but_is_accounted_for():
    told = reasons(("HP:0000001", PRESENT, 1.0, None), ("HP:0000002", UNKNOWN, -3.0, None))
    assert told.reasons_against == ()
    assert told.unasked_share == pytest.approx(0.75)


def test_age_and_sex_are_reasons():
    told = reasons(("age", UNKNOWN, 0.4, None), ("sex", UNKNOWN, -0.2, None))
    assert (told.reasons_for[0].subject, told.reasons_against[0].subject) == ("age", "sex")


def test_a_handful_is_shown():
    many = [(f"HP:000000{i}", PRESENT, 1.0 + i, None) for i in range(9)]
    expected = tuple(FindingId(f"HP:00000{i}") for i in range(10, 19))
    told = reasons(*many, expected=expected)
    assert len(told.reasons_for) == len(told.expected) == SHOWN_PER_SIDE


def test_an_explanation_without_weights_has_no_reasons():
    told = reasons()
    assert (told.reasons_for, told.reasons_against, told.unasked_share) == ((), (), 0.0)
