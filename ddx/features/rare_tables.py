"""What the pair features need that no query changes: built once per bundle.

Information content of a term is -log(share of diseases that show it), natural logarithm
(Resnik 1995, IJCAI:448-453; for HPO: Koehler et al. 2009, Am J Hum Genet 85:457-464).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ddx.errors import ModelError
from ddx.features.rare_facts import RareFacts
from ddx.features.rare_index import RareIndex
from ddx.terminology.ontology import Ontology

Floats = NDArray[np.float32]
Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One disease's annotations, to stand in for those of the index.

    terms: int32, ontology indexes as curated. stated: float32, same length, nan where the
    annotation states no frequency. shares: float32 by ontology index, propagated frequency.
    facts: float32 (len(FACTS),).
    """

    terms: Numbers
    stated: Floats
    shares: Floats
    facts: Floats


@dataclass(slots=True)
class RareTables:
    """The query-independent half: built once per bundle (about 0.1 s for 10,000 diseases).

    content: float32 by ontology index. closure: float32 per disease, content of its closure.
    columns: int32 by ontology index, column of the term in the index, -1 where it has none.
    starts, terms, stated: all profiles one after another, as in `Profile`; starts: n + 1.
    """

    index: RareIndex
    facts: RareFacts
    content: Floats = field(init=False)
    closure: Floats = field(init=False)
    columns: Numbers = field(init=False)
    starts: Numbers = field(init=False)
    terms: Numbers = field(init=False)
    stated: Floats = field(init=False)
    _levels: list[tuple[Numbers, Numbers, Numbers]] = field(init=False)

    def __post_init__(self) -> None:
        """Raises ModelError when facts and index do not describe the same diseases and terms."""
        index, n = self.index, len(self.index.diseases)
        shown = np.flatnonzero(index.background > 0).astype(np.int32)
        shown = np.array(sorted(shown.tolist(), key=index.ontology.ids.__getitem__), dtype=np.int32)
        if len(self.facts) != n or len(self.facts.term_vectors) != len(shown):
            raise ModelError("rare facts: written for another rare index")
        self.columns = np.full(len(index.ontology), -1, dtype=np.int32)
        self.columns[shown] = np.arange(len(shown))
        self.content = np.full(len(index.ontology), np.log(max(n, 2)), dtype=np.float32)
        closure = np.zeros(n)
        for term in shown.tolist():
            diseases, _ = index.postings(term)
            self.content[term] = -np.log(max(len(diseases), 1) / n)
            closure[diseases] += self.content[term]
        self.closure = closure.astype(np.float32)
        self.starts, self.terms, self.stated = index.profiles()
        self._levels = _levels(index.ontology)

    def profile(self, disease: int) -> tuple[Numbers, Floats]:
        """Return `terms` and `stated` of one disease."""
        span = slice(int(self.starts[disease]), int(self.starts[disease + 1]))
        return self.terms[span], self.stated[span]

    def spread_down(self, values: Floats) -> Floats:
        """Return, per term, the largest of `values` over the term and all its ancestors."""
        best = values.copy()
        for children, parents, starts in self._levels:
            inherited = np.maximum.reduceat(best[parents], starts)
            best[children] = np.maximum(best[children], inherited)
        return best


def latent_vector(tables: RareTables, shares: Floats) -> Floats:
    """Return the unit vector of what is shown: shares weighed by content, in latent space."""
    terms = np.flatnonzero((shares > 0) & (tables.columns >= 0))
    weights = shares[terms] * tables.content[terms]
    vector = weights @ tables.facts.term_vectors[tables.columns[terms]]
    unit: Floats = (vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32)
    return unit


def _levels(ontology: Ontology) -> list[tuple[Numbers, Numbers, Numbers]]:
    """Return terms in layers, parents always in an earlier one: children, parents, starts."""
    offsets, links = ontology.links
    counts = np.diff(offsets)
    depth = np.where(counts == 0, 0, -1)
    waiting = np.flatnonzero(counts)
    layers: list[tuple[Numbers, Numbers, Numbers]] = []
    while len(waiting):
        parents, starts = _runs(links, offsets[waiting], counts[waiting])
        ready = np.logical_and.reduceat(depth[parents] >= 0, starts)
        layer = waiting[ready]
        if not len(layer):
            raise ModelError(f"HPO {ontology.version} is not acyclic")
        depth[layer] = len(layers) + 1
        waiting = waiting[~ready]
        layers.append((layer.astype(np.int32), *_runs(links, offsets[layer], counts[layer])))
    return layers


def _runs(values: Numbers, begins: Numbers, lengths: Numbers) -> tuple[Numbers, Numbers]:
    """Return runs of `values` one after another, and where each starts there."""
    starts = (np.cumsum(lengths) - lengths).astype(np.int32)
    at = np.repeat(begins - starts, lengths) + np.arange(lengths.sum())
    return values[at], starts
