"""Pair features on four diseases, with similarities and ratios worked out by hand.

Annotations and frequencies (prior 0, so a count is its frequency):

            thumb  toe   lens  eye
    OMIM:1    1          .2
    OMIM:2          .4
    OMIM:4                     .6
    ORPHA:3               .8
    shown by  1/4   1/4   2/4   3/4   (limb 2/4, any 4/4)
"""

from math import log

import numpy as np
import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.errors import ModelError
from ddx.features.rare_evidence import Patient, gather
from ddx.features.rare_facts import FACTS, RareFacts
from ddx.features.rare_pairs import FEATURES, pair_features
from ddx.features.rare_query import read_case
from ddx.features.rare_tables import Profile, RareTables
from ddx.inference.rare import RareRanker
from training.fit.rare import DEFAULT_SETTINGS, FitSettings, fit_rare
from training.sources.hpo import (
    AnnotationRelease,
    AnnotationRow,
    OntologyRelease,
    Term,
    parse_frequency,
)

ANY, LIMB, THUMB, TOE = "HP:0000118", "HP:0000010", "HP:0000011", "HP:0000012"
EYE, LENS = "HP:0000020", "HP:0000021"
PARENTS = {
    "HP:0000001": (),
    ANY: ("HP:0000001",),
    LIMB: (ANY,),
    THUMB: (LIMB,),
    TOE: (LIMB,),
    EYE: (ANY,),
    LENS: (EYE,),
}
ROWS = [
    ("OMIM:1", THUMB, "5/5"),
    ("OMIM:1", LENS, "1/5"),
    ("OMIM:2", TOE, "2/5"),
    ("OMIM:4", EYE, "3/5"),
    ("ORPHA:3", LENS, "4/5"),
]
SETTINGS = FitSettings(
    prior_patients=0.0,
    prior_frequency=0.5,
    class_patients=10.0,
    unstated_frequency=0.5,
    background_diseases=0.0,
    parameters=DEFAULT_SETTINGS.parameters,
)
ALL = np.arange(4, dtype=np.int32)


@pytest.fixture(scope="module")
def fit():
    terms = tuple(Term(i, i, parents=parents) for i, parents in PARENTS.items())
    rows = tuple(
        AnnotationRow(d, d, t, False, parse_frequency(f), None, None, ("PMID:1",), "PCS", "P")
        for d, t, f in ROWS
    )
    return fit_rare(
        OntologyRelease("toy", terms), AnnotationRelease("toy", rows), settings=SETTINGS
    )


@pytest.fixture(scope="module")
def tables(fit):
    return RareTables(fit.index, facts(fit))


def facts(fit, **values):
    table = np.full((4, len(FACTS)), np.nan, dtype=np.float32)
    for name, column in values.items():
        table[:, list(FACTS).index(name)] = column
    columns = len(fit.arrays["terms"])
    return RareFacts(
        {
            "facts": table,
            "family": np.array([0, 0, 1, 2], dtype=np.int32),
            "term_vectors": np.eye(columns, dtype=np.float16),
            "disease_vectors": np.eye(4, columns, dtype=np.float16),
        }
    )


def patient(fit, *seen, excluded=(), age_years=None, sex=Sex.UNKNOWN):
    findings = (
        *(Finding(id=t, presence=Presence.PRESENT) for t in seen),
        *(Finding(id=t, presence=Presence.EXCLUDED) for t in excluded),
    )
    case = Case(age_days=None, sex=sex, findings=findings)
    return Patient(query=read_case(case, fit.index.ontology), age_years=age_years, sex=sex)


def features(tables, who, replaced=None, candidates=ALL):
    evidence = gather(tables, who.query, candidates, replaced)
    rows = pair_features(evidence, who, tables.index.parameters)
    return {name: rows[:, i] for i, name in enumerate(FEATURES)}


def test_there_are_at_least_fifty_named_features_and_each_says_what_it_holds():
    assert len(FEATURES) >= 50
    assert all(len(meaning) > 8 for meaning in FEATURES.values())


def test_the_first_column_is_the_score_of_the_first_stage(fit, tables):
    who = patient(fit, THUMB, LENS, excluded=(TOE,))
    scores = RareRanker(fit.index).score_all(who.query)
    assert features(tables, who)["lr"] == pytest.approx(scores, abs=1e-5)


