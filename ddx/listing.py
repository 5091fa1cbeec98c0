"""One list of both worlds: every disease that was answered, by probability, as candidates."""

from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ddx.domain.differential import Candidate, World
from ddx.domain.identifiers import DiseaseId
from ddx.inference.meta import Aggregate, band_of

SeverityOf = Callable[[DiseaseId], int | None]


class Listing:
    """Makes the lists of one bundle. Equal probabilities go by the code of the disease."""

    def __init__(
        self,
        common: tuple[DiseaseId, ...],
        rare: tuple[DiseaseId, ...],
        severity: SeverityOf,
    ) -> None:
        """Take the diseases of both models, in the order of their outputs."""
        self._diseases, self._of_common = (*common, *rare), frozenset(common)
        self._first_rare = len(common)
        self._severity = cache(severity)
        place = {code: at for at, code in enumerate(sorted(set(self._diseases)))}
        self._place = np.array([place[code] for code in self._diseases], dtype=np.int32)

    def candidates(
        self, aggregate: Aggregate, ranked: NDArray[np.int32], limit: int
    ) -> tuple[Candidate, ...]:
        """Return the first `limit` of the list, ranks from 1.

        ranked: numbers of the rare diseases that `aggregate.rare` is of, in its order.
        """
        of_common = np.arange(len(aggregate.common))
        of_rare = self._first_rare + ranked[: len(aggregate.rare)]
        number = np.concatenate((of_common, of_rare))
        probability = np.concatenate((aggregate.common, aggregate.rare))
        first = np.lexsort((self._place[number], -probability))[:limit]
        listed = zip(number[first].tolist(), probability[first].tolist(), strict=True)
        return tuple(self._ranked(listed))

    def _ranked(self, listed: Iterable[tuple[int, float]]) -> Iterable[Candidate]:
        for rank, (number, probability) in enumerate(listed, start=1):
            disease = self._diseases[number]
            yield Candidate(
                rank=rank,
                disease=disease,
                probability=probability,
                band=band_of(probability),
                world=World.COMMON if disease in self._of_common else World.RARE,
                severity=self._severity(disease),
            )
