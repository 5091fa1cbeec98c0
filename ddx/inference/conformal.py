"""Which diseases cannot be set aside: a set that holds the right one nine times in ten.

Split conformal prediction (Vovk, Gammerman & Shafer 2005) with the score of adaptive sets (Romano,
Sesia & Candes 2020, "Classification with valid and adaptive coverage"): the probability of all
diseases ranked above, plus a random part of a disease's own. Were the probabilities exact, the
score of the right disease would be uniform whatever was asked. What they lack is mended by
thresholds per band of evidence and per group of diseases (Mondrian taxonomies, Vovk et al. 2005,
section 4.5). A group is the source that describes a disease, so that the promise holds within
either source whatever share of visits it has.

The random part is drawn from the digest of what the models read: the same case always gets the
same set, and a receipt replays.
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

Vector = NDArray[np.float64]
Indices = NDArray[np.int64]

COMMON_CONFORMAL: Final = "models/common_conformal.json"
"""Member of a bundle that holds the thresholds."""

FORMAT: Final = 2

FEWEST: Final = 200
"""Visits a threshold is taken from: they fix a coverage of 0.90 within about 0.04 (95 %)."""

_DRAWN_BITS: Final = 52
"""Bits of the digest that make the random part: what the mantissa of a double holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceBand:
    """One band of evidence. It holds a case that fits all bounds and no earlier band.

    present_to, excluded_to: most findings present and excluded; None is no bound.
    thresholds: greatest score, 0..1, of a disease in the set, by group.
    cases: how many held-out visits of the group fell into the band; with fewer than FEWEST the
    threshold is that of the group in all bands together.
    """

    present_to: int | None
    excluded_to: int | None
    thresholds: tuple[float, ...]
    cases: tuple[int, ...]

    def holds(self, present: int, excluded: int) -> bool:
        """Return whether a case with so many findings fits the bounds."""
        return (self.present_to is None or present <= self.present_to) and (
            self.excluded_to is None or excluded <= self.excluded_to
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalSets:
    """The thresholds of one bundle. coverage: share of sets that hold the disease, 0..1.

    groups: the group of each disease of the common model, in its order.

    Raises:
        ModelError: no band, a last band with bounds, a group without a threshold, or a figure
            that is no share.
    """

    coverage: float
    groups: tuple[int, ...]
    bands: tuple[EvidenceBand, ...]

    def __post_init__(self) -> None:
        if not self.bands or not self.bands[-1].holds(*(2 * (np.iinfo(np.int64).max,))):
            raise ModelError(f"{COMMON_CONFORMAL}: the last band must hold every case")
        known = {len(band.thresholds) for band in self.bands}
        if not self.groups or min(self.groups) < 0 or known != {max(self.groups) + 1}:
            raise ModelError(f"{COMMON_CONFORMAL}: groups and thresholds differ in number")
        shares = (self.coverage, *(t for band in self.bands for t in band.thresholds))
        if not all(math.isfinite(share) and 0.0 <= share <= 1.0 for share in shares):
            raise ModelError(f"{COMMON_CONFORMAL}: a coverage or threshold is not within 0..1")

    def band_of(self, present: int, excluded: int) -> EvidenceBand:
        """Return the band of a case with so many findings present and excluded."""
        return next(band for band in self.bands if band.holds(present, excluded))

    def thresholds(self, present: int, excluded: int) -> Vector:
        """Return the greatest score of each disease in the set, float64 (n_diseases,)."""
        of_group = np.array(self.band_of(present, excluded).thresholds)
        own: Vector = of_group[list(self.groups)]
        return own

    def to_json(self) -> bytes:
        """Return the bundle member."""
        bands = [
            {
                "present_to": band.present_to,
                "excluded_to": band.excluded_to,
                "thresholds": list(band.thresholds),
                "cases": list(band.cases),
            }
            for band in self.bands
        ]
        return canonical_json(
            {
                "format": FORMAT,
                "coverage": self.coverage,
                "groups": list(self.groups),
                "bands": bands,
            }
        )

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Read that member. Raises ModelError when it is malformed."""
        try:
            member = json.loads(raw)
            if member["format"] != FORMAT:
                raise ModelError(f"{COMMON_CONFORMAL}: format {member['format']}, not {FORMAT}")
            return cls(
                coverage=float(member["coverage"]),
                groups=tuple(int(group) for group in member["groups"]),
                bands=tuple(
                    EvidenceBand(
                        present_to=_bound(band["present_to"]),
                        excluded_to=_bound(band["excluded_to"]),
                        thresholds=tuple(float(t) for t in band["thresholds"]),
                        cases=tuple(int(n) for n in band["cases"]),
                    )
                    for band in member["bands"]
                ),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{COMMON_CONFORMAL} cannot be read: {error!r}") from error


def drawn(digest: str) -> float:
    """Return the random part of a case, uniform in [0, 1). digest: hex, of what the models read.

    Raises:
        ValueError: the digest is not hexadecimal, or shorter than 13 digits.
    """
    digits = _DRAWN_BITS // 4
    if len(digest) < digits:
        raise ValueError(f"a digest of {len(digest)} digits is too short to draw from")
    return int(digest[:digits], 16) / float(1 << _DRAWN_BITS)


def scores(probabilities: Vector, random: Vector | float) -> Vector:
    """Return the score of every disease, 0..1, same shape: the higher, the less it fits.

    probabilities: calibrated, (n_diseases,) or (n, n_diseases). random: 0..1, one per case.
    """
    order = np.argsort(-probabilities, axis=-1, kind="stable")
    found = np.empty_like(probabilities)
    own = _falling(np.take_along_axis(probabilities, order, axis=-1), random)
    np.put_along_axis(found, order, own, axis=-1)
    return found


def _falling(ranked: Vector, random: Vector | float) -> Vector:
    """Return the scores of probabilities that fall along the last axis, same shape."""
    above = np.cumsum(ranked, axis=-1) - ranked
    own: Vector = np.clip(above + np.asarray(random)[..., np.newaxis] * ranked, 0.0, 1.0)
    return own


def prediction_set(
    probabilities: Vector,
    sets: ConformalSets,
    *,
    present: int,
    excluded: int,
    digest: str,
    never_empty: bool = True,
) -> tuple[int, ...]:
    """Return the positions of the diseases in the set, most probable first.

    probabilities: calibrated, (n_diseases,). present, excluded: findings the model read.
    digest: hex, of what the models read. never_empty: keep the most probable disease whatever its
    score. A clinician must not be shown an empty set; the price is a coverage above the nominal
    one wherever the first disease is right more often than that.

    Raises:
        ModelError: the sets were calibrated for another number of diseases.
    """
    if len(probabilities) != len(sets.groups):
        raise ModelError(
            f"{COMMON_CONFORMAL} groups {len(sets.groups)} diseases, not {len(probabilities)}"
        )
    order = np.argsort(-probabilities, kind="stable")
    own = _falling(probabilities[order], drawn(digest))
    inside = own <= sets.thresholds(present, excluded)[order]
    kept: list[int] = order[inside].tolist()
    if never_empty and not inside[0]:
        kept.insert(0, int(order[0]))
    return tuple(kept)


def threshold_for(own_scores: Vector, coverage: float) -> float:
    """Return the threshold under which held-out cases were right `coverage` of the time.

    own_scores: of the true disease, (n,), of cases the model was not fitted on.
    The ceil((n + 1) * coverage)-th smallest; 1 (everything) when n is too small.
    """
    n = len(own_scores)
    rank = math.ceil((n + 1) * coverage)
    return 1.0 if rank > n else float(np.sort(own_scores)[rank - 1])


def calibrated(
    own_scores: Vector,
    truth: Indices,
    present: Indices,
    excluded: Indices,
    *,
    groups: Sequence[int],
    bounds: Sequence[tuple[int | None, int | None]],
    coverage: float = 0.90,
) -> ConformalSets:
    """Return the sets of held-out visits, one band per pair of bounds, in that order.

    own_scores: of the true disease. truth: its position. bounds: (present_to, excluded_to) of
    each band; a visit counts in the first that holds it. The last pair must be (None, None).
    Raises ModelError otherwise.
    """
    of_visit = np.array(groups)[truth]
    everywhere = [
        threshold_for(own_scores[of_visit == group], coverage) for group in range(max(groups) + 1)
    ]
    bands, left = [], np.ones(len(present), dtype=bool)
    for present_to, excluded_to in bounds:
        held = left & (present <= _top(present_to)) & (excluded <= _top(excluded_to))
        left &= ~held
        parts = [own_scores[held & (of_visit == group)] for group in range(max(groups) + 1)]
        bands.append(
            EvidenceBand(
                present_to=present_to,
                excluded_to=excluded_to,
                thresholds=tuple(
                    threshold_for(part, coverage) if len(part) >= FEWEST else pooled
                    for part, pooled in zip(parts, everywhere, strict=True)
                ),
                cases=tuple(len(part) for part in parts),
            )
        )
    return ConformalSets(coverage=coverage, groups=tuple(groups), bands=tuple(bands))


def _top(bound: int | None) -> int:
    return int(np.iinfo(np.int64).max) if bound is None else bound


def _bound(value: object) -> int | None:
    if value is None or isinstance(value, int):
        return value
    raise TypeError(f"bound {value!r} is not a number of findings")
