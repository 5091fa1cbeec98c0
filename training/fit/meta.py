"""Fits the gate between the common and the rare world."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from ddx.inference.meta import MetaModel, WorldAnswers, gate_features

RARE_PRIOR = 0.05
"""Estimate. Rare diseases together affect 3.5-5.9 % of people (Nguengang Wakap et al. 2020,
Eur J Hum Genet 28:165-173, doi:10.1038/s41431-019-0508-0); prevalence is not share of visits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaFit:
    """The fitted aggregation and how well it separates worlds on the cases held out."""

    model: MetaModel
    metrics: dict[str, float]


def fit_meta(common: Sequence[WorldAnswers], rare: Sequence[WorldAnswers]) -> MetaFit:
    """Return the aggregation fitted on two thirds of both sets and measured on the rest.

    Common answers come from cases no model was fitted on. The learned rare stage was fitted on
    the rare cases, but the gate reads the scores of the first stage alone. Every third case is
    held out.
    """
    inputs = np.array([gate_features(a) for a in (*common, *rare)])
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
    )
    return MetaFit(
        model=model,
        metrics={
            "gate_accuracy": _accuracy(model, common, rare, held_out),
            "common_cases": float(len(common)),
            "rare_cases": float(len(rare)),
        },
    )


def _accuracy(
    model: MetaModel,
    common: Sequence[WorldAnswers],
    rare: Sequence[WorldAnswers],
    held_out: NDArray[np.bool_],
) -> float:
    """Return the mean over both worlds of held-out cases put on the right side of one half."""
    answers = [*common, *rare]
    labels = np.array([False] * len(common) + [True] * len(rare))
    said = np.array([model.rare_share(a) > 0.5 for a in answers])
    right = said == labels
    return float((right[held_out & labels].mean() + right[held_out & ~labels].mean()) / 2.0)
