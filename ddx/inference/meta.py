"""One differential from two worlds: how much to trust the common and the rare model.

The common model gives a distribution over its own diseases, the rare ranker one over those it
retrieved and "none of these". A logistic gate estimates from both answers which world the case
belongs to; its logit is shifted from the balanced training mix to the prevalence of rare disease.
"""

import json
import math
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
    "present_read_by_common_log",
    "present_read_by_common_share",
    "excluded_read_by_common_log",
    "present_read_by_rare_log",
    "present_read_by_rare_only_share",
    "rare_top_score_bounded",
    "rare_top_score_beyond_best",
    "rare_top_score_per_finding",
    "rare_top_margin",
)
"""Inputs of a gate fitted today, in order; `gate_inputs` says what they are. A bundle names its own
inputs: those before 2026.11.6 read PLAIN_FEATURES."""

PLAIN_FEATURES: Final = (
    "present_read_by_common",
    "excluded_read_by_common",
    "present_read_by_rare",
    "rare_top_score",
)
"""What older gates read as it is: numbers of findings, and the score without a bound."""

EVIDENCE_BOUND: Final = 3.0
"""Most that one finding may bring to `rare_top_score_bounded`, in nats: odds of twenty to one. A
design choice of ours: a finding that only two rare diseases are annotated with brings eight."""

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
    rare_top_present: float64 (n,), what each present finding brings to rare_scores[0], the log
    likelihood ratio of the disease that scores best; the rest of it comes from what is excluded.
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
    rare_top_present: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Probabilities over both worlds; common + rare + outside sum to 1."""

    common: Vector
    rare: Vector
    outside: float


def band_of(probability: float) -> Band:
    """Return the word for a probability in 0..1. Raises ValueError for anything else."""
    for floor, band in BAND_FLOORS:
        if probability >= floor:
            return band
    raise ValueError(f"{probability} is no probability")


def gate_inputs(answers: WorldAnswers) -> dict[str, float]:
    """Return everything a gate may read, by name, never nan.

    _log: log(1 + n) of a number of findings, so that the first few weigh most. rare_top_score: of
    the best rare disease. _bounded: the same, no finding bringing more than EVIDENCE_BOUND.
    _beyond_best: what is left of it without its strongest finding, so that one finding alone
    brings nothing. _per_finding: its share per finding read. rare_top_margin: how far it is ahead
    of the second.
    """
    common = answers.common if answers.common is not None else np.zeros(0)
    positive = common[common > 0]
    top = np.sort(answers.rare_scores)[::-1][:2]
    best = float(top[0]) if top.size else 0.0
    second = float(top[1]) if top.size > 1 else 0.0
    present, shown = max(answers.present, 1), answers.rare_top_present
    numbers = {
        "present_read_by_common": answers.present_read_by_common,
        "excluded_read_by_common": answers.excluded_read_by_common,
        "present_read_by_rare": answers.present_read_by_rare,
    }
    return {
        **numbers,
        **{f"{name}_log": math.log1p(n) for name, n in numbers.items()},
        "common_top_probability": float(common.max(initial=0.0)),
        "common_entropy_bits": -float(np.sum(positive * np.log2(positive))),
        "present_read_by_common_share": answers.present_read_by_common / present,
        "present_read_by_rare_only_share": answers.present_read_by_rare_only / present,
        "rare_top_score": best,
        "rare_top_score_bounded": best - float(np.maximum(shown - EVIDENCE_BOUND, 0.0).sum()),
        "rare_top_score_beyond_best": best - float(shown.max(initial=0.0)),
        "rare_top_score_per_finding": best / max(answers.present_read_by_rare, 1),
        "rare_top_margin": best - second,
    }


def gate_features(answers: WorldAnswers, names: tuple[str, ...] = GATE_FEATURES) -> Vector:
    """Return the inputs of those names, float64 (len(names),), never nan. Raises KeyError."""
    inputs = gate_inputs(answers)
    return np.array([inputs[name] for name in names], dtype=np.float64)


_KNOWN: Final = frozenset((*GATE_FEATURES, *PLAIN_FEATURES))


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaModel:
    """The gate, as the bundle carries it.

    features: names of its inputs. mean, scale, weights: float64 (len(features),) on standardised
    inputs.
    bias: intercept fitted on a balanced mix of worlds.
    rare_prior: share of consultations due to a rare disease; shifts the balanced logit by
    log(prior / (1 - prior)) (Elkan 2001, "The foundations of cost-sensitive learning", theorem 2).
    """

    features: tuple[str, ...] = GATE_FEATURES
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
            model = cls(
                features=tuple(raw["features"]),
                mean=np.array(raw["mean"], dtype=np.float64),
                scale=np.array(raw["scale"], dtype=np.float64),
                weights=np.array(raw["weights"], dtype=np.float64),
                bias=float(raw["bias"]),
                rare_prior=float(raw["rare_prior"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{META_MODEL} cannot be read: {error}") from error
        if not _KNOWN.issuperset(model.features) or not model._well_shaped():
            raise ModelError(f"{META_MODEL} was fitted on other inputs: {model.features}")
        return model

    def _well_shaped(self) -> bool:
        shape = (len(self.features),)
        return self.mean.shape == self.scale.shape == self.weights.shape == shape

    def to_json(self) -> bytes:
        """Return the bundle member this model reads back from."""
        return json.dumps(
            {
                "features": list(self.features),
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
        inputs = (gate_features(answers, self.features) - self.mean) / self.scale
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
