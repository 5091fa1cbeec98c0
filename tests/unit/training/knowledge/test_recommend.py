"""Every disease we name has first actions, in both languages, each under a guideline."""

import re
from dataclasses import replace

import pytest

from ddx.safety.recommend import Kind, Recommendations
from training.knowledge import KnowledgeError, diseases
from training.knowledge.recommend import (
    guidelines,
    recommendation_member,
    recommendations,
    refuse_unusable,
)
from training.sources.endemic import endemic_knowledge

OURS = {row.id for row in diseases()} | {row.id for row in endemic_knowledge().diseases}


def test_every_disease_of_ours_has_one_to_three_actions():
    counts = dict.fromkeys(OURS, 0)
    for row in recommendations():
        counts[row.disease] += 1
    assert len(counts) >= 72
    assert {disease: n for disease, n in counts.items() if not 1 <= n <= 3} == {}


def test_every_grave_disease_says_when_to_refer():
    grave = {r.id for r in diseases() if r.severity <= 2}
    grave |= {r.id for r in endemic_knowledge().diseases if r.severity <= 2}
    referred = {r.disease for r in recommendations() if r.kind is Kind.REFER}
    assert grave - referred == {"VD:scombroid-poisoning"}  # treated where it presents


def test_every_guideline_is_cited_once_in_full_and_used():
    ids = [row.id for row in guidelines()]
    assert len(set(ids)) == len(ids)
    assert set(ids) == {row.guideline for row in recommendations()}
    assert all(1990 <= row.year <= 2025 for row in guidelines())
    assert all(re.fullmatch(r"(10\.\d{4,}/\S+)?", row.doi) for row in guidelines())


def test_an_action_is_one_short_sentence_in_each_language():
    assert all(20 <= len(text) <= 200 for r in recommendations() for text in (r.es, r.en))
    assert all(text.endswith(".") for r in recommendations() for text in (r.es, r.en))


@pytest.mark.parametrize(
    "change",
    [
        {"en": "Give 0.5 mg intramuscular adrenaline."},
        {"es": "Dé 20 ml/kg de cristaloide."},
        {"guideline": "no-such"},
    ],
)
def test_a_dose_or_an_unknown_guideline_is_refused(change):
    known = {row.id for row in guidelines()}
    refuse_unusable(recommendations(), known)
    with pytest.raises(KnowledgeError):
        refuse_unusable((replace(recommendations()[0], **change),), known)


def test_a_fourth_action_is_refused():
    with pytest.raises(KnowledgeError, match="4 actions"):
        refuse_unusable((recommendations()[0],) * 4, {row.id for row in guidelines()})


def test_the_device_reads_what_the_table_says():
    read = Recommendations.from_json(recommendation_member())
    assert read.diseases == OURS
    first = read.of("VD:anaphylaxis", "en")[0]
    assert first.kind is Kind.ACT
    assert first.text.startswith("Intramuscular adrenaline")
    assert first.guideline.cite() == (
        "World Allergy Organization. World Allergy Organization anaphylaxis guidance. 2020. "
        "doi:10.1016/j.waojou.2020.100472"
    )


def test_the_member_is_the_same_bytes_each_time():
    assert recommendation_member() == recommendation_member()
