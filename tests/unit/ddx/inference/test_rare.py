"""The likelihood ratio of rare diseases, calculated by hand on four diseases.

Phenotype tree: limb (thumb, toe), eye (lens). Frequencies and what follows for all diseases:

            thumb  toe  limb  lens  eye   any = 1 - prod(1 - f)
    OMIM:1    1          1    .2    .2    1
    OMIM:2          .4   .4               .4
    OMIM:4                          .6    .6
    ORPHA:3                   .8    .8    .8
    P        .25   .1   .35   .25   .4    .7     (mean)
"""

import json
from dataclasses import replace
from math import log

import numpy as np
import pytest

from ddx.domain.artifacts import HPO_TERMS, RARE_DISEASES, RARE_INDEX
from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.errors import ModelError, UnknownDiseaseError
from ddx.features.rare_index import RareParameters
from ddx.features.rare_query import read_case
from ddx.inference.rare import RareRanker
from training.fit.rare import FitSettings, fit_rare
from training.sources.hpo import (
    AnnotationRelease,
    AnnotationRow,
    OntologyRelease,
    Term,
    parse_frequency,
)

ANY, LIMB, THUMB, TOE = "HP:0000118", "HP:0000010", "HP:0000011", "HP:0000012"
EYE, LENS, INHERITED = "HP:0000020", "HP:0000021", "HP:0000005"
GLAUCOMA = "HP:0000022"  # a kind of eye finding no disease is annotated with
PARENTS = {
    "HP:0000001": None,
    INHERITED: "HP:0000001",
    ANY: "HP:0000001",
    LIMB: ANY,
    THUMB: LIMB,
    TOE: LIMB,
    EYE: ANY,
    LENS: EYE,
    GLAUCOMA: EYE,
}
ANNOTATIONS = [
    ("OMIM:1", THUMB, "5/5"),
    ("OMIM:1", LENS, "1/5"),
    ("OMIM:2", TOE, "2/5"),
    ("ORPHA:3", LENS, "4/5"),
    ("OMIM:4", EYE, "3/5"),
]
PLAIN = RareParameters(
    noise=0.1,
    ancestor_weight=0.5,
    ancestor_exponent=1.0,
    excluded_strength=0.8,
    excluded_exponent=1.0,
    excluded_weight=1.0,
)
SETTINGS = FitSettings(
    prior_patients=0.0,
    prior_frequency=0.5,
    class_patients=10.0,
    unstated_frequency=0.5,
    background_diseases=0.0,
    parameters=PLAIN,
)


def fitted(parameters=PLAIN):
    terms = tuple(Term(i, i, parents=(p,) if p else ()) for i, p in PARENTS.items())
    rows = tuple(
        AnnotationRow(
            d, f"disease {d}", t, False, parse_frequency(f), None, None, ("PMID:1",), "PCS", "P"
        )
        for d, t, f in ANNOTATIONS
    )
    return fit_rare(
        OntologyRelease("toy", terms),
        AnnotationRelease("toy", rows),
        settings=replace(SETTINGS, parameters=parameters),
    )


class Bundle:
    """The members of a toy bundle in memory."""

    version, digest = "1", "0" * 64

    def __init__(self, members):
        self._members = members

    def read(self, name):
        return self._members[name]


@pytest.fixture
def ranker() -> RareRanker:
    return RareRanker(fitted().index)


def query(ranker, *, present=(), excluded=(), unknown=()):
    findings = (
        *(Finding(id=FindingId(i), presence=Presence.PRESENT) for i in present),
        *(Finding(id=FindingId(i), presence=Presence.EXCLUDED) for i in excluded),
        *(Finding(id=FindingId(i), presence=Presence.UNKNOWN) for i in unknown),
    )
    case = Case(age_days=None, sex=Sex.UNKNOWN, findings=findings)
    return read_case(case, ranker.index.ontology)


def scores(ranker, **findings):
    return dict(zip(ranker.diseases, ranker.score_all(query(ranker, **findings)), strict=True))


def test_a_finding_seen_weighs_as_calculated_by_hand(ranker):
    assert scores(ranker, present=[THUMB]) == pytest.approx(
        {
            "OMIM:1": log(0.1 + 0.9 * 1 / 0.25),  # annotated with it
            "OMIM:2": log(0.1 + 0.9 * 0.5 * 0.4 / 0.35),  # another limb finding speaks for it
            "OMIM:4": log(0.1 + 0.9 * 0.5 * 0.6 / 0.7),  # only "some phenotype" does
            "ORPHA:3": log(0.1 + 0.9 * 0.5 * 0.8 / 0.7),
        },
        abs=1e-6,
    )


def test_an_exponent_tempers_only_what_ancestors_say():
    tempered = RareRanker(fitted(replace(PLAIN, ancestor_exponent=0.5)).index)
    assert scores(tempered, present=[THUMB]) == pytest.approx(
        {
            "OMIM:1": log(0.1 + 0.9 * 1 / 0.25),
            "OMIM:2": log(0.1 + 0.9 * 0.5 * (0.4 / 0.35) ** 0.5),
            "OMIM:4": log(0.1 + 0.9 * 0.5 * (0.6 / 0.7) ** 0.5),
            "ORPHA:3": log(0.1 + 0.9 * 0.5 * (0.8 / 0.7) ** 0.5),
        },
        abs=1e-6,
    )


