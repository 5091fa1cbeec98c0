"""Whether any common disease explains what is present, or the case is outside what is known.

The probabilities of the common model are shared among its diseases and sum to one whatever the
patient has. This asks another question: are the findings present together more usual under the
diseases the model believes in than under the average patient, as they are in visits it knows?

    score = sum over diseases d of P(d | case) * sum over findings present of ratio(d, finding)

with the ratios of `ddx.inference.bayes`: the log of how often patients of d mention the finding,
over the average. The score of a case is compared with those of held-out visits of known diseases
that have as many findings present and whose most believed disease is described by the same source
of patients: the sources describe their diseases in more and in fewer words. That gives a conformal
p-value: of familiar cases, no more than a share a have one of a or less (Vovk, Gammerman & Shafer
2005, sections 2.2 and 4.5; Bates et al. 2023, Annals of Statistics 51:149, "Testing for outliers
with conformal p-values").
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import Artifacts, read_optional
from ddx.domain.canonical import canonical_json
from ddx.domain.differential import NOT_ASSESSED, CommonFit, Fit
from ddx.errors import ModelError, SchemaMismatchError
from ddx.features.schema import FeatureSchema
from ddx.inference.bayes import BayesTable

Rows = NDArray[np.float32]
Scores = NDArray[np.float64]
Counts = NDArray[np.int64]

COMMON_OUTSIDE: Final = "models/common_outside.json"
"""Member of a bundle that holds the scores of familiar visits."""

FORMAT: Final = 1
STEPS: Final = 100
"""A p-value is a whole number of hundredths; the member stays near twenty kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamiliarBand:
    """Held-out visits with a like number of findings present.

    present_to: most findings present; None is no bound. cases: how many visits.
    scores: ascending, STEPS - 1 of them; fewer than i hundredths of familiar visits lie below
    the i-th.
    """

    present_to: int | None
    cases: int
    scores: tuple[float, ...]

    @classmethod
    def of(cls, present_to: int | None, scores: Scores) -> Self:
        """Return the band of these visits. Raises ModelError when they are too few."""
        n = len(scores)
        if n + 1 < STEPS:
            raise ModelError(f"{COMMON_OUTSIDE}: {n} visits, a band takes {STEPS - 1}")
        ranks = (np.arange(1, STEPS) * (n + 1)) // STEPS
        kept = np.floor(np.sort(scores)[ranks - 1] * 1e4) / 1e4  # never up: errs to explained
        return cls(present_to=present_to, cases=n, scores=tuple(kept.tolist()))

    def holds(self, present: int) -> bool:
        """Return whether a case with so many findings is not above the bound."""
        return self.present_to is None or present <= self.present_to

    def p_value(self, score: float) -> float:
        """Return the share, 0..1, of familiar visits that were explained no better."""
        return (1 + int(np.searchsorted(self.scores, score, side="right"))) / STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What the Bayes table says of many rows.

    All (n,). present: int64, findings present. believed: int64, number of the most probable
    disease. score: float64, how well the diseases believed in explain what is present.
    """

    present: Counts
    believed: Counts
    score: Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideModel:
    """What a bundle carries to tell a case that no common disease explains.

    bayes_digest: of the table the scores were made with. rate: a p-value of this or less is
    unexplained; the share of familiar cases that are told so wrongly. least_present: with fewer
    findings present nothing is said. source: number of the source that describes each disease, in
    output order, from 0. bands: of each source, by number of findings, the last without a bound.

    Raises:
        ModelError: a figure out of range, bands out of order, or scores that do not ascend.
    """

    bayes_digest: str
    rate: float
    least_present: int
    source: tuple[int, ...]
    bands: tuple[tuple[FamiliarBand, ...], ...]

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < 1.0 or self.least_present < 1:
            raise ModelError(f"{COMMON_OUTSIDE}: rate or least number of findings out of range")
        if not self.source or set(self.source) != set(range(len(self.bands))):
            raise ModelError(f"{COMMON_OUTSIDE}: every source needs its bands")
        for bands in self.bands:
            _check(bands)

    def p_values(self, values: Rows, schema: FeatureSchema, bayes: BayesTable) -> Scores:
        """Return the p-value of each row, float64 (n,); nan where nothing is said.

        values: float32 (n, n_columns).
        """
        return self._p_values(explained(values, schema, bayes))

    def _p_values(self, seen: Explained) -> Scores:
        found = np.full(len(seen.present), np.nan)
        for i in np.flatnonzero(seen.present >= self.least_present):
            bands, n = self.bands[self.source[seen.believed[i]]], int(seen.present[i])
            found[i] = next(b for b in bands if b.holds(n)).p_value(float(seen.score[i]))
        return found

    def assess(self, seen: Explained) -> CommonFit:
        """Return whether the only row is explained."""
        p = float(self._p_values(seen)[0])
        if math.isnan(p):
            return NOT_ASSESSED
        return CommonFit(fit=Fit.UNEXPLAINED if p <= self.rate else Fit.EXPLAINED, p_value=p)

    def to_json(self) -> bytes:
        """Return the bundle member."""
        return canonical_json(
            {
                "format": FORMAT,
                "bayes_digest": self.bayes_digest,
                "rate": self.rate,
                "least_present": self.least_present,
                "source": list(self.source),
                "bands": [
                    [
                        {"present_to": b.present_to, "cases": b.cases, "scores": list(b.scores)}
                        for b in bands
                    ]
                    for bands in self.bands
                ],
            }
        )

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Read that member. Raises ModelError when it is malformed."""
        try:
            member = json.loads(raw)
            if member["format"] != FORMAT:
                raise ModelError(f"{COMMON_OUTSIDE}: format {member['format']}, not {FORMAT}")
            return cls(
                bayes_digest=str(member["bayes_digest"]),
                rate=float(member["rate"]),
                least_present=int(member["least_present"]),
                source=tuple(int(number) for number in member["source"]),
                bands=tuple(tuple(_band(b) for b in bands) for bands in member["bands"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{COMMON_OUTSIDE} cannot be read: {error!r}") from error


def _band(raw: Mapping[str, Any]) -> FamiliarBand:
    return FamiliarBand(
        present_to=None if raw["present_to"] is None else int(raw["present_to"]),
        cases=int(raw["cases"]),
        scores=tuple(float(score) for score in raw["scores"]),
    )


def _check(bands: tuple[FamiliarBand, ...]) -> None:
    bounds = [math.inf if band.present_to is None else band.present_to for band in bands]
    if not bounds or bounds[-1] != math.inf or any(a >= b for a, b in pairwise(bounds)):
        raise ModelError(f"{COMMON_OUTSIDE}: bands must ascend and the last hold every case")
    for band in bands:
        scores = np.array(band.scores)
        if len(scores) != STEPS - 1 or not np.all(np.isfinite(scores)):
            raise ModelError(f"{COMMON_OUTSIDE}: a band needs {STEPS - 1} numbers")
        if np.any(np.diff(scores) < 0):
            raise ModelError(f"{COMMON_OUTSIDE}: scores of a band do not ascend")


def explained(values: Rows, schema: FeatureSchema, bayes: BayesTable) -> Explained:
    """Return how each row of `values`, float32 (n, n_columns), is explained.

    What is excluded, age and sex move the belief and are not themselves explained.
    """
    present = schema.holds_finding & (values > 0)
    shown = np.where(present, values, np.float32(np.nan))
    return explained_by(
        present.sum(axis=1), bayes.margins_of(values), bayes.margins_of(shown) - bayes.prior
    )


def explained_by(present: Counts, margins: Scores, ratios: Scores) -> Explained:
    """Return the same of rows the table was asked about before.

    present: (n,). margins: (n, n_diseases). ratios: same shape, margins of what is present alone,
    without the prior.
    """
    belief = np.exp(margins - margins.max(axis=1, keepdims=True))
    belief /= belief.sum(axis=1, keepdims=True)
    return Explained(
        present=present, believed=belief.argmax(axis=1), score=(belief * ratios).sum(axis=1)
    )


def outside_of(artifacts: Artifacts, bayes: BayesTable | None) -> OutsideModel | None:
    """Return the model of a bundle; None for a bundle made before it carried one.

    Raises:
        ModelError: the member is malformed.
        SchemaMismatchError: its scores were made with another table.
    """
    raw = read_optional(artifacts, COMMON_OUTSIDE)
    if raw is None:
        return None
    model = OutsideModel.from_json(raw)
    if bayes is None or model.bayes_digest != bayes.digest or len(model.source) != len(bayes.prior):
        raise SchemaMismatchError(f"{COMMON_OUTSIDE} was made with another Bayes table")
    return model
