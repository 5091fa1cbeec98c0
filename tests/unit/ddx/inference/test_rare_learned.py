"""The learned stage on a toy index, with a forest small enough to read."""

import json

import numpy as np
import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.errors import ModelError, SchemaMismatchError
from ddx.explain.trees import LEAF, Forest
from ddx.features.rare_evidence import Patient
from ddx.features.rare_facts import FACTS, RareFacts
from ddx.features.rare_pairs import FEATURES, FEATURES_HASH, features_hash
from ddx.features.rare_query import read_case
from ddx.features.rare_tables import RareTables
from ddx.inference.rare import RareRanker
from ddx.inference.rare_learned import RareCalibration, RareReranker
from ddx.inference.session import ModelSession
from training.export.onnx import onnx_of
from training.fit.rare import fit_rare
from training.sources.hpo import (
    AnnotationRelease,
    AnnotationRow,
    OntologyRelease,
    Term,
    parse_frequency,
)

ANY, THUMB, LENS = "HP:0000118", "HP:0000011", "HP:0000021"
PLAIN = RareCalibration(blend=0.0, evidence_weight=0.0, scale=1.0, none=0.0, none_slope=0.0)


def fitted():
    parents = {"HP:0000001": (), ANY: ("HP:0000001",), THUMB: (ANY,), LENS: (ANY,)}
    annotations = [("OMIM:1", THUMB, "5/5"), ("OMIM:2", THUMB, "4/5"), ("OMIM:3", LENS, "5/5")]
    rows = tuple(
        AnnotationRow(d, d, t, False, parse_frequency(f), None, None, ("PMID:1",), "PCS", "P")
        for d, t, f in annotations
    )
    terms = tuple(Term(i, i, parents=p) for i, p in parents.items())
    return fit_rare(OntologyRelease("toy", terms), AnnotationRelease("toy", rows))


def tables(fit, prevalence=(-6.0, -3.0, -6.0)):
    table = np.zeros((3, len(FACTS)), dtype=np.float32)
    table[:, list(FACTS).index("prevalence")] = prevalence
    columns = len(fit.arrays["terms"])
    arrays = {
        "facts": table,
        "family": np.arange(3, dtype=np.int32),
        "term_vectors": np.eye(columns, dtype=np.float16),
        "disease_vectors": np.eye(3, columns, dtype=np.float16),
    }
    return RareTables(fit.index, RareFacts(arrays))


WIDTH = len(FEATURES)


def stump(schema_hash=FEATURES_HASH, width=WIDTH):
    """Prevalence above 1 in 100,000 adds 2 to the margin, anything else 0."""
    return onnx_of(
        Forest(
            feature=np.array([list(FEATURES).index("prevalence"), LEAF, LEAF], dtype=np.int16),
            value=np.array([-5.0, 0.0, 2.0], dtype=np.float32),
            left=np.array([1, 1, 2], dtype=np.int32),
            missing_left=np.array([True, False, False]),
            cover=np.ones(3, dtype=np.float32),
            roots=np.array([0], dtype=np.int32),
            output=np.array([0], dtype=np.int16),
            base=np.zeros(1),
            schema_hash=schema_hash,
            frequency=np.zeros((1, width), dtype=np.float32),
        )
    )


def patient(fit, *seen):
    findings = tuple(Finding(id=t, presence=Presence.PRESENT) for t in seen)
    case = Case(age_days=None, sex=Sex.UNKNOWN, findings=findings)
    return Patient(query=read_case(case, fit.index.ontology))


@pytest.fixture
def fit():
    return fitted()


@pytest.fixture
def reranker(fit):
    return RareReranker(ModelSession.from_bytes(stump()), tables(fit), PLAIN)


def test_a_disease_the_model_prefers_overtakes_the_first_stage(fit, reranker):
    who = patient(fit, THUMB)
    retrieval = RareRanker(fit.index).retrieve(who.query)
    assert retrieval.indices.tolist()[:2] == [0, 1]
    ranking = reranker.rerank(retrieval, who)
    assert ranking.indices.tolist() == [1, 0, 2]
    assert ranking.margins == pytest.approx([2, 0, 0])


def test_candidates_the_model_holds_equal_keep_the_first_stages_order(fit):
    reranker = RareReranker(
        ModelSession.from_bytes(stump()), tables(fit, (-6.0, -6.0, -6.0)), PLAIN
    )
    who = patient(fit, THUMB)
    retrieval = RareRanker(fit.index).retrieve(who.query)
    assert reranker.rerank(retrieval, who).indices.tolist() == retrieval.indices.tolist()


def test_probabilities_and_none_of_these_sum_to_one(fit, reranker):
    who = patient(fit, THUMB)
    ranking = reranker.rerank(RareRanker(fit.index).retrieve(who.query), who)
    # softmax of (2, 0, 0, none 0): e^2 / (e^2 + 3)
    assert ranking.probabilities[0] == pytest.approx(np.exp(2) / (np.exp(2) + 3))
    assert ranking.probabilities.sum() + ranking.none == pytest.approx(1)


