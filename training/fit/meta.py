"""Fits the gate between the common and the rare world, and the temperature of the rare scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from ddx.inference.meta import MetaModel, WorldAnswers, gate_features

RARE_PRIOR = 0.05
"""Estimate. Rare diseases together affect 3.5-5.9 % of people (Nguengang Wakap et al. 2020,
Eur J Hum Genet 28:165-173, doi:10.1038/s41431-019-0508-0); prevalence is not share of visits."""

TEMPERATURES = np.geomspace(0.5, 12.0, 60)
"""Grid searched for the temperature of the rare scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RareAnswer:
    """What the rare ranker said of one published case.

    scores: float64 (n_retrieved,), best first. truth: position of the true disease in scores,
    or None when it was not retrieved.
    """

    answers: WorldAnswers
    truth: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaFit:
    """The fitted aggregation and how well it separates worlds on the cases held out."""

    model: MetaModel
    metrics: dict[str, float]


def fit_meta(common: Sequence[WorldAnswers], rare: Sequence[RareAnswer]) -> MetaFit:
    """Return the aggregation fitted on two thirds of both sets and measured on the rest.

    Both sequences come from cases no model was fitted on. Every third case is held out.
    """
    temperature = _temperature(rare)
    inputs = np.array([gate_features(a) for a in common] + [gate_features(r.answers) for r in rare])
    labels = np.array([0] * len(common) + [1] * len(rare))
    held_out = np.arange(len(labels)) % 3 == 0
    mean, scale = inputs[~held_out].mean(axis=0), inputs[~held_out].std(axis=0) + 1e-9
    standardised = (inputs - mean) / scale
    gate = LogisticRegression(class_weight="balanced", C=1.0, max_iter=1000)
    gate.fit(standardised[~held_out], labels[~held_out])
    model = MetaModel(
        mean=mean,
        scale=scale,
        weights=gate.coef_[0].astype(np.float64),
        bias=float(gate.intercept_[0]),
        rare_prior=RARE_PRIOR,
        rare_temperature=temperature,
        rare_miss_rate=float(np.mean([r.truth is None for r in rare])),
    )
    return MetaFit(
        model=model,
        metrics={
            "gate_accuracy": _accuracy(model, common, rare, held_out),
            "rare_temperature": temperature,
            "rare_miss_rate": model.rare_miss_rate,
            "common_cases": float(len(common)),
            "rare_cases": float(len(rare)),
        },
    )


def _temperature(rare: Sequence[RareAnswer]) -> float:
    """Return the temperature with the least negative log likelihood of the true disease."""
    found = [(r.answers.rare_scores, r.truth) for r in rare if r.truth is not None]
    losses = [sum(_loss(scores, truth, t) for scores, truth in found) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def _loss(scores: NDArray[np.float64], truth: int, temperature: float) -> float:
    scaled = (scores - scores.max()) / temperature
    return float(np.log(np.exp(scaled).sum()) - scaled[truth])


def _accuracy(
    model: MetaModel,
    common: Sequence[WorldAnswers],
    rare: Sequence[RareAnswer],
    held_out: NDArray[np.bool_],
) -> float:
    """Return the mean over both worlds of held-out cases put on the right side of one half."""
    answers = [*common, *(r.answers for r in rare)]
    labels = np.array([False] * len(common) + [True] * len(rare))
    said = np.array([model.rare_share(a) > 0.5 for a in answers])
    right = said == labels
    return float((right[held_out & labels].mean() + right[held_out & ~labels].mean()) / 2.0)
