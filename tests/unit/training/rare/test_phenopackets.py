"""Published cases: from phenopacket to Case, and which of them may tune a model."""

import gzip
import json
from collections import Counter

import pytest

from ddx.domain.case import Sex
from ddx.errors import CaseError, IdentifierError
from training.sources.phenopackets import (
    CASE_TABLE,
    PHENOBRAIN,
    PHENOPACKETS,
    PUBLISHED_SET,
    CaseSourceError,
    age_in_days,
    read_phenobrain,
    read_phenopackets,
    to_case,
    tuning_cases,
)
from training.sources.published_set import MatchedBy


def feature(term, *, excluded=None):
    raw = {"type": {"id": term, "label": ""}}
    return raw if excluded is None else raw | {"excluded": excluded}


def phenopacket(name="PMID_111_A", *features, **subject):
    return {"id": name, "subject": subject, "phenotypicFeatures": list(features)}


@pytest.mark.parametrize(
    ("duration", "days"),
    [
        ("P6Y", 2192),  # 6 x 365.25 = 2191.5, to even
        ("P5Y8M", 2070),  # 5.6667 x 365.25 = 2069.75
        ("P0D", 0),
        ("P3W2D", 23),
        ("P1M", 30),
        ("P1DT12H", 1),
    ],
)
def test_an_age_is_counted_in_whole_days(duration, days):
    assert age_in_days(duration) == days


@pytest.mark.parametrize("duration", ["", "P", "6Y", "P-3Y", "PxY", "P6Y "])
def test_what_is_no_duration_is_refused(duration):
    with pytest.raises(CaseError, match="not an ISO 8601 age"):
        age_in_days(duration)


def test_observed_and_excluded_features_stay_apart():
    case = to_case(
        phenopacket(
            "x",
            feature("HP:0001250"),
            feature("HP:0001263", excluded=True),
            feature("HP:0001252", excluded=False),
            sex="FEMALE",
            timeAtLastEncounter={"age": {"iso8601duration": "P1Y"}},
        )
    )
    assert [f.id for f in case.present] == ["HP:0001250", "HP:0001252"]
    assert [f.id for f in case.excluded] == ["HP:0001263"]
    assert (case.sex, case.age_days) == (Sex.FEMALE, 365)


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_a_feature_both_observed_and_excluded_counts_as_observed(order):
    features = [feature("HP:0001250", excluded=e) for e in order]
    case = to_case(phenopacket("x", *features))
    assert [f.id for f in case.present] == ["HP:0001250"]


def test_a_subject_the_paper_says_little_of_has_unknown_age_and_sex():
    case = to_case({"id": "x", "phenotypicFeatures": [feature("HP:0001250")]})
    assert (case.sex, case.age_days) == (Sex.UNKNOWN, None)
    assert to_case(phenopacket("x", sex="OTHER_SEX")).sex is Sex.UNKNOWN


def test_a_feature_that_is_no_hpo_term_is_refused():
    with pytest.raises(IdentifierError):
        to_case(phenopacket("x", feature("MONDO:0001250")))


@pytest.fixture
def folder(tmp_path):
    """Four cases: of the published set, of one of its papers, of a clean paper, and another."""
    rows = [
        ("PMID_1111111_A", "PMID:1111111", "True", "False"),
        ("PMID_1111111_B", "PMID:1111111", "False", "False"),
        ("PMID_2222222_C", "PMID:2222222", "False", "True"),
        ("PMID_3333333_D", "PMID:3333333", "True", "False"),
    ]
    for name in (PHENOPACKETS, PUBLISHED_SET, PHENOBRAIN):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    table = ["id\tdisease\tpmid\tleak\tclean", *("\t".join((i, "OMIM:1", *r)) for i, *r in rows)]
    (tmp_path / CASE_TABLE).write_bytes(gzip.compress("\n".join(table).encode()))
    packets = [
        json.dumps({"path": "p", "phenopacket": phenopacket(i, feature("HP:0001250"))})
        for i, *_ in rows
    ]
    (tmp_path / PHENOPACKETS).write_bytes(gzip.compress("\n".join(packets).encode()))
    (tmp_path / PUBLISHED_SET).write_text("PMID_1111111_A_en-prompt.txt\n")
    pairs = [[["HP:0001250", "HP:0001250"], ["OMIM:1", "ORPHA:2", "CCRD:3"]]]
    (tmp_path / PHENOBRAIN).write_text(json.dumps(pairs))
    return tmp_path


def test_only_cases_of_papers_that_test_nothing_may_tune(folder):
    cases = {c.id[-1]: c for c in read_phenopackets(folder)}
    assert [c.id[-1] for c in tuning_cases(cases.values())] == ["D"]
    assert (cases["A"].published, cases["A"].withheld) == (MatchedBy.SAME_ID, True)
    assert (cases["B"].published, cases["B"].withheld) == (None, True)  # same paper
    assert cases["C"].clean
    assert cases["D"].leaked


def test_phenobrain_counts_every_code_of_omim_and_orphanet(folder):
    (case,) = read_phenobrain(folder)
    assert case.truths == ("OMIM:1", "ORPHA:2")
    assert [f.id for f in case.case.present] == ["HP:0001250"]


@pytest.mark.parametrize("missing", [PHENOPACKETS, CASE_TABLE, PUBLISHED_SET])
def test_a_missing_file_is_named_and_the_reader_is_told_where_to_look(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(CaseSourceError, match=r"training/README\.md"):
        read_phenopackets(folder)


def test_a_truncated_download_is_refused(folder):
    whole = (folder / PHENOPACKETS).read_bytes()
    (folder / PHENOPACKETS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CaseSourceError, match=r"phenopackets\.jsonl\.gz"):
        read_phenopackets(folder)


def test_a_case_missing_from_the_table_is_named(folder):
    (folder / CASE_TABLE).write_bytes(gzip.compress(b"id\tdisease\tpmid\tleak\tclean\n"))
    with pytest.raises(CaseSourceError, match="PMID_1111111_A"):
        read_phenopackets(folder)


@pytest.mark.data
def test_the_published_sets_read_as_they_were_counted(clinical_data):
    cases = read_phenopackets(clinical_data)
    assert len(cases) == 8816
    how = Counter(c.published for c in cases if c.published)
    assert how[MatchedBy.SAME_ID] == 3000
    assert how.total() == 4057  # of 4,917: the others left the store or were renumbered
    assert sum(c.clean for c in cases) == 1645
    tuning = tuning_cases(cases)
    papers = {c.pmid for c in cases if c.published or c.clean}
    assert papers.isdisjoint(c.pmid for c in tuning)
    assert len(read_phenobrain(clinical_data)) == 873
