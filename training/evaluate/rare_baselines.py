"""Similarity of a case to every disease at once: the baselines of the rare benchmark.

Phenomizer-style: mean over the findings of the most informative term each shares with the
disease (Köhler et al. 2009, Am J Hum Genet 85:457-464, the score without its p-value). Resnik
best-match average: mean of that and of the same seen from the disease's annotations (Pesquita et
al. 2008, BMC Bioinformatics 9:S4). Exact, over all diseases; `training.evaluate.rare_learned`
checks them against the pyhpo package.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ddx.features.rare_evidence import PairEvidence
from ddx.features.rare_pairs import resnik_case, resnik_disease
from ddx.features.rare_query import RareQuery
from ddx.features.rare_tables import RareTables

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Similarities:
    """Of one case to n diseases: float64 (n,) each."""

    phenomizer: Floats
    best_match_average: Floats

    def of(self, other: "Similarities", at: NDArray[np.int64]) -> "Similarities":
        """Return these with the values of `other` (one each) at the diseases `at`."""
        mixed = [a.copy() for a in (self.phenomizer, self.best_match_average)]
        mixed[0][at], mixed[1][at] = other.phenomizer, other.best_match_average
        return Similarities(*mixed)


class SimilarityBaseline:
    """Both similarities over every disease of the index, about 10 ms a case."""

    def __init__(self, tables: RareTables) -> None:
        self._tables = tables
        shown = ~(tables.stated == 0)  # nan: no frequency stated, so it counts as shown
        owner = np.repeat(np.arange(len(tables.starts) - 1), np.diff(tables.starts))
        self._places, self._owner = tables.places[shown], owner[shown]
        self._counts = np.maximum(np.bincount(self._owner, minlength=len(tables.starts) - 1), 1)

    def similarities(self, query: RareQuery) -> Similarities:
        """Return the similarity of a case to every disease; 0 without findings seen."""
        one_way = self._from_case(query)
        return Similarities(one_way, (one_way + self._from_diseases(query)) / 2)

    def _from_case(self, query: RareQuery) -> Floats:
        index, content = self._tables.index, self._tables.content
        total = np.zeros(len(self._counts))
        for term in query.present:
            lineage = index.ontology.lineage(term.index)
            shared = np.zeros(len(total))
            for kind in lineage[np.argsort(content[lineage], kind="stable")].tolist():
                shared[index.postings(kind)[0]] = content[kind]  # ascending: the best stays
            total += shared
        return total / max(len(query.present), 1)

    def _from_diseases(self, query: RareQuery) -> Floats:
        tables = self._tables
        none = np.zeros(0, dtype=np.int32)
        lineages = (tables.lineage(term.index).kinds[:-1] for term in query.present)
        said = np.unique(np.concatenate([none, *lineages]))
        match = tables.descent.spread(said, tables.content[said])[self._places].astype(np.float64)
        return np.bincount(self._owner, match, minlength=len(self._counts)) / self._counts


def of_evidence(evidence: PairEvidence) -> Similarities:
    """Return the same from gathered evidence: for few candidates, or for replaced profiles."""
    one_way = resnik_case(evidence).astype(np.float64)
    return Similarities(one_way, (one_way + resnik_disease(evidence)) / 2)
