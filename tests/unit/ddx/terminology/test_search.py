"""What clinicians type, found."""

import csv
import time
from pathlib import Path

import pytest

from ddx.terminology.catalogue import Language
from ddx.terminology.search import FindingSearch
from ddx.terminology.words import Words, edits_allowed

QUERIES = Path(__file__).with_name("queries_es_dev.tsv")


@pytest.fixture(scope="module")
def search(catalogue):
    return FindingSearch(catalogue)


@pytest.fixture(scope="module")
def queries():
    with QUERIES.open(encoding="utf-8") as table:
        return [
            (r["query"], set(r["expected"].split("|")))
            for r in csv.DictReader(table, delimiter="\t")
        ]


def test_nineteen_of_twenty_lay_or_misspelt_queries_hit_in_the_first_three(search, queries):
    missed = [q for q, wanted in queries if not wanted & {h.id for h in search.search(q, "es")[:3]}]
    assert len(queries) >= 80
    assert len(missed) <= 0.05 * len(queries), missed


def test_a_keystroke_is_answered_before_the_next_one(search, queries):
    search.warm()
    spent = []
    for query, _ in queries:
        start = time.process_time()
        search.search(query, "es")
        spent.append(time.process_time() - start)
    assert sorted(spent)[len(spent) // 2] < 0.020


def test_a_word_is_found_from_its_beginning(search):
    assert search.search("palpit")[0].id == "HP:0001962"


def test_word_order_does_not_matter(search):
    one, other = search.search("dolor rodilla izquierda"), search.search("izquierda rodilla dolor")
    assert one[0].id == other[0].id == "VF:pain-site.knee-left"


def test_an_english_name_is_found_and_shown_in_spanish(search):
    hit = search.search("hepatomegaly", Language.ES)[0]
    assert (hit.id, hit.label) == ("HP:0002240", "Hígado aumentado (hepatomegalia)")
    assert hit.matched == "Hepatomegaly"


def test_labels_come_in_the_language_asked_for(search):
    assert search.search("calentura", Language.EN)[0].label == "Fever"


def test_the_common_finding_comes_before_an_hpo_term_of_the_same_name(search, catalogue):
    first, second = search.search("dolor", "es")[:2]
    assert catalogue.term(first.id).common
    assert (first.id, second.id) == ("VF:pain", "HP:0012531")


def test_scores_fall_and_terms_come_once(search):
    hits = search.search("dolor", limit=30)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert len({hit.id for hit in hits}) == len(hits) == 30


@pytest.mark.parametrize("blank", ["", "   ", "¿?", "漢字"])
def test_blank_text_finds_nothing(search, blank):
    assert search.search(blank) == ()


def test_a_pasted_paragraph_is_answered_too(search):
    assert search.search("fiebre y tos desde ayer " * 500)


def test_short_words_must_be_right_and_long_ones_may_hold_two_slips():
    assert [edits_allowed(n) for n in (2, 3, 4, 7, 8, 20)] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("typed", "word", "found"),
    [
        ("fiebre", "fiebre", True),
        ("feibre", "fiebre", True),  # neighbours exchanged
        ("fibre", "fiebre", True),  # a letter missing
        ("fiiebre", "fiebre", True),  # a letter extra
        ("fuebre", "fiebre", True),  # a letter wrong
        ("fuebro", "fiebre", False),  # two slips in six letters
        ("palpitasoines", "palpitaciones", True),
        ("tis", "tos", False),
    ],
)
def test_typing_errors_are_forgiven_by_length(typed, word, found):
    assert bool(Words([word, "otra"]).match(typed)[0] > 0) is found


def test_an_exact_word_outweighs_a_beginning_which_outweighs_a_slip():
    exact, begins, slip = Words(["tosa", "tosario", "tesa"]).match("tosa")
    assert 1 == exact > begins > slip > 0
