"""One list of both worlds: every disease that was answered, by probability, as candidates."""

from collections.abc import Callable
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
        self._diseases, self._first_rare = (*common, *rare), len(common)
        of_common = frozenset(common)
        self._worlds = tuple(
            World.COMMON if disease in of_common else World.RARE for disease in self._diseases
        )
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
        return tuple(
            Candidate(
                rank=rank,
                disease=self._diseases[at],
                probability=share,
                band=band_of(share),
                world=self._worlds[at],
                severity=self._severity(self._diseases[at]),
            )
            for rank, (at, share) in enumerate(listed, start=1)
        )
