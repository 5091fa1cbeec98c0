"""The gate between both worlds: fitted, written, read back, and what it makes of their answers."""

from dataclasses import replace

import numpy as np
import pytest

from ddx.inference.meta import MetaModel, WorldAnswers
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
