"""Papers taken out of the annotations: which rows go, and what the profiles are without them."""

import pytest

from ddx.errors import ModelError
from ddx.features.rare_index import FREQUENCY_STEPS, RareIndex
from ddx.features.rare_sources import SourcedAnnotations, SourceRemoval, source_id
from training.fit.rare import fit_rare
from training.sources.hpo import OntologyRelease, Term, parse_annotations

ROOT, HAND, THUMB, TOE, ONSET = (f"HP:{n:07d}" for n in (118, 10, 11, 12, 3674))
ONTOLOGY = OntologyRelease(
    "toy",
    (
        Term("HP:0000001", "all"),
        Term(ROOT, "root", parents=("HP:0000001",)),
        Term(HAND, "hand", parents=(ROOT,)),
        Term(THUMB, "thumb", parents=(HAND,)),
        Term(TOE, "toe", parents=(ROOT,)),
        Term(ONSET, "onset", parents=("HP:0000001",)),
    ),
)
HEADER = (
    "#version: toy\n"
    "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\t"
    "modifier\taspect\tbiocuration\n"
)
ROWS = (
    ("OMIM:1", "", THUMB, "PMID:1", "1/1", "P"),
    ("OMIM:1", "", THUMB, "PMID:2", "1/9", "P"),
    ("OMIM:1", "", TOE, "PMID:1;PMID:2", "HP:0040281", "P"),
    ("OMIM:1", "NOT", HAND, "PMID:1", "", "P"),
    ("OMIM:1", "", ONSET, "PMID:3", "", "C"),
    ("OMIM:2", "", THUMB, "PMID:1", "", "P"),
    ("ORPHA:3", "", TOE, "ORPHA:3", "", "P"),
)


def hpoa(rows=ROWS):
    lines = (
        f"{d}\t{d}\t{q}\t{term}\t{ref}\tPCS\t\t{freq}\t\t\t{aspect}\tx"
        for d, q, term, ref, freq, aspect in rows
    )
    return HEADER + "\n".join(lines) + "\n"


@pytest.fixture
def fit():
    return fit_rare(ONTOLOGY, parse_annotations(hpoa()))


@pytest.fixture
def removal(fit):
    return SourceRemoval(fit.index, SourcedAnnotations.from_hpoa(hpoa().encode()))


def shares(removal, fit, *sources, **how):
    """Return disease -> {term: propagated frequency code} of the profiles that change."""
    found = removal.without(sources, **how)
    ids = fit.index.ontology.ids
    return {
        fit.index.diseases[n]: {ids[t]: int(c) for t, c in enumerate(row) if c}
        for n, row in zip(found.numbers.tolist(), found.codes, strict=True)
    }


@pytest.mark.parametrize("text", ["11111111", "PMID:11111111", "pmid 11111111", "PMID_011111111"])
def test_a_paper_may_be_written_in_several_ways(text):
    assert source_id(text.replace("_0", "_")) == "PMID:11111111"


@pytest.mark.parametrize(("text", "source"), [("ORPHA:558", "ORPHA:558"), ("a paper", None)])
def test_other_sources_are_named_as_annotations_name_them(text, source):
    assert source_id(text) == source


def test_a_row_that_names_the_paper_goes_for_every_disease_also_when_others_support_it(
    removal, fit
):
    # OMIM:1 keeps the thumb of the other paper: (1 + 2 x 0.3) / (9 + 2) = 0.1455 -> 37 / 255
    assert shares(removal, fit, "PMID:1") == {
        "OMIM:1": {THUMB: 37, HAND: 37, ROOT: 37},
        "OMIM:2": {},
    }


def test_shared_rows_can_be_kept(removal, fit):
    kept = shares(removal, fit, "PMID:1", keep_shared=True)
    # the toe: ten pseudo-patients at 0.895, two at 0.3 -> 9.55 / 12 = 0.7958 -> 203 / 255
    assert kept["OMIM:1"][TOE] == 203
    assert kept["OMIM:2"] == {}
    both = shares(removal, fit, "PMID:1", "PMID:2", keep_shared=True)
    assert both["OMIM:1"] == {}  # nobody is left who supports the shared row


