"""First actions as a device reads them from a bundle."""

import json

import pytest

from ddx.errors import ModelError
from ddx.safety.recommend import Kind, Recommendations

GUIDELINE = {
    "id": "who-2009",
    "organisation": "WHO",
    "title": "Dengue guidelines",
    "year": 2009,
    "doi": "",
}


def action(disease="VD:dengue", kind="act", es="Hidrate.", en="Hydrate.", guideline="who-2009"):
    return {"disease": disease, "kind": kind, "es": es, "en": en, "guideline": guideline}


def member(*rows, **top):
    whole = {"format": 1, "guidelines": [GUIDELINE], "recommendations": list(rows)} | top
    return json.dumps(whole).encode()


def test_actions_come_in_the_order_of_the_table_and_in_the_language_asked_for():
    read = Recommendations.from_json(member(action(), action(kind="refer", es="Refiera.")))
    assert [r.text for r in read.of("VD:dengue")] == ["Hidrate.", "Refiera."]
    assert [r.kind for r in read.of("VD:dengue", "en")] == [Kind.ACT, Kind.REFER]
    assert read.of("VD:dengue", "en")[0].text == "Hydrate."


def test_an_action_carries_its_guideline_as_a_citation():
    (first,) = Recommendations.from_json(member(action())).of("VD:dengue")
    assert first.guideline.cite() == "WHO. Dengue guidelines. 2009"


def test_a_disease_without_actions_has_none():
    assert Recommendations.from_json(member(action())).of("OMIM:154700") == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"not json",
        b"[]",
        member(action(), format=2),
        member(action(guideline="unheard-of")),
        member(action(kind="inject")),
        member(action(en="")),
        member(action(disease="dengue")),
        member({"disease": "VD:dengue"}),
    ],
)
def test_a_malformed_member_is_refused_as_a_whole(raw):
    with pytest.raises(ModelError):
        Recommendations.from_json(raw)
