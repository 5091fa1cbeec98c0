"""Explains a disease with the model of its world, or says why it cannot."""

from collections.abc import Sequence

from ddx.domain.differential import World
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import DiseaseId
from ddx.errors import ModelBlockedError, UnknownDiseaseError
from ddx.explain.common import CommonExplainer
from ddx.explain.rare import explain_rare
from ddx.explain.rare_learned import RareExplainer
from ddx.inference.rare import RareRanker
from ddx.reading import Reading

Explained = dict[DiseaseId, Explanation]


class Explainer:
    """Both explainers of one bundle. rare: None in a bundle without the learned stage."""

    __slots__ = ("_common", "_ranker", "_rare")

    def __init__(
        self, common: CommonExplainer, ranker: RareRanker, rare: RareExplainer | None
    ) -> None:
        self._common, self._ranker, self._rare = common, ranker, rare

    def explain(self, reading: Reading, diseases: Sequence[DiseaseId]) -> tuple[Explanation, ...]:
        """Return why each of `diseases` stands where it stands, in order.

        A disease that both models know is the common one's.

        Raises:
            UnknownDiseaseError: no model of the bundle knows the disease.
            ModelBlockedError: the model that knows it was stopped.
        """
        common = [d for d in diseases if d in self._common]
        rare = [d for d in diseases if d not in self._common and d in self._ranker.index]
        explained = self._by_common(reading, common) | self._by_rare(reading, rare)
        unknown = [disease for disease in diseases if disease not in explained]
        if unknown:
            raise UnknownDiseaseError(unknown[0])
        return tuple(explained[disease] for disease in diseases)

    def _by_common(self, reading: Reading, diseases: Sequence[DiseaseId]) -> Explained:
        if diseases:
            _check_open(World.COMMON, reading)
        return {disease: self._common.explain(reading.row, disease) for disease in diseases}

    def _by_rare(self, reading: Reading, diseases: Sequence[DiseaseId]) -> Explained:
        if not diseases:
            return {}
        _check_open(World.RARE, reading)
        if self._rare is None:
            return {d: explain_rare(self._ranker, reading.query, d) for d in diseases}
        return self._rare.explain_several(reading.patient, diseases, reading.ranking)


def _check_open(world: World, reading: Reading) -> None:
    if world in reading.models.blocked:
        raise ModelBlockedError(world.value)
