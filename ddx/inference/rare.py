"""Rare-disease retrieval: a likelihood ratio of every disease in the annotations.

A finding multiplies the odds of a disease by P(finding | disease) / P(finding). Where the
disease is not annotated with the finding itself, its nearest annotated kinds speak for it:
of the patients with an ancestor, a share P(finding) / P(ancestor) shows the finding, so that
P(finding) cancels and the ratio is frequency(ancestor) / P(ancestor), discounted. A share
`noise` of findings has nothing to do with the disease and counts as chance:

    present:  log(noise + (1 - noise) * max over a of weight(a) * (frequency(a) / P(a)) ** e(a))
    excluded: weight * (log(1 - strength * frequency ** x) - log(1 - strength * P ** x))

with a over the finding (weight and e are 1) and its phenotypic ancestors (`ancestor_weight`,
`ancestor_exponent`), x the `excluded_exponent`, and P the mean frequency over all diseases.
Unknown findings change nothing. After LIRICAL (Robinson et al., Am J Hum Genet
2020;107:403-417), with a back-off of our own for findings that are not annotated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import HPO_TERMS, Artifacts
from ddx.domain.identifiers import DiseaseId
from ddx.features.rare_index import FREQUENCY_STEPS, RareIndex
from ddx.features.rare_query import RareQuery
from ddx.features.rare_tables import Profile
from ddx.features.remembered import remembered
from ddx.terminology.ontology import Ontology

Floats = NDArray[np.float64]
F = TypeVar("F", float, Floats)

FREQUENCIES: Final = np.arange(FREQUENCY_STEPS + 1) / FREQUENCY_STEPS
"""Frequency by code: a finding is weighed once per code, not once per disease."""

TERMS_KEPT: Final = 128
"""Findings whose ratios are kept for all diseases (0.1 MB each): what most cases mention."""

KINDS_KEPT: Final = 512
"""Terms whose beliefs by code are kept (2 kB each): those that many findings are a kind of."""

DEFAULT_LIMIT: Final = 200
"""Candidates handed to the learned ranker; what the recall bar of the first stage counts."""


@dataclass(frozen=True, slots=True)
class RareRetrieval:
    """The candidates of one query, best first; the learned ranker re-orders them.

    indices: int32, numbers of diseases in `RareRanker.diseases`. scores: float64, same length,
    sum of log likelihood ratios; equal scores keep the order of the diseases.
    """

    query: RareQuery
    indices: NDArray[np.int32]
    scores: Floats


@dataclass(frozen=True, slots=True)
class RareEvidence:
    """Log likelihood ratios of one disease, one per term of `query.present` and `.excluded`."""

    present: tuple[float, ...]
    excluded: tuple[float, ...]

    @property
    def score(self) -> float:
        """Sum of all log likelihood ratios."""
        return sum(self.present) + sum(self.excluded)


class RareRanker:
    """Scores every disease of the index against a query.

    What a finding says does not depend on the case: that of the last ones asked about is kept.
    """

    def __init__(self, index: RareIndex) -> None:
        self.index = index
        self._present_ratios = remembered(TERMS_KEPT, self._weigh_everywhere)
        self._kinds = remembered(None, self._look_up_kinds)
        self._beliefs = remembered(KINDS_KEPT, self._look_up_beliefs)
        self._refutations = self._refutation(FREQUENCIES)

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts, ontology: Ontology | None = None) -> Self:
        """Return the ranker of a bundle.

        ontology: that of the bundle's catalogue, when already loaded.

        Raises:
            ModelError: a member is missing or malformed, or index and vocabulary disagree.
        """
        graph = ontology or Ontology.from_json(artifacts.read(HPO_TERMS))
        return cls(RareIndex.from_artifacts(artifacts, graph))

    @property
    def diseases(self) -> tuple[DiseaseId, ...]:
        """Disease ids by number, ascending: of each, the code it is listed under."""
        return self.index.diseases

    def retrieve(
        self,
        query: RareQuery,
        limit: int = DEFAULT_LIMIT,
        replaced: Mapping[int, Profile] | None = None,
    ) -> RareRetrieval:
        """Return the `limit` best diseases. A query without findings retrieves none.

        replaced: disease number -> profile to score instead of the one in the index.
        """
        scores = self.score_all(query)
        for number, profile in (replaced or {}).items():
            scores[number] = self.weigh(query, _shares_of(profile)).score
        kept = limit if query else 0
        best = _first(scores, kept)
        return RareRetrieval(query, best, scores[best])

    def score_all(self, query: RareQuery) -> Floats:
        """Return the score of every disease: float64, by disease number, 0 for no findings."""
        scores = np.zeros(len(self.diseases))
        for term in query.present:
            scores += self._present_ratios(term.index)
        for term in query.excluded:
            self._add_excluded_ratios(scores, term.index)
        return scores

    def score_profiles(self, query: RareQuery, codes: NDArray[np.uint8]) -> Floats:
        """Return the score of profiles that are not in the index: float64 (n,).

        codes: uint8 (n, terms of the ontology), propagated frequencies as the index stores them.
        A profile equal to one in the index scores exactly what `score_all` says.
        """
        scores = np.zeros(len(codes))
        for term in query.present:
            best = np.zeros(len(codes))
            for kind, chance in self._kinds(term.index):
                beliefs = self._belief(FREQUENCIES, chance, itself=kind == term.index)[
                    codes[:, kind]
                ]
                best = np.maximum(best, beliefs)
            scores += self._with_noise(best)
        for term in query.excluded:
            scores -= self._usual_refutation(term.index)
            scores += self._refutations[codes[:, term.index]]
        return scores

    def evidence(self, query: RareQuery, disease: int) -> RareEvidence:
        """Return the terms of one disease's score. They sum to its score within 1e-9."""
        shares = self.index.shares_of(disease)
        return self.weigh(query, lambda term: shares.get(term, 0.0))

    def weigh(self, query: RareQuery, frequency: Callable[[int], float]) -> RareEvidence:
        """Return the evidence for a profile given as ontology index -> propagated frequency.

        The profile need not be in the index: the evaluation asks what a disease would score
        without the paper that describes the patient.
        """
        beliefs = [self._strongest(term.index, frequency) for term in query.present]
        present = self._with_noise(np.array(beliefs, dtype=np.float64))
        shares = [frequency(term.index) for term in query.excluded]
        own = self._refutation(np.array(shares, dtype=np.float64))
        usual = [self._usual_refutation(term.index) for term in query.excluded]
        return RareEvidence(
            present=tuple(present.tolist()),
            excluded=tuple(float(o - u) for o, u in zip(own, usual, strict=True)),
        )

    def _look_up_kinds(self, term: int) -> tuple[tuple[int, float], ...]:
        """Return the term and its ancestors that diseases show, each with its chance.

        Ontology indexes; chance: mean frequency over all diseases.
        """
        lineage = self.index.ontology.lineage(term)
        shown = lineage[self.index.background[lineage] > 0]
        return tuple(zip(shown.tolist(), self.index.background[shown].tolist(), strict=True))

    def _belief(self, frequency: F, chance: float, *, itself: bool) -> F:
        """Return what the frequency of a kind says of a term, as a ratio to chance.

        itself: the kind is the term, not an ancestor of it.
        """
        ratio: F = frequency / chance
        if itself:
            return ratio
        p = self.index.parameters
        discounted: F = p.ancestor_weight * ratio**p.ancestor_exponent
        return discounted

    def _weigh_everywhere(self, term: int) -> Floats:
        """Return the log ratio of a finding seen, float64 by disease number; not to be changed."""
        best = np.zeros(len(self.diseases))
        for kind, chance in self._kinds(term):
            ratios = self._beliefs(chance, itself=kind == term)
            everywhere = self.index.row_of(kind)
            if everywhere is not None:
                np.maximum(best, ratios.take(everywhere), out=best)
            else:
                diseases, codes = self.index.postings(kind)
                best[diseases] = np.maximum(best[diseases], ratios[codes])
        ratios = self._with_noise(best)
        ratios.setflags(write=False)
        return ratios

    def _look_up_beliefs(self, chance: float, *, itself: bool) -> Floats:
        """Return `_belief` of every code; not to be changed."""
        return self._belief(FREQUENCIES, chance, itself=itself)

    def _strongest(self, term: int, frequency: Callable[[int], float]) -> float:
        """Return the ratio to chance of a finding seen, before noise."""
        p, own, best = self.index.parameters, 0.0, 0.0
        for kind, chance in self._kinds(term):
            share = frequency(kind)
            if kind == term:
                own = share / chance
            elif share and share / chance > best:
                best = share / chance
        return max(own, p.ancestor_weight * best**p.ancestor_exponent) if best else own

    def _with_noise(self, ratio: Floats) -> Floats:
        noise = self.index.parameters.noise
        log_ratio: Floats = np.log(noise + (1 - noise) * ratio)
        return log_ratio

    def _add_excluded_ratios(self, scores: Floats, term: int) -> None:
        scores -= self._usual_refutation(term)
        diseases, codes = self.index.postings(term)
        scores[diseases] += self._refutations[codes]

    def _usual_refutation(self, term: int) -> np.float64:
        """Return what not seeing a finding says when nothing is known of the disease."""
        return np.float64(self._refutation(self.index.background[term]))

    def _refutation(self, frequency: Floats) -> Floats:
        """Return the log probability, weighted, of not seeing a finding of this frequency."""
        p = self.index.parameters
        doubt: Floats = -p.excluded_strength * frequency**p.excluded_exponent
        return p.excluded_weight * np.log1p(doubt)


def _first(scores: Floats, kept: int) -> NDArray[np.int32]:
    """Return where the `kept` highest scores are, best first; equal ones in their own order."""
    if not 0 < kept < len(scores):
        return np.argsort(-scores, kind="stable")[:kept].astype(np.int32)
    least = np.partition(scores, -kept)[-kept]
    near = np.flatnonzero(scores >= least)
    return near[np.argsort(-scores[near], kind="stable")[:kept]].astype(np.int32)


def _shares_of(profile: Profile) -> Callable[[int], float]:
    return lambda term: float(profile.shares[term])
