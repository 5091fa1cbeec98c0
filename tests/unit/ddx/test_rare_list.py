"""The list of rare diseases of a case: its order, its probabilities, and a paper left out."""

from types import SimpleNamespace

import numpy as np
import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.engine import Engine
from ddx.features.rare_annotations import POOLING
from ddx.features.rare_query import read_case
from ddx.features.rare_sources import SourcedAnnotations, SourceRemoval
from ddx.inference.rare import RareRanker
from ddx.inference.rare_learned import PlainStage
from ddx.rare_list import rank_rare
from model_bundles.embedded import open_embedded_bundle
from training.evaluate.rare import Protocol, ranks
from training.fit.rare import DEFAULT_SETTINGS, fit_rare
from training.sources.hpo import OntologyRelease, Term, parse_annotations
from training.sources.phenopackets import LabelledCase

ROOT, HAND, THUMB, TOE, TALL = (f"HP:{n:07d}" for n in (118, 10, 11, 12, 13))
ONTOLOGY = OntologyRelease(
    "toy",
    (
        Term("HP:0000001", "all"),
        Term(ROOT, "root", parents=("HP:0000001",)),
        Term(HAND, "hand", parents=(ROOT,)),
        Term(THUMB, "thumb", parents=(HAND,)),
        Term(TOE, "toe", parents=(ROOT,)),
        Term(TALL, "tall", parents=(ROOT,)),
    ),
)
ROWS = (
    ("OMIM:1", THUMB, "PMID:1", "3/4"),
    ("OMIM:1", TOE, "PMID:1;PMID:9", "1/4"),
    ("OMIM:1", TALL, "PMID:9", ""),
    ("OMIM:2", THUMB, "PMID:2", "1/2"),
    ("OMIM:2", TALL, "PMID:9", "2/2"),
    ("OMIM:3", TOE, "PMID:3", "HP:0040281"),
    ("OMIM:4", HAND, "PMID:4", "9/9"),
    ("ORPHA:5", TALL, "PMID:5", "1/20"),
)
HPOA = (
    "#version: toy\n"
    "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\t"
    "modifier\taspect\tbiocuration\n"
    + "".join(f"{d}\t{d}\t\t{t}\t{ref}\tPCS\t\t{f}\t\t\tP\tx\n" for d, t, ref, f in ROWS)
)
STAGE = PlainStage(temperature=2.0, miss_rate=0.25)
CASES = [
    ((THUMB,), ()),
    ((THUMB, TOE), ()),
    ((TOE,), (TALL,)),
    ((HAND, TOE), (THUMB,)),
    ((TALL,), (THUMB, TOE)),
]


@pytest.fixture(scope="module")
def fit():
    return fit_rare(ONTOLOGY, parse_annotations(HPOA))


@pytest.fixture(scope="module")
def engine(fit):
    catalogue = SimpleNamespace(ontology=fit.index.ontology, implied={})
    return SimpleNamespace(rare=RareRanker(fit.index), catalogue=catalogue, rare_stage=STAGE)


@pytest.fixture(scope="module")
def removal(fit):
    return SourceRemoval(fit.index, SourcedAnnotations.from_hpoa(HPOA.encode()))


def case(seen=(), excluded=()):
    findings = [Finding(id=f, presence=Presence.PRESENT) for f in seen]
    findings += [Finding(id=f, presence=Presence.EXCLUDED) for f in excluded]
    return Case(age_days=None, sex=Sex.UNKNOWN, findings=tuple(findings))


def test_every_disease_has_a_place_and_probabilities_add_up(engine):
    ranked = rank_rare(engine, case((THUMB,)))
    assert [e.position for e in ranked.first(99)] == [1, 2, 3, 4, 5]
    assert sum(e.probability for e in ranked.first(99)) + ranked.none == pytest.approx(1.0)
    assert ranked.none == 0.25
    # softmax(scores / 2) x 0.75, by hand for the first
    weights = np.exp((ranked.scores - ranked.scores[0]) / 2.0)
    assert ranked.first(1)[0].probability == pytest.approx(0.75 / weights.sum())


def test_nothing_seen_ranks_nothing(engine):
    ranked = rank_rare(engine, case((), (THUMB,)))
    assert ranked.first(10) == ()
    assert (ranked.none, ranked.position_of(["OMIM:1"])) == (1.0, None)


def test_the_best_place_of_several_codes_counts(engine):
    ranked = rank_rare(engine, case((THUMB,)))
    first = ranked.first(1)[0].diseases[0]
    assert ranked.position_of(["OMIM:999", "ORPHA:5", first]) == 1
    assert ranked.position_of(["OMIM:999"]) is None


@pytest.mark.parametrize("findings", CASES)
@pytest.mark.parametrize("protocol", [Protocol.PAPER_REMOVED, Protocol.SOLE_SOURCE_REMOVED])
def test_the_position_without_a_paper_is_that_of_the_evaluation(
    fit, engine, removal, findings, protocol
):
    patient, keep_shared = case(*findings), protocol is Protocol.SOLE_SOURCE_REMOVED
    for truth, source in [("OMIM:1", "PMID:1"), ("OMIM:3", "PMID:3"), ("ORPHA:5", "PMID:404")]:
        labelled = LabelledCase(id="a case", case=patient, truths=(truth,), pmid=source)
        (expected,) = ranks(fit, [labelled], protocol)
        ranked = rank_rare(engine, patient, removal.without([source], keep_shared=keep_shared))
        assert ranked.position_of([truth]) == expected


def test_a_paper_of_two_diseases_is_left_out_of_both(fit, engine, removal):
    without = removal.without(["PMID:9"])
    scores = {e.diseases[0]: e.score for e in rank_rare(engine, case((TALL,)), without).first(9)}
    query = read_case(case((TALL,)), fit.index.ontology)
    for disease in ("OMIM:1", "OMIM:2"):
        profile = fit.without_paper(disease, "PMID:9", sole_source=False)
        own = engine.rare.weigh(query, lambda term, p=profile: p.get(term, 0.0)).score
        assert scores[disease] == pytest.approx(own, abs=1e-12)


@pytest.mark.parametrize(("seen", "excluded"), CASES)
def test_a_profile_like_that_of_the_index_scores_exactly_the_same(fit, seen, excluded):
    ranker = RareRanker(fit.index)
    query = read_case(case(seen, excluded), fit.index.ontology)
    codes = np.array(
        [
            [round(fit.index.frequency(n, t) * 255) for t in range(len(fit.index.ontology))]
            for n in range(len(fit.index.diseases))
        ],
        dtype=np.uint8,
    )
    assert ranker.score_profiles(query, codes).tolist() == ranker.score_all(query).tolist()


def test_the_device_pools_with_the_constants_of_the_fit():
    for name in ("prior_patients", "prior_frequency", "class_patients", "unstated_frequency"):
        assert getattr(POOLING, name) == getattr(DEFAULT_SETTINGS, name)


@pytest.mark.slow
def test_the_bundle_that_ships_was_fitted_from_the_annotations_beside_it():
    bundle = open_embedded_bundle()
    index = Engine.from_artifacts(bundle).rare.index
    annotations = SourcedAnnotations.from_artifacts(bundle)
    removal = SourceRemoval(index, annotations)
    papers = [s for s in annotations.sources if s.startswith("PMID:")][::60]
    assert sum(len(removal.without([paper]).numbers) for paper in papers) > 100
