"""One differential from two worlds: how much to trust the common and the rare model.

The common model gives a distribution over its own diseases, the rare ranker one over those it
retrieved and "none of these". A logistic gate estimates from both answers which world the case
belongs to; its logit is shifted from the balanced training mix to the prevalence of rare disease.
"""

import json
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import META_MODEL, Artifacts
from ddx.domain.differential import Band
from ddx.errors import ModelError

Vector = NDArray[np.float64]

GATE_FEATURES: Final = (
    "common_top_probability",
    "common_entropy_bits",
    "present_read_by_common",
    "present_read_by_common_share",
    "excluded_read_by_common",
    "present_read_by_rare",
    "present_read_by_rare_only_share",
    "rare_top_score",
    "rare_top_score_per_finding",
    "rare_top_margin",
)
"""Inputs of the gate, in order; all are computed by `gate_features`."""

BAND_FLOORS: Final = (
    (0.60, Band.VERY_LIKELY),
    (0.25, Band.LIKELY),
    (0.05, Band.POSSIBLE),
    (0.00, Band.UNLIKELY),
)
"""Lower bounds of the bands. A design choice of ours (estimate), not a clinical threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldAnswers:
    """What both models said of one case.

    common: float64 (n_common,), sums to 1; None when the common model reads nothing of the case.
    rare_scores: float64 (n_retrieved,), log likelihood ratios, best first; empty when the rare
    ranker reads no present finding: then so is `rare` and rare_none is 1.
    rare: float64 (n_retrieved,), calibrated, in the order of the ranking; with rare_none, the
    probability that no rare disease fits, it sums to 1. Counts are of findings of the case.
    """

    common: Vector | None
    rare_scores: Vector
    rare: Vector
    rare_none: float
    present: int
    present_read_by_common: int
    excluded_read_by_common: int
    present_read_by_rare: int
    present_read_by_rare_only: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Probabilities over both worlds; common + rare + outside sum to 1."""

    common: Vector
    rare: Vector
    outside: float


def band_of(probability: float) -> Band:
    """Return the word for a probability in 0..1."""
    return next(band for floor, band in BAND_FLOORS if probability >= floor)


def gate_features(answers: WorldAnswers) -> Vector:
    """Return the gate's inputs, float64 (len(GATE_FEATURES),), never nan."""
    common = answers.common if answers.common is not None else np.zeros(0)
    positive = common[common > 0]
    top = np.sort(answers.rare_scores)[::-1][:2]
    best = float(top[0]) if top.size else 0.0
    second = float(top[1]) if top.size > 1 else 0.0
    present = max(answers.present, 1)
    return np.array(
        [
            common.max(initial=0.0),
            -float(np.sum(positive * np.log2(positive))),
            answers.present_read_by_common,
            answers.present_read_by_common / present,
            answers.excluded_read_by_common,
            answers.present_read_by_rare,
            answers.present_read_by_rare_only / present,
            best,
            best / max(answers.present_read_by_rare, 1),
            best - second,
        ],
        dtype=np.float64,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaModel:
    """The gate, as the bundle carries it.

    mean, scale, weights: float64 (len(GATE_FEATURES),) on standardised inputs.
    bias: intercept fitted on a balanced mix of worlds.
    rare_prior: share of consultations due to a rare disease; shifts the balanced logit by
    log(prior / (1 - prior)) (Elkan 2001, "The foundations of cost-sensitive learning", theorem 2).
    """

    mean: Vector
    scale: Vector
    weights: Vector
    bias: float
    rare_prior: float

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts) -> Self:
        """Read the member `models/meta.json`. Raises ModelError when it is malformed."""
        try:
            raw = json.loads(artifacts.read(META_MODEL))
            names = tuple(raw["features"])
            model = cls(
                mean=np.array(raw["mean"], dtype=np.float64),
                scale=np.array(raw["scale"], dtype=np.float64),
                weights=np.array(raw["weights"], dtype=np.float64),
                bias=float(raw["bias"]),
                rare_prior=float(raw["rare_prior"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{META_MODEL} cannot be read: {error}") from error
        if names != GATE_FEATURES or not model._well_shaped():
            raise ModelError(f"{META_MODEL} was fitted on other inputs: {names}")
        return model

    def _well_shaped(self) -> bool:
        shape = (len(GATE_FEATURES),)
        return self.mean.shape == self.scale.shape == self.weights.shape == shape

    def to_json(self) -> bytes:
        """Return the bundle member this model reads back from."""
        return json.dumps(
            {
                "features": list(GATE_FEATURES),
                "mean": self.mean.tolist(),
                "scale": self.scale.tolist(),
                "weights": self.weights.tolist(),
                "bias": self.bias,
                "rare_prior": self.rare_prior,
            },
            indent=1,
        ).encode()

    def rare_share(self, answers: WorldAnswers) -> float:
        """Return the probability, 0..1, that the case belongs to the rare world."""
        if answers.rare_scores.size == 0:
            return 0.0
        if answers.common is None:
            return 1.0
        inputs = (gate_features(answers) - self.mean) / self.scale
        balanced = float(inputs @ self.weights) + self.bias
        shifted = balanced + np.log(self.rare_prior / (1.0 - self.rare_prior))
        return float(1.0 / (1.0 + np.exp(-shifted)))

    def aggregate(self, answers: WorldAnswers) -> Aggregate:
        """Return one distribution over both worlds and what neither knows."""
        if answers.common is None and answers.rare_scores.size == 0:
            return Aggregate(common=np.zeros(0), rare=np.zeros(0), outside=1.0)
        share = self.rare_share(answers)
        common = np.zeros(0) if answers.common is None else answers.common * (1.0 - share)
        return Aggregate(
            common=common, rare=answers.rare * share, outside=answers.rare_none * share
        )
