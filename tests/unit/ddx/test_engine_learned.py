"""The engine on a bundle that holds the learned rare stage: the shipped one, and a small forest.

The forest is grown by hand so that every expected number can be checked; what the stage is worth
is measured elsewhere (docs/benchmark_rare.md).
"""

import io
import json

import numpy as np
import pytest

from ddx.domain.artifacts import RARE_DISEASES
from ddx.domain.case import Case, Sex
from ddx.domain.differential import World
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.engine import Engine
from ddx.errors import ModelError
from ddx.explain.narrate import tell
from ddx.explain.trees import LEAF, Forest
from ddx.features.rare_facts import FACTS
from ddx.features.rare_index import FREQUENCY_STEPS
from ddx.features.rare_pairs import FEATURES, FEATURES_HASH
from ddx.features.rare_sources import StandIns
from ddx.inference.rare import RareRanker
from ddx.inference.rare_learned import (
    RARE_CALIBRATION,
    RARE_FACTS,
    RARE_MODEL,
    RARE_TREES,
    PlainStage,
    RareCalibration,
    RareReranker,
)
from ddx.rare_list import CALIBRATED_FIRST, rank_rare
from ddx.terminology.catalogue import Language
from model_bundles.embedded import open_embedded_bundle
from training.export.onnx import onnx_of

MARFAN, ORPHA_MARFAN = DiseaseId("OMIM:154700"), DiseaseId("ORPHA:558")
SIGNS = tuple(FindingId(i) for i in ("HP:0001083", "HP:0001166", "HP:0002616", "HP:0001519"))
FEVER = FindingId("HP:0001945")
COLUMNS = list(FEATURES)


class Layered:
    """A verified bundle with some members replaced, added (bytes) or taken away (None)."""

    def __init__(self, below, members):
        self.below, self.members = below, members
        self.version, self.digest = below.version, below.digest

    def read(self, name):
        if name not in self.members:
            return self.below.read(name)
        if self.members[name] is None:
            raise ModelError(f"no member {name}")
        return self.members[name]


def forest():
    """Two stumps: coverage adds up to 3, an age below the onset takes 1."""
    inner, ends = [0, 3], [1, 2, 4, 5]
    feature = np.full(6, LEAF, dtype=np.int16)
    feature[inner] = [COLUMNS.index("coverage"), COLUMNS.index("before_onset")]
    value = np.zeros(6, dtype=np.float32)
    value[inner], value[ends] = [0.02, 0.5], [0.0, 3.0, 0.0, -1.0]
    return Forest(
        feature=feature,
        value=value,
        left=np.array([1, 0, 0, 4, 0, 0], dtype=np.int32),
        missing_left=np.array([True, False, False, True, False, False]),
        cover=np.array([10, 6, 4, 10, 8, 2], dtype=np.float32),
        roots=np.array(inner, dtype=np.int32),
        output=np.zeros(2, dtype=np.int16),
        base=np.array([0.25]),
        schema_hash=FEATURES_HASH,
        frequency=np.full((1, len(FEATURES)), np.nan, dtype=np.float32),
    )


def learned_members(bundle):
    index = RareRanker.from_artifacts(bundle).index
    columns, diseases = int((index.background > 0).sum()), len(index.diseases)
    facts = np.zeros((diseases, len(FACTS)), dtype=np.float32)
    facts[:, list(FACTS).index("onset_first")] = 30.0
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(diseases, 4))
    arrays = {
        "facts": facts,
        "family": np.arange(diseases, dtype=np.int32),
        "term_vectors": rng.normal(size=(columns, 4)).astype(np.float16),
        "disease_vectors": vectors.astype(np.float16),
    }
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    calibration = RareCalibration(
        blend=0.1, evidence_weight=0.2, scale=1.0, none=1.0, none_slope=-0.2
    )
    return {
        RARE_MODEL: onnx_of(forest()),
        RARE_TREES: forest().to_npz(),
        RARE_FACTS: packed.getvalue(),
        RARE_CALIBRATION: calibration.to_json(),
    }


@pytest.fixture(scope="module")
def bundle():
    below = open_embedded_bundle()
    return Layered(below, learned_members(below))


@pytest.fixture(scope="module")
def engine(bundle):
    return Engine.from_artifacts(bundle)


