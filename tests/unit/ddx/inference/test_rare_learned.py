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
from ddx.features.rare_pairs import FEATURES, FEATURES_HASH
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


def stump(schema_hash=FEATURES_HASH):
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
            frequency=np.zeros((1, len(FEATURES)), dtype=np.float32),
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


def test_a_calibration_survives_its_member():
    calibration = RareCalibration(
        blend=0.0, evidence_weight=0.25, scale=0.5, none=-1.0, none_slope=-0.25
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