def test_a_finding_ruled_out_weighs_as_calculated_by_hand(ranker):
    assert scores(ranker, excluded=[LENS]) == pytest.approx(
        {
            "OMIM:1": log((1 - 0.8 * 0.2) / (1 - 0.8 * 0.25)),
            "OMIM:2": log(1 / (1 - 0.8 * 0.25)),
            "OMIM:4": log(1 / (1 - 0.8 * 0.25)),
            "ORPHA:3": log((1 - 0.8 * 0.8) / (1 - 0.8 * 0.25)),
        },
        abs=1e-6,
    )


def test_a_steep_exponent_spares_diseases_where_the_finding_is_not_obligate():
    steep = RareRanker(fitted(replace(PLAIN, excluded_exponent=8.0)).index)
    chance = log(1 - 0.8 * 0.25**8)
    found = scores(steep, excluded=[THUMB, LENS])
    assert found["OMIM:1"] == pytest.approx(log(0.2) + log(1 - 0.8 * 0.2**8) - 2 * chance)
    assert found["ORPHA:3"] == pytest.approx(log(1 - 0.8 * 0.8**8) - 2 * chance)


def test_ruling_out_an_obligate_finding_lowers_the_disease(ranker):
    before = scores(ranker, present=[LENS])
    after = scores(ranker, present=[LENS], excluded=[THUMB])
    assert after["OMIM:1"] < before["OMIM:1"] - 1
    assert after["ORPHA:3"] > before["ORPHA:3"]


def test_a_finding_nobody_asked_about_changes_nothing(ranker):
    asked = scores(ranker, present=[THUMB])
    assert scores(ranker, present=[THUMB], unknown=[LENS, TOE]) == asked


def test_a_finding_no_disease_is_annotated_with_is_judged_by_its_kind(ranker):
    found = scores(ranker, present=[GLAUCOMA])
    assert max(found, key=found.get) == "ORPHA:3"
    assert found["ORPHA:3"] == pytest.approx(log(0.1 + 0.9 * 0.5 * 0.8 / 0.4), abs=1e-6)


def test_one_disease_scored_alone_gets_what_it_got_among_all(ranker):
    asked = query(ranker, present=[THUMB, GLAUCOMA], excluded=[TOE])
    among_all = ranker.score_all(asked)
    for number in range(len(ranker.diseases)):
        assert ranker.evidence(asked, number).score == pytest.approx(among_all[number], abs=1e-9)


def test_retrieval_is_ordered_cut_to_the_limit_and_stable_on_ties(ranker):
    retrieved = ranker.retrieve(query(ranker, excluded=[THUMB]), limit=3)
    assert [ranker.diseases[i] for i in retrieved.indices] == ["OMIM:2", "OMIM:4", "ORPHA:3"]
    assert retrieved.scores[0] == retrieved.scores[2]  # none of the three is annotated with it
    assert retrieved.indices.dtype == np.int32


def test_a_query_without_findings_retrieves_nothing(ranker):
    assert len(ranker.retrieve(query(ranker)).indices) == 0


def test_an_unknown_disease_is_named_in_the_error(ranker):
    with pytest.raises(UnknownDiseaseError, match="OMIM:999"):
        ranker.index.number_of("OMIM:999")


def test_a_bundle_ranks_as_the_fit_did(ranker):
    terms = [{"id": i, "parents": [p] if p else [], "alt": []} for i, p in PARENTS.items()]
    members = fitted().members() | {HPO_TERMS: _json({"version": "toy", "terms": terms})}
    loaded = RareRanker.from_artifacts(Bundle(members))
    asked = query(ranker, present=[THUMB, LENS], excluded=[TOE])
    assert np.array_equal(loaded.score_all(asked), ranker.score_all(asked))
    assert loaded.diseases == ranker.diseases


@pytest.mark.parametrize(
    ("member", "content"),
    [
        (RARE_INDEX, b"not a zip file"),
        (RARE_INDEX, b""),
        (RARE_DISEASES, b"{}"),
        (RARE_DISEASES, b'{"diseases": [{"id": "OMIM:1"}]}'),  # one listed, four indexed
    ],
)
def test_a_damaged_member_is_refused(ranker, member, content):
    bundle = Bundle(fitted().members() | {member: content})
    with pytest.raises(ModelError):
        RareRanker.from_artifacts(bundle, ranker.index.ontology)


def test_an_index_of_another_vocabulary_is_refused(ranker):
    terms = [{"id": i, "parents": [], "alt": []} for i in (ANY, LIMB)]
    members = fitted().members() | {HPO_TERMS: _json({"version": "other", "terms": terms})}
    with pytest.raises(ModelError, match="not in HPO other"):
        RareRanker.from_artifacts(Bundle(members))


def _json(value):

    return json.dumps(value).encode()
