"""The gate between both worlds: fitted, written, read back, and what it makes of their answers."""

from dataclasses import replace

import numpy as np
import pytest

from ddx.errors import ModelError
from ddx.inference.meta import (
    EVIDENCE_BOUND,
    GATE_FEATURES,
    PLAIN_FEATURES,
    MetaModel,
    WorldAnswers,
    gate_inputs,
)
from training.fit.meta import RARE_PRIOR, fit_meta


class OneMember:
    version, digest = "2026.1.1", "0" * 64

    def __init__(self, raw):
        self.raw = raw

    def read(self, _):
        return self.raw


def answers(seed, *, rare):
    """Common cases: the common model is sure; rare ones: it reads little and a disease fits."""
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.05, 0.3) if rare else rng.uniform(0.6, 0.95)
    scores = np.sort(rng.uniform(8, 20, 5) if rare else rng.uniform(0, 3, 5))[::-1]
    return WorldAnswers(
        common=np.array([sure, 1 - sure]),
        rare_scores=scores,
        rare=np.array([0.4, 0.2, 0.1, 0.05, 0.05]),
        rare_none=0.2,
        present=8,
        present_read_by_common=2 if rare else 8,
        excluded_read_by_common=0 if rare else 4,
        present_read_by_rare=8 if rare else 3,
        present_read_by_rare_only=6 if rare else 0,
        rare_top_present=np.full(8 if rare else 3, scores[0] / (8 if rare else 3)),
    )


@pytest.fixture(scope="module")
def fit():
    common = [answers(seed, rare=False) for seed in range(90)]
    return fit_meta(common, [answers(seed, rare=True) for seed in range(90, 180)])


def test_the_gate_tells_the_worlds_apart_on_cases_held_out(fit):
    assert fit.metrics["gate_accuracy"] > 0.95
    assert fit.model.rare_prior == RARE_PRIOR


def test_a_gate_survives_its_member(fit):
    read = MetaModel.from_artifacts(OneMember(fit.model.to_json()))
    for seed in (1, 200):
        case = answers(seed, rare=True)
        assert read.rare_share(case) == pytest.approx(fit.model.rare_share(case))


def test_the_rare_half_is_the_gate_times_the_calibrated_ranking(fit):
    case = answers(200, rare=True)
    share, made = fit.model.rare_share(case), fit.model.aggregate(case)
    np.testing.assert_allclose(made.rare, share * case.rare)
    assert made.outside == pytest.approx(share * 0.2)
    assert made.common.sum() + made.rare.sum() + made.outside == pytest.approx(1)


def test_a_case_the_common_model_cannot_read_belongs_to_the_rare_world(fit):
    made = fit.model.aggregate(replace(answers(3, rare=True), common=None))
    assert made.common.size == 0
    assert made.outside == pytest.approx(0.2)


def test_a_case_neither_reads_is_outside(fit):
    nothing = replace(
        answers(3, rare=True), common=None, rare_scores=np.zeros(0), rare=np.zeros(0), rare_none=1.0
    )
    assert fit.model.aggregate(nothing).outside == 1.0


def few(*ratios, excluded=0.0):
    """A case of as many findings as ratios, each bringing that much to the best rare disease."""
    return replace(
        answers(3, rare=True),
        present=len(ratios),
        present_read_by_rare=len(ratios),
        rare_scores=np.array([sum(ratios) + excluded, 0.0]),
        rare_top_present=np.array(ratios),
    )


def test_one_finding_brings_no_more_than_the_bound_and_nothing_beyond_itself():
    inputs = gate_inputs(few(8.0, excluded=-0.5))
    assert inputs["rare_top_score_bounded"] == pytest.approx(EVIDENCE_BOUND - 0.5)
    assert inputs["rare_top_score_beyond_best"] == pytest.approx(-0.5)
    assert inputs["rare_top_score"] == pytest.approx(7.5)


def test_findings_within_the_bound_count_in_full():
    inputs = gate_inputs(few(2.0, 1.0, -0.25))
    assert inputs["rare_top_score_bounded"] == pytest.approx(inputs["rare_top_score"])
    assert inputs["rare_top_score_beyond_best"] == pytest.approx(0.75)


def test_a_stronger_single_finding_opens_no_gate_that_reads_bounded_scores(fit):
    weights = np.array([name.startswith("rare_top_score_b") for name in GATE_FEATURES], dtype=float)
    gate = replace(fit.model, weights=weights)
    strong, stronger = few(EVIDENCE_BOUND, 0.5), few(3 * EVIDENCE_BOUND, 0.5)
    assert gate.rare_share(strong) == pytest.approx(gate.rare_share(stronger))
    assert gate.rare_share(few(EVIDENCE_BOUND, 2.0)) > gate.rare_share(strong)


def test_a_gate_of_an_older_bundle_reads_its_own_inputs(fit):
    older = replace(
        fit.model,
        features=PLAIN_FEATURES,
        mean=np.zeros(4),
        scale=np.ones(4),
        weights=np.array([0.0, 0.0, 0.0, 1.0]),
        bias=0.0,
        rare_prior=0.5,
    )
    read = MetaModel.from_artifacts(OneMember(older.to_json()))
    assert read.features == PLAIN_FEATURES
    assert read.rare_share(few(8.0)) == pytest.approx(1 / (1 + np.exp(-8.0)))


def test_a_gate_of_unknown_inputs_is_refused(fit):
    unknown = replace(fit.model, features=("age", *GATE_FEATURES[1:]))
    with pytest.raises(ModelError, match="other inputs"):
        MetaModel.from_artifacts(OneMember(unknown.to_json()))


def test_both_views_of_a_case_are_held_out_together_and_told_by_findings():
    common = [answers(seed, rare=False) for seed in range(60)]
    rare = [answers(seed, rare=True) for seed in range(60, 120)]
    doubled = [[view for case in world for view in (case, case)] for world in (common, rare)]
    once, twice = fit_meta(common, rare), fit_meta(*doubled, views=2)
    assert twice.metrics == once.metrics
    assert twice.metrics["gate_common_5"] > 0.9
    assert "gate_common_1" not in twice.metrics


def test_what_only_one_model_answered_does_not_move_the_gate():
    common = [answers(seed, rare=False) for seed in range(60)]
    rare = [answers(seed, rare=True) for seed in range(60, 120)]
    unread = [replace(a, common=None) for a in rare]
    np.testing.assert_array_equal(
        fit_meta(common, rare).model.mean, fit_meta(common, [*rare, *unread]).model.mean
    )
