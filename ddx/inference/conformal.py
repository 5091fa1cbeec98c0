"""Which diseases cannot be set aside: a set that holds the right one nine times in ten.

Split conformal prediction (Vovk, Gammerman & Shafer 2005; Lei et al. 2018, JASA 113:1094) with the
score 1 - probability of the true disease ("least ambiguous sets", Sadinle, Lei & Wasserman 2019,
JASA 114:223), so a set is what stands at or above a threshold. The threshold is taken per band of
evidence (Mondrian taxonomy, Vovk et al. 2005, section 4.5), regardless of the disease: with little
asked, the set has to be larger.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.canonical import canonical_json
from ddx.errors import ModelError

COMMON_CONFORMAL: Final = "models/common_conformal.json"
"""Member of a bundle that holds the thresholds."""

FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceBand:
    """One band of evidence. It holds a case that fits all bounds and no earlier band.

    present_to, excluded_to: most findings present and excluded; None is no bound.
    threshold: least probability, 0..1, that puts a disease into the set.
    cases: how many held-out visits it was taken from.
    """

    present_to: int | None
    excluded_to: int | None
    threshold: float
    cases: int

    def holds(self, present: int, excluded: int) -> bool:
        """Return whether a case with so many findings fits the bounds."""
        return (self.present_to is None or present <= self.present_to) and (
            self.excluded_to is None or excluded <= self.excluded_to
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalSets:
    """The thresholds of one bundle. coverage: share of sets that hold the disease, 0..1.

    Raises:
        ModelError: no band, a last band with bounds, or a figure that is no share.
    """

    coverage: float
    bands: tuple[EvidenceBand, ...]

    def __post_init__(self) -> None:
        if not self.bands or not self.bands[-1].holds(*(2 * (np.iinfo(np.int64).max,))):
            raise ModelError(f"{COMMON_CONFORMAL}: the last band must hold every case")
        shares = (self.coverage, *(band.threshold for band in self.bands))
        if not all(math.isfinite(share) and 0.0 <= share <= 1.0 for share in shares):
            raise ModelError(f"{COMMON_CONFORMAL}: a coverage or threshold is not within 0..1")

    def band_of(self, present: int, excluded: int) -> EvidenceBand:
        """Return the band of a case with so many findings present and excluded."""
        return next(band for band in self.bands if band.holds(present, excluded))

    def to_json(self) -> bytes:
        """Return the bundle member."""
        bands = [
            {
                "present_to": band.present_to,
                "excluded_to": band.excluded_to,
                "threshold": band.threshold,
                "cases": band.cases,
            }
            for band in self.bands
        ]
        return canonical_json({"format": FORMAT, "coverage": self.coverage, "bands": bands})

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Read that member. Raises ModelError when it is malformed."""
        try:
            member = json.loads(raw)
            if member["format"] != FORMAT:
                raise ModelError(f"{COMMON_CONFORMAL}: format {member['format']}, not {FORMAT}")
            return cls(
                coverage=float(member["coverage"]),
                bands=tuple(
                    EvidenceBand(
                        present_to=_bound(band["present_to"]),
                        excluded_to=_bound(band["excluded_to"]),
                        threshold=float(band["threshold"]),
                        cases=int(band["cases"]),
                    )
                    for band in member["bands"]
                ),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{COMMON_CONFORMAL} cannot be read: {error!r}") from error


def prediction_set(
    probabilities: NDArray[np.float64],
    sets: ConformalSets,
    *,
    present: int,
    excluded: int,
    never_empty: bool = True,
) -> tuple[int, ...]:
    """Return the positions of the diseases in the set, most probable first.

    probabilities: calibrated, (n_diseases,). present, excluded: findings the model read.
    never_empty: keep the most probable disease even below the threshold. A clinician must not be
    shown an empty set; the price is a coverage above the nominal one where evidence is rich.
    """
    threshold = sets.band_of(present, excluded).threshold
    order = np.argsort(-probabilities, kind="stable")
    kept = [int(i) for i in order if probabilities[i] >= threshold]
    return tuple(kept or order[:1].tolist()) if never_empty else tuple(kept)


def threshold_for(true_probabilities: NDArray[np.float64], coverage: float) -> float:
    """Return the threshold under which held-out cases were right `coverage` of the time.

    true_probabilities: what the model gave the true disease, (n,), of cases it was not fitted on.
    The ceil((n + 1) * coverage)-th smallest score 1 - p; 0 (everything) when n is too small.
    """
    n = len(true_probabilities)
    rank = math.ceil((n + 1) * coverage)
    if rank > n:
        return 0.0
    return float(np.sort(true_probabilities)[n - rank])


def calibrated(
    true_probabilities: NDArray[np.float64],
    present: NDArray[np.int64],
    excluded: NDArray[np.int64],
    *,
    bounds: Sequence[tuple[int | None, int | None]],
    coverage: float = 0.90,
) -> ConformalSets:
    """Return the sets of held-out visits, one band per pair of bounds, in that order.

    bounds: (present_to, excluded_to) of each band; a visit counts in the first that holds it.
    The last pair must be (None, None). Raises ModelError otherwise.
    """
    bands, left = [], np.ones(len(present), dtype=bool)
    for present_to, excluded_to in bounds:
        held = left & (present <= _top(present_to)) & (excluded <= _top(excluded_to))
        left &= ~held
        bands.append(
            EvidenceBand(
                present_to=present_to,
                excluded_to=excluded_to,
                threshold=threshold_for(true_probabilities[held], coverage),
                cases=int(held.sum()),
            )
        )
    return ConformalSets(coverage=coverage, bands=tuple(bands))


def _top(bound: int | None) -> int:
    return int(np.iinfo(np.int64).max) if bound is None else bound


def _bound(value: object) -> int | None:
    if value is None or isinstance(value, int):
        return value
    raise TypeError(f"bound {value!r} is not a number of findings")
