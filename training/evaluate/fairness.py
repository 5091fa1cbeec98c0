"""Does the model serve women and men, children and the old, equally well?"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import DAYS_PER_YEAR
from training.fit.sample import Sample

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
class Fairness:
    """Recalls by sex and by age band."""

    sex: tuple[GroupRecall, ...]
    age: tuple[GroupRecall, ...]

    def to_json(self) -> dict[str, object]:
        """Return the figures as the model card writes them, gaps in points among them."""
        return {
            name: {
                "gap_points": _or_none(_gap([g.recall for g in groups])),
                "like_for_like_gap_points": _or_none(_gap([g.like_for_like for g in groups])),
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
            for name, groups in (("sex", self.sex), ("age", self.age))
        }


def fairness(probabilities: NDArray[np.float64], test: Sample) -> Fairness:
    """Return recall of the first-ranked disease by sex and age band."""
    right = probabilities.argmax(axis=1) == test.truth
    female = test.answers.female == 1.0
    years = test.answers.age_days / DAYS_PER_YEAR
    return Fairness(
        sex=_groups(right, test.truth, {"female": female, "male": ~female}),
        age=_groups(
            right,
            test.truth,
            {f"{low}-{high - 1}": (years >= low) & (years < high) for low, high in BANDS},
        ),
    )


def _groups(
    right: NDArray[np.bool_], truth: NDArray[np.int64], members: dict[str, NDArray[np.bool_]]
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