def test_a_case_without_findings_says_none_of_these(fit, reranker):
    who = patient(fit)
    ranking = reranker.rerank(RareRanker(fit.index).retrieve(who.query), who)
    assert len(ranking.indices) == 0
    assert ranking.none == 1


def test_a_case_nothing_explains_well_leans_to_none_of_these():
    calibration = RareCalibration(
        blend=0.0, evidence_weight=0.0, scale=1.0, none=1.0, none_slope=-1.0
    )
    margins = np.array([1.0, 0.0])
    well, poorly = (calibration.probabilities(margins, evidence)[-1] for evidence in (5.0, 0.0))
    assert poorly > well


def test_a_model_of_other_columns_is_refused(fit):
    session = ModelSession.from_bytes(stump(schema_hash="other"))
    with pytest.raises(SchemaMismatchError):
        RareReranker(session, tables(fit), PLAIN)


def test_a_model_fitted_before_columns_were_added_reads_the_first_ones(fit, reranker):
    width = list(FEATURES).index("prevalence") + 1
    session = ModelSession.from_bytes(stump(features_hash(width), width))
    before = RareReranker(session, tables(fit), PLAIN)
    who = patient(fit, THUMB)
    retrieval = RareRanker(fit.index).retrieve(who.query)
    assert before.rerank(retrieval, who).margins == pytest.approx([2, 0, 0])
    with pytest.raises(SchemaMismatchError):  # the hash is of another number of columns
        RareReranker(ModelSession.from_bytes(stump(width=width)), tables(fit), PLAIN)


def test_none_against_all_candidates_together_by_hand():
    calibration = RareCalibration(
        blend=0.0,
        evidence_weight=0.0,
        scale=1.0,
        none=0.5,
        none_slope=-0.25,
        none_share=-2.0,
        none_level=1.0,
    )
    # Margins log 3 and 0: shares 3/4 and 1/4. Logit .5 - .25 x 2 - 2 x .75 = -1.5.
    for level in (0.0, 7.0):  # what is added to every margin changes nothing
        said = calibration.probabilities(np.array([np.log(3), 0.0]) + level, 2.0)
        none = 1 / (1 + np.exp(1.5))
        assert said == pytest.approx([0.75 * (1 - none), 0.25 * (1 - none), none])


def test_without_candidates_none_is_certain_whatever_the_calibration_says():
    calibration = RareCalibration(
        blend=0.0, evidence_weight=0.0, scale=1.0, none=-9.0, none_slope=0.0, none_level=1.0
    )
    assert calibration.probabilities(np.zeros(0), 0.0).tolist() == [1.0]


def test_a_calibration_of_an_earlier_bundle_reads_as_it_was():
    member = json.dumps(
        {"blend": 0.1, "evidence_weight": 0.2, "scale": 1.0, "none": 1.0, "none_slope": -0.2}
    )
    said = RareCalibration.from_json(member.encode()).probabilities(np.array([1.0, 0.0]), 5.0)
    # none: logit 1 - .2 x 5 = 0 beside 1 and 0
    assert said == pytest.approx(np.array([np.e, 1.0, 1.0]) / (np.e + 2))


def test_a_calibration_survives_its_member():
    calibration = RareCalibration(
        blend=0.0,
        evidence_weight=0.25,
        scale=0.5,
        none=-1.0,
        none_slope=-0.25,
        none_share=-3.0,
        none_level=0.75,
    )
    assert RareCalibration.from_json(calibration.to_json()) == calibration


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_calibration_without_a_positive_scale_is_refused(scale):
    with pytest.raises(ModelError):
        RareCalibration(blend=0.0, evidence_weight=0.0, scale=scale, none=0.0, none_slope=0.0)


def test_a_member_that_is_no_calibration_is_refused():
    with pytest.raises(ModelError):
        RareCalibration.from_json(json.dumps({"scale": 1}).encode())


def test_a_share_of_the_likelihood_ratio_is_part_of_the_margin(fit):
    blend = RareCalibration(blend=0.5, evidence_weight=0.0, scale=1.0, none=0.0, none_slope=0.0)
    reranker = RareReranker(ModelSession.from_bytes(stump()), tables(fit), blend)
    who = patient(fit, THUMB)
    retrieval = RareRanker(fit.index).retrieve(who.query)
    trees = {0: 0.0, 1: 2.0, 2: 0.0}  # by disease: only the second is common enough
    ranking = reranker.rerank(retrieval, who)
    ratio = dict(zip(retrieval.indices.tolist(), retrieval.scores.tolist(), strict=True))
    for number, margin in zip(ranking.indices.tolist(), ranking.margins.tolist(), strict=True):
        assert margin == pytest.approx(trees[number] + 0.5 * ratio[number], abs=1e-6)