def test_similarity_is_the_content_of_the_best_shared_term(fit, tables):
    # thumb: itself with OMIM:1 (1 of 4 diseases), limb with OMIM:2 (2 of 4), nothing else
    got = features(tables, patient(fit, THUMB))
    assert got["resnik_case"] == pytest.approx([log(4), log(2), 0, 0], abs=1e-6)
    # back: OMIM:1 is annotated with thumb (shares log 4) and lens (shares nothing)
    assert got["resnik_disease"][0] == pytest.approx(log(4) / 2)
    assert got["match_case"] == pytest.approx([1, 0.5, 0, 0], abs=1e-6)


def test_closure_similarity_divides_what_is_shared_by_what_is_united(fit, tables):
    # case: thumb, limb. OMIM:1: thumb, limb, lens, eye. contents: log 4, log 2, log 2, log 4/3
    got = features(tables, patient(fit, THUMB))
    shared, more = log(4) + log(2), log(2) + log(4 / 3)
    assert got["simgic"][0] == pytest.approx(shared / (shared + more))
    assert got["closure_case"][1] == pytest.approx(log(2) / shared)


def test_sums_without_the_findings_that_stand_out(fit, tables):
    got = features(tables, patient(fit, THUMB, LENS, TOE))
    total, best, worst = got["lr_present"], got["lr_best"], got["lr_worst"]
    assert got["lr_but_best"] == pytest.approx(total - best, abs=1e-5)
    assert got["lr_but_worst"] == pytest.approx(total - worst, abs=1e-5)
    # Of three findings: without the two best the worst is left, and the other way round.
    assert got["lr_but_best_two"] == pytest.approx(worst, abs=1e-5)
    assert got["lr_but_worst_two"] == pytest.approx(best, abs=1e-5)
    # OMIM:1: thumb is 1 / .25 of chance, with noise log(.2 + .8 x 4); lens and toe are below it.
    assert got["lr_but_worst_two"][0] == pytest.approx(log(3.4), abs=1e-5)
    assert got["supported"][0] == 1
    assert got["gap_but_worst"].min() == 0
    assert got["lr_capped"] == pytest.approx(total, abs=1e-5)  # no ratio here is above e^3


def test_a_finding_is_believed_as_far_as_the_others_expect_it(fit, tables):
    thumb, lens = (features(tables, patient(fit, term))["lr"] for term in (THUMB, LENS))
    after_lens = np.exp(lens) / np.exp(lens).sum()
    after_thumb = np.exp(thumb) / np.exp(thumb).sum()
    trust = after_lens[thumb > 0].sum(), after_thumb[lens > 0].sum()
    got = features(tables, patient(fit, THUMB, LENS))
    assert got["lr_coherent"] == pytest.approx(trust[0] * thumb + trust[1] * lens, abs=1e-5)
    assert got["case_coherence"] == pytest.approx([sum(trust) / 2] * 4, abs=1e-5)
    assert got["case_strangers"] == pytest.approx([2 - sum(trust)] * 4, abs=1e-5)


def test_without_findings_seen_nothing_is_doubted(fit, tables):
    got = features(tables, patient(fit, excluded=(TOE,)))
    assert got["lr_coherent"].tolist() == got["lr_but_worst_two"].tolist() == [0, 0, 0, 0]
    assert np.isnan(got["case_coherence"]).all()


def test_coverage_weighs_annotations_by_their_frequency(fit, tables):
    # OMIM:1: thumb (100 %) is seen, lens (20 %, stored in steps of 1/254) is not
    coverage = features(tables, patient(fit, THUMB))["coverage"][0]
    assert coverage == pytest.approx(1 / 1.2, abs=2e-3)


def test_an_obligate_finding_ruled_out_is_counted(fit, tables):
    got = features(tables, patient(fit, TOE, excluded=(THUMB,)))
    assert got["obligates_ruled_out"].tolist() == [1, 0, 0, 0]
    assert got["excluded_max"] == pytest.approx([1, 0, 0, 0])


def test_a_general_exclusion_rules_out_its_kinds(fit, tables):
    got = features(tables, patient(fit, THUMB, excluded=(EYE,)))
    assert got["ruled_out"] == pytest.approx([0.2, 0, 0.6, 0.8], abs=0.01)


def test_ranks_and_posteriors_compare_the_candidates(fit, tables):
    got = features(tables, patient(fit, THUMB))
    assert got["rank"][0] == 0
    assert got["gap_to_best"][0] == 0
    assert got["posterior"].sum() == pytest.approx(1, abs=1e-6)
    assert got["gap_to_next"][0] == pytest.approx(np.sort(got["lr"])[-1] - np.sort(got["lr"])[-2])


