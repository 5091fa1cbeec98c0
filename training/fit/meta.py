"""Fits the gate between the common and the rare world."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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


MANY: Final = 10_000
"""More findings than any case has."""

COUNTED: Final = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 9), (10, MANY))
"""Numbers of findings present for which accuracy is told, first and last of each band."""


def fit_meta(
    common: Sequence[WorldAnswers], rare: Sequence[WorldAnswers], *, views: int = 1
) -> MetaFit:
    """Return the aggregation fitted on two thirds of both sets and measured on the rest.

    Common answers come from cases no model was fitted on. The learned rare stage was fitted on
    the rare cases, but the gate reads the scores of the first stage alone. views: answers of one
    case, which stand one after another; every third case is held out with all of its answers.
    Answers that only one model gave are not fitted on: there the gate has nothing to decide.
    """
    answers = (*common, *rare)
    inputs = np.array([gate_features(a) for a in answers])
    labels = np.array([False] * len(common) + [True] * len(rare))
    cases = np.concatenate([np.arange(len(world)) // views for world in (common, rare)])
    held_out = cases % 3 == 0
    used = ~held_out & np.array([a.common is not None and a.rare_scores.size > 0 for a in answers])
    mean, scale = inputs[used].mean(axis=0), inputs[used].std(axis=0) + 1e-9
    gate = LogisticRegression(class_weight="balanced", C=1.0, max_iter=1000)
    gate.fit((inputs[used] - mean) / scale, labels[used])
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
            "common_cases": len(common) / views,
            "rare_cases": len(rare) / views,
            **_accuracies(model, answers, labels, held_out),
        },
    )


def _accuracies(
    model: MetaModel,
    answers: Sequence[WorldAnswers],
    labels: NDArray[np.bool_],
    held_out: NDArray[np.bool_],
) -> dict[str, float]:
    """Return the share of held-out answers put on the right side of one half.

    gate_accuracy: mean of both worlds. The others: of one world, by findings present.
    """
    right = np.array([model.rare_share(a) > 0.5 for a in answers]) == labels
    present = np.array([a.present for a in answers])
    worlds = {"common": held_out & ~labels, "rare": held_out & labels}
    found = {"gate_accuracy": float(np.mean([right[mask].mean() for mask in worlds.values()]))}
    for first, last in COUNTED:
        counted = (present >= first) & (present <= last)
        for world, mask in worlds.items():
            if (mask & counted).any():
                found[f"gate_{world}_{first}"] = float(right[mask & counted].mean())
    return found
