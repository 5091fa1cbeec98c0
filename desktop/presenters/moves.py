"""How a list moved: where each candidate stood before the last change."""

from dataclasses import dataclass

from ddx.domain.differential import Band, Differential
from ddx.domain.identifiers import DiseaseId


@dataclass(frozen=True, slots=True)
class Move:
    """steps: places up (positive) or down; None for a candidate that was not on the list.

    band: the one of before, where it was another.
    """

    steps: int | None
    band: Band | None = None


def moves(before: Differential | None, after: Differential) -> dict[DiseaseId, Move]:
    """Return what moved from `before` to `after`; nothing where there is no list before."""
    if before is None:
        return {}
    old = {candidate.disease: candidate for candidate in before.candidates}
    found = {}
    for candidate in after.candidates:
        was = old.get(candidate.disease)
        if was is None:
            found[candidate.disease] = Move(None)
        elif was.rank != candidate.rank or was.band is not candidate.band:
            band = was.band if was.band is not candidate.band else None
            found[candidate.disease] = Move(was.rank - candidate.rank, band)
    return found