def case_of(*present, excluded=(), age_days=9_000):
    findings = [Finding(id=i, presence=Presence.PRESENT) for i in present]
    findings += [Finding(id=i, presence=Presence.EXCLUDED) for i in excluded]
    return Case(age_days=age_days, sex=Sex.MALE, findings=tuple(findings))


def test_a_bundle_with_the_learned_stage_is_served_by_it_and_one_without_by_the_first(engine):
    assert isinstance(engine.rare_stage, RareReranker)
    members = dict.fromkeys((RARE_MODEL, RARE_TREES, RARE_FACTS, RARE_CALIBRATION))
    meta = {**json.loads(open_embedded_bundle().read("models/meta.json"))}
    meta |= {"rare_temperature": 2.0, "rare_miss_rate": 0.1}
    plain = Layered(
        open_embedded_bundle(), members | {"models/meta.json": json.dumps(meta).encode()}
    )
    assert isinstance(Engine.from_artifacts(plain).rare_stage, PlainStage)


def test_a_bundle_that_lost_its_calibration_is_refused(bundle):
    with pytest.raises(ModelError, match="rare_calibration"):
        Engine.from_artifacts(Layered(bundle, {RARE_CALIBRATION: None}))


def test_the_rare_half_of_the_differential_is_the_calibrated_ranking(engine):
    case = case_of(*SIGNS)
    row, _ = engine.read(case)
    ranking = engine.assess(case).reading.ranking
    share = engine.meta.rare_share(engine.answers(case, row))
    answer = engine.diagnose(case, limit=100_000)
    rare = {c.disease: c.probability for c in answer.candidates if c.world is World.RARE}
    best = np.flatnonzero(ranking.margins == ranking.margins[0]).tolist()
    for at in best:  # the small forest holds several equal
        disease = engine.rare.diseases[ranking.indices[at]]
        assert rare[disease] == pytest.approx(share * ranking.probabilities[at])
    assert answer.outside_probability == pytest.approx(share * ranking.none)


def test_probabilities_of_both_worlds_and_of_none_sum_to_one(engine):
    for case in (case_of(*SIGNS), case_of(FEVER), case_of(*SIGNS, excluded=(FEVER,))):
        answer = engine.diagnose(case, limit=100_000)
        total = sum(c.probability for c in answer.candidates) + answer.outside_probability
        assert total == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("disease", ["first", "not retrieved"])
def test_contributions_add_up_to_the_margin_of_any_disease(engine, disease):
    case = case_of(*SIGNS, excluded=(FEVER,))
    ranking = engine.assess(case).reading.ranking
    retrieved = set(ranking.indices.tolist())
    number = (
        int(ranking.indices[0])
        if disease == "first"
        else next(n for n in range(len(engine.rare.diseases)) if n not in retrieved)
    )
    told = engine.explain(case, engine.rare.diseases[number])
    total = told.base + sum(c.weight for c in told.contributions)
    assert total == pytest.approx(told.margin, abs=1e-4)
    if disease == "first":
        assert told.margin == pytest.approx(ranking.margins[0], abs=1e-4)
    assert set(SIGNS) <= {c.subject for c in told.contributions}


def test_each_finding_weighs_its_likelihood_ratio_and_the_rest_is_named(engine):
    case = case_of(*SIGNS)
    _, query = engine.read(case)
    number = engine.rare.index.number_of(MARFAN)
    ratios = engine.rare.evidence(query, number).present
    told = {c.subject: c for c in engine.explain(case, MARFAN).contributions}
    for sign, ratio in zip(SIGNS, ratios, strict=True):
        assert told[sign].weight == pytest.approx(0.2 * ratio)
    # 25 years old against an onset of 30: the stump's left child (0.5 < log1p(5.4)) is not taken.
    assert told["age"].weight == pytest.approx(-1 - (-1 * 2 / 10))
    assert told["age"].presence is Presence.PRESENT
    assert told["rare:together"].weight == pytest.approx((0.1 - 0.2) * sum(ratios))


def test_an_age_nobody_gave_is_told_as_not_asked(engine):
    told = {
        c.subject: c for c in engine.explain(case_of(*SIGNS, age_days=None), MARFAN).contributions
    }
    assert told["age"].presence is Presence.UNKNOWN