def test_a_family_shares_its_posterior(fit, tables):
    got = features(tables, patient(fit, THUMB))
    assert got["family_others"].tolist() == [1, 1, 0, 0]
    assert got["family_posterior"][1] == pytest.approx(got["posterior"][:2].sum())
    assert np.isnan(got["family_gap"][2])


def test_age_and_sex_are_nan_until_known(fit):
    known = RareTables(fit.index, facts(fit, onset_first=10.0, onset_last=12.0, x_linked=1.0))
    unknown = features(known, patient(fit, THUMB))
    assert np.isnan(unknown["before_onset"]).all()
    assert np.isnan(unknown["sex_x_linked"]).all()
    girl = features(known, patient(fit, THUMB, age_years=4.0, sex=Sex.FEMALE))
    assert girl["before_onset"] == pytest.approx(np.log1p(6), abs=1e-6)
    assert girl["after_onset"].tolist() == [0] * 4
    assert girl["sex_x_linked"].tolist() == [-1] * 4


def test_a_replaced_profile_counts_as_if_it_were_the_index(fit, tables):
    # OMIM:4 takes the place of OMIM:1: same terms, same frequencies, same everything
    graph = fit.index.ontology
    shares = np.zeros(len(graph), dtype=np.float32)
    for term in range(len(graph)):
        shares[term] = fit.index.frequency(0, term)
    terms, stated = tables.profile(0)
    stand_in = Profile(terms=terms, stated=stated, shares=shares, facts=tables.facts.facts[0])
    got = features(tables, patient(fit, THUMB, excluded=(LENS,)), {2: stand_in})
    alike = ("lr", "resnik_both", "simgic", "coverage_content", "excluded_surprise", "closure")
    for name in alike:
        assert got[name][2] == pytest.approx(got[name][0], rel=1e-5), name
    untouched = features(tables, patient(fit, THUMB, excluded=(LENS,)))
    assert untouched["lr"][2] != pytest.approx(untouched["lr"][0])


def test_a_candidate_is_described_the_same_whichever_others_are_listed_before_it(fit, tables):
    who = patient(fit, LENS)
    turned = features(tables, who, candidates=ALL[::-1].copy())
    straight = features(tables, who)
    for name in FEATURES:
        np.testing.assert_allclose(turned[name][::-1], straight[name], rtol=1e-5, err_msg=name)


def test_no_candidates_give_no_rows(fit, tables):
    who = patient(fit, THUMB)
    none = np.zeros(0, dtype=np.int32)
    rows = pair_features(gather(tables, who.query, none), who, tables.index.parameters)
    assert rows.shape == (0, len(FEATURES))


def test_a_case_of_exclusions_only_is_described_without_infinities(fit, tables):
    got = features(tables, patient(fit, excluded=(THUMB,)))
    assert not any(np.isinf(column).any() for column in got.values())


def test_facts_of_another_index_are_refused(fit):
    arrays = {
        "facts": np.zeros((3, len(FACTS)), dtype=np.float32),
        "family": np.zeros(3, dtype=np.int32),
        "term_vectors": np.zeros((2, 2), dtype=np.float16),
        "disease_vectors": np.zeros((3, 2), dtype=np.float16),
    }
    with pytest.raises(ModelError, match="another rare index"):
        RareTables(fit.index, RareFacts(arrays))


def test_facts_that_do_not_fit_each_other_are_refused(fit):
    good = facts(fit)
    arrays = {
        "facts": good.facts,
        "family": good.family[:2],
        "term_vectors": good.term_vectors.astype(np.float16),
        "disease_vectors": good.disease_vectors.astype(np.float16),
    }
    with pytest.raises(ModelError, match="do not fit"):
        RareFacts(arrays)


def test_bytes_that_are_no_facts_are_refused():
    with pytest.raises(ModelError, match="cannot be read"):
        RareFacts.from_npz(b"not a zip")


def test_the_profiles_of_all_diseases_are_those_of_each(fit):
    starts, terms, stated = fit.index.profiles()
    for number in range(4):
        span = slice(starts[number], starts[number + 1])
        listed = [
            (t, None if np.isnan(s) else s) for t, s in zip(terms[span], stated[span], strict=True)
        ]
        expected = [(t, s if s is None else np.float32(s)) for t, s in fit.index.profile(number)]
        assert listed == expected