@pytest.mark.parametrize("keep_shared", [False, True])
@pytest.mark.parametrize("paper", ["PMID:1", "PMID:2", "PMID:3", "PMID:404"])
def test_the_profiles_are_those_of_the_evaluation(removal, fit, paper, keep_shared):
    changed = shares(removal, fit, paper, keep_shared=keep_shared)
    ids = fit.index.ontology.ids
    for disease in fit.index.diseases:
        own = fit.without_paper(disease, paper, sole_source=keep_shared)
        expected = {ids[t]: round(share * FREQUENCY_STEPS) for t, share in own.items()}
        number = fit.index.number_of(disease)
        index = {
            i: round(fit.index.frequency(number, t) * FREQUENCY_STEPS)
            for t, i in enumerate(ids)
            if fit.index.frequency(number, t)
        }
        assert changed.get(disease, index) == expected


def test_a_refit_without_the_paper_gives_the_same_profiles(removal, fit):
    again = fit_rare(
        ONTOLOGY, parse_annotations(hpoa()), exclude_sources=frozenset({"PMID:1"})
    ).index
    ids = fit.index.ontology.ids
    number = again.number_of("OMIM:1")
    refit = {
        i: round(again.frequency(number, t) * FREQUENCY_STEPS)
        for t, i in enumerate(ids)
        if again.frequency(number, t)
    }
    assert shares(removal, fit, "PMID:1")["OMIM:1"] == refit
    assert "OMIM:2" not in again.diseases  # with nothing left; here it stays, with nothing


def test_the_stated_frequencies_are_those_of_the_rows_left(removal, fit):
    found = removal.without(["PMID:1"])
    graph = fit.index.ontology
    assert found.profiles[0] == ((graph.index_of(THUMB), pytest.approx(1 / 9)),)
    assert found.profiles[1] == ()
    assert (found.row_of(0), found.row_of(2)) == (0, None)


def test_a_paper_nobody_annotated_changes_nothing(removal):
    assert len(removal.without(["PMID:404"]).numbers) == 0
    assert len(removal.without([]).numbers) == 0
    assert not removal.knows("PMID:404")
    assert removal.knows("PMID:2")
    assert not removal.knows("PMID:3")  # only of a row that is no part of a profile


def test_the_rows_of_merged_codes_go_together(fit):
    merged = fit_rare(
        ONTOLOGY,
        parse_annotations(hpoa([(d.replace("OMIM:2", "OMIM:1"), *rest) for d, *rest in ROWS])),
    )
    codes = {"OMIM:1": ("OMIM:1", "OMIM:2")}
    diseases = merged.index.diseases
    index = RareIndex(
        merged.index.ontology,
        merged.arrays,
        diseases,
        tuple(codes.get(disease, (disease,)) for disease in diseases),
    )
    removal = SourceRemoval(index, SourcedAnnotations.from_hpoa(hpoa().encode()))
    assert shares(removal, merged, "PMID:1") == {"OMIM:1": {THUMB: 37, HAND: 37, ROOT: 37}}


def test_an_index_fitted_from_other_annotations_is_refused(fit):
    other = hpoa([(*row[:4], "1/7", row[5]) for row in ROWS])
    removal = SourceRemoval(fit.index, SourcedAnnotations.from_hpoa(other.encode()))
    with pytest.raises(ModelError, match="OMIM:1"):
        removal.without(["PMID:1"])


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"no\tcolumns\n", HEADER.encode() + b"a\tb\n"])
def test_what_is_no_annotation_file_is_refused(raw):
    with pytest.raises(ModelError, match=r"phenotype\.hpoa"):
        SourcedAnnotations.from_hpoa(raw)


def test_a_frequency_that_says_nothing_readable_is_refused(fit):
    broken = hpoa([(*row[:4], "often", row[5]) for row in ROWS])
    removal = SourceRemoval(fit.index, SourcedAnnotations.from_hpoa(broken.encode()))
    with pytest.raises(ModelError, match="often"):
        removal.without(["PMID:1"])
