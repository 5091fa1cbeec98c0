"""How far a day is from its reference, 0 (alike) to 1, column by column.

The population stability index of a column, less what noise alone gives to so few cases, brought to
the scale on which the change control plan has its thresholds:

    excess = max(0, psi - (1/n + 1/m) * chi2.ppf(1 - chance / columns, bins - 1))
    score  = excess / (excess + half)

With half = 0.1 a moderate shift of that index's own convention (0.1) scores 0.5, the plan's alert,
and a major one (0.25) 0.71, above the plan's retraining. The score of a day is that of its worst
column, so that one broken sensor is not averaged away by a hundred columns that are well
(docs/adr/0024).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from training.change_plan import Watch

Counts = Mapping[str, float]
"""Category -> how many cases."""

LEAST_SHARE: Final = 0.01
LEAST_EXPECTED: Final = 5.0
"""A category with less of the reference, or fewer cases expected on the day, joins the others: the
chi-squared approximation needs five (Cochran 1954, Biometrics 10:417)."""

OTHERS: Final = "…"
PSEUDO: Final = 0.5
"""Added to every bin, so that an empty one has a logarithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """One column. psi: as measured. score: 0..1, noise taken off. moved: category that moved most.

    before, now: share of that category.
    """

    column: str
    psi: float
    score: float
    moved: str
    before: float
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A day against its reference. columns: worst first. cases: of the day."""

    cases: int
    columns: tuple[ColumnDrift, ...]

    @property
    def score(self) -> float:
        """That of the worst column; 0 without any."""
        return self.columns[0].score if self.columns else 0.0

    def over(self, threshold: float) -> tuple[ColumnDrift, ...]:
        """Return the columns above a threshold."""
        return tuple(column for column in self.columns if column.score > threshold)


def drift_of(
    reference: Mapping[str, Counts], day: Mapping[str, Counts], cases: int, watch: Watch
) -> Drift:
    """Return the drift of every column both know. cases: of the day."""
    names = sorted(set(reference) & set(day))
    chance = watch.drift_noise_chance.value / max(len(names), 1)
    found = [
        column_drift(name, reference[name], day[name], chance, watch.drift_half_psi.value)
        for name in names
        if sum(reference[name].values()) > 0 and sum(day[name].values()) > 0
    ]
    return Drift(cases=cases, columns=tuple(sorted(found, key=lambda c: (-c.score, -c.psi))))


def column_drift(
    name: str, reference: Counts, day: Counts, chance: float, half: float
) -> ColumnDrift:
    """Return the drift of one column. chance: that noise alone scores above 0."""
    labels, was, now = _pooled(reference, day)
    p, q = _shares(was), _shares(now)
    parts = (q - p) * np.log(q / p)
    psi = float(parts.sum())
    noise = (1.0 / was.sum() + 1.0 / now.sum()) * _quantile(chance, len(labels) - 1)
    excess = max(0.0, psi - noise)
    at = int(np.argmax(np.abs(parts)))
    return ColumnDrift(
        column=name,
        psi=psi,
        score=excess / (excess + half),
        moved=labels[at],
        before=float(was[at] / was.sum()),
        now=float(now[at] / now.sum()),
    )


def _quantile(chance: float, freedom: int) -> float:
    return float(chi2.isf(chance, freedom)) if freedom > 0 else 0.0


def _pooled(
    reference: Counts, day: Counts
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return categories with both counts; small and new ones are pooled."""
    total, n = sum(reference.values()), sum(day.values())
    least = max(LEAST_SHARE, LEAST_EXPECTED / n)
    kept = [c for c in sorted(reference) if reference[c] / total >= least]
    was = [float(reference[c]) for c in kept]
    now = [float(day.get(c, 0.0)) for c in kept]
    rest = (total - sum(was), n - sum(now))
    if max(rest) > 0:
        kept.append(OTHERS)
        was.append(float(rest[0]))
        now.append(float(rest[1]))
    return kept, np.array(was), np.array(now)


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    smooth = counts + PSEUDO
    shares: NDArray[np.float64] = smooth / smooth.sum()
    return shares
