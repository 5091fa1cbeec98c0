"""What clinicians type, found."""

import csv
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ddx.terminology import search as searching
from ddx.terminology import words as comparing
from ddx.terminology.catalogue import Language
from ddx.terminology.normalise import fold
from ddx.terminology.search import FindingSearch
from ddx.terminology.stems import root
from ddx.terminology.words import Words, edits_allowed

HIT_FLOORS = {
    "queries_es_dev.tsv": (100, 0.95),  # used from the first day of the search
    "queries_es.tsv": (300, 0.95),  # written before tuning, then learnt from: the promised bar
    "queries_es_fresh.tsv": (100, 0.90),  # written after tuning and never learnt from
    "queries_es_next.tsv": (61, 0.85),  # also after; its misses were read, nothing changed since
}
"""Queries in each list, and the share that must hit in the first three. See docs/search.md."""


def queries_of(name):
    with Path(__file__).with_name(name).open(encoding="utf-8") as table:
        return [
            (r["query"], set(r["expected"].split("|")))
            for r in csv.DictReader(table, delimiter="\t")
        ]


@pytest.fixture(scope="module")
def search(catalogue):
    return FindingSearch(catalogue)


@pytest.mark.parametrize("name", HIT_FLOORS)
def test_lay_or_misspelt_queries_hit_in_the_first_three(search, name):
    queries, (count, floor) = queries_of(name), HIT_FLOORS[name]
    missed = [q for q, wanted in queries if not wanted & {h.id for h in search.search(q, "es")[:3]}]
    print(f"{name}: {1 - len(missed) / len(queries):.3f} in the first three")  # noqa: T201 - pytest -s
    assert len(queries) == count
    assert len(missed) <= (1 - floor) * count + 1e-9, missed


def test_the_lists_share_no_query_and_name_findings_we_hold(catalogue):
    rows = [row for name in HIT_FLOORS for row in queries_of(name)]
    folded = [fold(query) for query, _ in rows]
    assert len(set(folded)) == len(folded)
    assert set().union(*(wanted for _, wanted in rows)) <= {name.id for name in catalogue.names()}


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


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("ronquidos", "ronca"),  # noun and verb
        ("duele", "dolores"),  # the vowel that breaks under stress
        ("chiquita", "chico"),  # diminutive
        ("operaron", "operado"),
        ("guata", "barriga"),  # one family
        ("pipi", "orina"),
    ],
)
def test_another_form_or_family_word_is_found_and_counts_less_than_the_word(typed, word):
    related, same = Words([word, typed]).match(typed)
    assert 0 < related < same == 1


def test_a_short_word_loses_its_plural_but_keeps_its_last_vowel():
    assert root("casas") == root("casa") != root("caso")


def test_a_rare_word_outweighs_a_common_one(search):
    """Half the words of both match: the finding that holds the telling one comes first."""
    assert search.search("prurito en el cuerpo", "es")[0].id == "HP:0000989"


def test_the_question_of_a_finding_finds_it(search, catalogue):
    hit = search.search("le han hecho una operacion en el ultimo mes", "es")[0]
    assert hit.id == "VF:history.surgery-last-month"
    assert hit.label == catalogue.label(hit.id, "es")


def test_the_index_is_built_in_short_steps_with_a_pause_between_them(
    catalogue, search, monkeypatch
):
    """What waits for the interpreter, a window say, gets it after each of them."""
    pauses, terms, words = [], [], []
    read, sounds = searching._Reader.read, comparing._all_sounds

    def reading(reader, some):
        terms.append((len(some), len(pauses)))
        return read(reader, some)

    def sounding(some):
        words.append(len(some))
        return sounds(some)

    monkeypatch.setattr(searching._Reader, "read", reading)
    monkeypatch.setattr(comparing, "_all_sounds", sounding)
    paused = FindingSearch(catalogue)
    paused.warm(lambda: pauses.append(None))
    assert sum(count for count, _ in terms) == len(catalogue)
    assert max(count for count, _ in terms) <= searching.STEP
    assert [before for _, before in terms] == list(range(len(terms)))
    assert max(words) <= comparing.STEP
    assert paused.search("dolor de cabesa") == search.search("dolor de cabesa")


def test_an_index_being_built_is_waited_for_and_built_once(catalogue):
    search, building, go_on = FindingSearch(catalogue), threading.Event(), threading.Event()

    def pause():
        building.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(2) as threads:
        warmed = threads.submit(search.warm, pause)
        assert building.wait(30)
        found = threads.submit(search.search, "fiebre")
        assert not found.done()
        go_on.set()
        assert found.result()[0].id == "HP:0001945"
        assert warmed.done()