def test_the_explanation_reads_as_sentences_with_the_frequency_of_the_disease(engine):
    case = case_of(*SIGNS)
    told = engine.explain(case, MARFAN)
    stated = [c for c in told.contributions if c.frequency]
    said = tell(told, case, engine.catalogue)
    assert f"{100 * stated[0].frequency:.0f} % de los pacientes descritos" in said
    assert "cuánto de lo típico de la enfermedad se ve" in said
    assert "of the patients described" in tell(told, case, engine.catalogue, Language.EN)


def test_every_code_of_a_merged_disease_finds_it_under_one_name(bundle):
    listing = json.loads(bundle.read(RARE_DISEASES))
    also = [{"id": "OMIM:999999", "en": "Marfan's disease"}]
    for row in listing["diseases"]:
        if row["id"] == MARFAN:
            row["also"] = also
    engine = Engine.from_artifacts(Layered(bundle, {RARE_DISEASES: json.dumps(listing).encode()}))
    case, other = case_of(*SIGNS), DiseaseId("OMIM:999999")
    assert engine.explain(case, other) == engine.explain(case, MARFAN)
    assert engine.catalogue.disease_codes(other) == (MARFAN, other)
    assert engine.catalogue.disease_label(other) == "Marfan's disease"
    assert engine.catalogue.disease_names(MARFAN)[-1] == "Marfan's disease"
    assert other not in engine.catalogue.diseases
    assert other not in {c.disease for c in engine.diagnose(case).candidates}
    ranked = {entry.diseases[0]: entry for entry in rank_rare(engine, case).first(200)}
    assert ranked[MARFAN].diseases == (MARFAN, other)


def test_a_ranking_of_rare_diseases_alone_is_in_order_and_knows_none(engine):
    ranked = rank_rare(engine, case_of(*SIGNS))
    first = ranked.first(5)
    assert [entry.position for entry in first] == [1, 2, 3, 4, 5]
    probabilities = [entry.probability for entry in first]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < ranked.none < 1
    assert float(ranked.probabilities.sum()) + ranked.none == pytest.approx(1)


def test_a_case_no_rare_disease_reads_has_none_for_sure(engine):
    ranked = rank_rare(engine, case_of(FindingId("HP:0003577")))
    assert (ranked.first(5), ranked.none) == ((), 1.0)


def stand_in(index, codes, profile):
    number = np.array([index.number_of(MARFAN)], dtype=np.int32)
    return StandIns(numbers=number, codes=codes[np.newaxis], profiles=(profile,))


def test_a_disease_with_its_own_profile_standing_in_ranks_as_before(engine):
    case, index = case_of(*SIGNS), engine.rare.index
    number = index.number_of(MARFAN)
    shares = [index.frequency(number, term) for term in range(len(index.ontology))]
    codes = np.rint(np.array(shares) * FREQUENCY_STEPS).astype(np.uint8)
    same = stand_in(index, codes, index.profile(number))
    before, after = rank_rare(engine, case), rank_rare(engine, case, same)
    assert after.order.tolist() == before.order.tolist()
    np.testing.assert_allclose(after.probabilities, before.probabilities, atol=1e-6)


def test_a_disease_nothing_is_said_of_any_more_leaves_the_first_places(engine):
    case, index = case_of(*SIGNS), engine.rare.index
    empty = stand_in(index, np.zeros(len(index.ontology), dtype=np.uint8), ())
    before, after = rank_rare(engine, case), rank_rare(engine, case, empty)
    assert before.position_of([MARFAN]) <= CALIBRATED_FIRST
    assert after.position_of([MARFAN]) > CALIBRATED_FIRST


def test_several_explanations_at_once_are_those_given_one_by_one():
    engine = Engine.from_artifacts(open_embedded_bundle())
    case = Case(
        age_days=9_000,
        sex=Sex.MALE,
        findings=tuple(Finding(id=i, presence=Presence.PRESENT) for i in (*SIGNS, FEVER)),
    )
    said = engine.assess(case, questions=0)
    listed = [candidate.disease for candidate in said.differential.candidates]
    far = engine.rare.diseases[0]
    assert far not in listed
    wanted = [*listed[:6], far, engine.common.diseases[0]]
    one_by_one = tuple(engine.explain(case, disease) for disease in wanted)
    assert engine.explain_several(case, wanted) == one_by_one
    assert engine.explain_several(case, wanted, said.reading) == one_by_one
