"""Does the model serve women and men, children and the old, equally well?"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import DAYS_PER_YEAR
from training.fit.sample import Sample

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]

RESAMPLES: Final = 200
SEED: Final = 20_261
BANDS: Final = ((0, 5), (5, 15), (15, 30), (30, 45), (45, 60), (60, 75), (75, 130))
"""Ages in years, first of the band and first after it."""

FEWEST: Final = 10
"""Patients a disease needs in every group to be compared: below it a recall is chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRecall:
    """Recall of one group.

    like_for_like: the mean over the diseases all groups share, weighed by their patients in all
    groups together, so that who has which disease plays no part; nan when they share none.
    """

    group: str
    patients: int
    recall: float
    like_for_like: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Points between the best and the worst group, like for like.

    low, high: 95 % bootstrap interval. by_chance: the mean gap of as many patients whose groups
    are shuffled within each disease: what groups of this size show when all are served alike.
    """

    points: float
    low: float
    high: float
    by_chance: float

    def to_json(self) -> dict[str, float | None]:
        """Return the gap as the model card writes it, None for nan."""
        return {
            "points": _or_none(self.points),
            "low": _or_none(self.low),
            "high": _or_none(self.high),
            "by_chance": _or_none(self.by_chance),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """Recalls by sex and by age band, and the gaps between the groups."""

    sex: tuple[GroupRecall, ...]
    age: tuple[GroupRecall, ...]
    sex_gap: Gap
    age_gap: Gap

    def to_json(self) -> dict[str, object]:
        """Return the figures as the model card writes them, gaps in points among them."""
        return {
            name: {
                "gap_points": _or_none(_gap([g.recall for g in groups])),
                "like_for_like_gap": gap.to_json(),
                "groups": [
                    {
                        "group": g.group,
                        "patients": g.patients,
                        "recall": g.recall,
                        "like_for_like": _or_none(g.like_for_like),
                    }
                    for g in groups
                ],
            }
            for name, groups, gap in (
                ("sex", self.sex, self.sex_gap),
                ("age", self.age, self.age_gap),
            )
        }


def fairness(
    right: Floats | NDArray[np.bool_],
    truth: Indices,
    female: NDArray[np.bool_],
    age_days: NDArray[np.floating[Any]],
) -> Fairness:
    """Return recall by sex and age band.

    right: whether the disease ranked first, or the share of a patient's visits in which it did,
    (n,). A patient counts once however many visits they have.
    """
    years = age_days / DAYS_PER_YEAR
    sexes = {"female": female, "male": ~female}
    ages = {f"{low}-{high - 1}": (years >= low) & (years < high) for low, high in BANDS}
    return Fairness(
        sex=_groups(right, truth, sexes),
        age=_groups(right, truth, ages),
        sex_gap=_gap_of(right, truth, sexes),
        age_gap=_gap_of(right, truth, ages),
    )


def fairness_of(visits: Iterable[Floats], test: Sample) -> Fairness:
    """Return recall of the first-ranked disease by sex and age band.

    visits: probabilities (n, n_diseases) after each of the visits the patients make. With one
    visit of a partly asked patient a gap is mostly the luck of what was asked: it is the largest
    difference of many cells as small as FEWEST.
    """
    answers = test.answers
    right = np.mean([p.argmax(axis=1) == test.truth for p in visits], axis=0)
    return fairness(right, test.truth, answers.female == 1.0, answers.age_days)


def _gap_of(
    right: Floats | NDArray[np.bool_], truth: Indices, members: dict[str, NDArray[np.bool_]]
) -> Gap:
    """Return the gap with its interval and what chance alone makes of it."""
    inside = np.array([mask for mask in members.values() if mask.any()])
    group, rng, n = inside.argmax(axis=0), np.random.default_rng(SEED), len(truth)
    drawn, shuffled = [], []
    for _ in range(RESAMPLES):
        some = rng.integers(0, n, n)
        drawn.append(_alike(right[some], truth[some], group[some], len(inside)))
        order = np.lexsort((rng.random(n), truth))
        mixed = np.empty_like(group)
        mixed[np.argsort(truth, kind="stable")] = group[order]
        shuffled.append(_alike(right, truth, mixed, len(inside)))
    low, high = _quantiles(drawn)
    return Gap(
        points=_alike(right, truth, group, len(inside)),
        low=low,
        high=high,
        by_chance=_mean(shuffled),
    )


def _alike(
    right: Floats | NDArray[np.bool_], truth: Indices, group: Indices, n_groups: int
) -> float:
    """Return the like-for-like gap in points; nan when the groups share no disease."""
    shape = (n_groups, int(truth.max()) + 1)
    at = group * shape[1] + truth
    counts = np.bincount(at, minlength=shape[0] * shape[1]).reshape(shape)
    hits = np.bincount(at, right, minlength=shape[0] * shape[1]).reshape(shape)
    shared = np.flatnonzero((counts >= FEWEST).all(axis=0))
    if not len(shared):
        return float("nan")
    recalls = (hits[:, shared] / counts[:, shared]) @ counts[:, shared].sum(axis=0)
    return float(100.0 * (recalls.max() - recalls.min()) / counts[:, shared].sum())


def _quantiles(gaps: list[float]) -> tuple[float, float]:
    known = [gap for gap in gaps if not np.isnan(gap)]
    if not known:
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def _mean(gaps: list[float]) -> float:
    known = [gap for gap in gaps if not np.isnan(gap)]
    return float(np.mean(known)) if known else float("nan")


def _groups(
    right: Floats | NDArray[np.bool_],
    truth: NDArray[np.int64],
    members: dict[str, NDArray[np.bool_]],
) -> tuple[GroupRecall, ...]:
    inside = {name: mask for name, mask in members.items() if mask.any()}
    counts = np.array([np.bincount(truth[m], minlength=truth.max() + 1) for m in inside.values()])
    shared = np.flatnonzero((counts >= FEWEST).all(axis=0))
    weights = counts[:, shared].sum(axis=0)
    return tuple(
        GroupRecall(
            group=name,
            patients=int(mask.sum()),
            recall=float(right[mask].mean()),
            like_for_like=_weighted([right[mask & (truth == d)].mean() for d in shared], weights),
        )
        for name, mask in inside.items()
    )


def _weighted(recalls: list[np.floating], weights: NDArray[np.int64]) -> float:
    return float(np.average(recalls, weights=weights)) if recalls else float("nan")


def _or_none(value: float) -> float | None:
    """Return `value`, None for nan, which JSON has no word for."""
    return None if np.isnan(value) else value


def _gap(recalls: list[float]) -> float:
    return 100.0 * (max(recalls) - min(recalls)) if recalls else float("nan")
