"""What the pair features need that no query changes: built once per bundle.

Information content of a term is -log(share of diseases that show it), natural logarithm
(Resnik 1995, IJCAI:448-453; for HPO: Koehler et al. 2009, Am J Hum Genet 85:457-464).
"""

from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.errors import ModelError
from ddx.features.rare_descent import Descent, Places
from ddx.features.rare_facts import RareFacts
from ddx.features.rare_index import RareIndex

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One entry per annotation.

    place: of the term, as `Descent` counts. share: frequency, UNSTATED where none is stated.
    content: of the term. sizes: annotations of each disease, one disease after another.
    """

    place: Places
    share: Floats
    content: Floats
    sizes: Places

    def of(self, starts: Numbers, sizes: Places) -> "Described":
        """Return the annotations of some diseases: `sizes` of them from each of `starts` on."""
        at = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
        at += np.arange(len(at))
        return Described(
            place=self.place[at], share=self.share[at], content=self.content[at], sizes=sizes
        )

    @property
    def owner(self) -> Places:
        """Position of the disease of each annotation."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)


OBLIGATE: Final = 0.8
"""HPO calls a finding "very frequent" from 80 % of patients (HP:0040281)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over the annotations of each disease, float32 (n,), whatever the case.

    count: 1. share: frequency. shown: 1 where some patient showed it. content: of the terms.
    heavy: share times content. obligate: 1 from OBLIGATE on. stated: 1 where one is stated.
    """

    count: Floats
    share: Floats
    shown: Floats
    content: Floats
    heavy: Floats
    obligate: Floats
    stated: Floats

    @classmethod
    def over(cls, described: Described, stated: NDArray[np.bool_]) -> Self:
        """Return the sums of each disease. stated: bool by annotation."""
        owner, n, share = described.owner, len(described.sizes), described.share

        def total(values: NDArray[Any]) -> Floats:
            return summed(values, owner, n)

        return cls(
            count=total(np.ones_like(share)),
            share=total(share),
            shown=total(share > 0),
            content=total(described.content),
            heavy=total(share * described.content),
            obligate=total(share >= OBLIGATE),
            stated=total(stated),
        )

    def of(self, diseases: Numbers) -> "Sums":
        """Return the sums of some diseases, as copies."""
        return Sums(**{name: getattr(self, name)[diseases] for name in self.__slots__})


def summed(values: NDArray[Any], owner: Places, n: int) -> Floats:
    """Return the sum of an annotation-wise array per disease, float32 (n,), added in float64."""
    return np.bincount(owner, values.astype(np.float64), minlength=n).astype(np.float32)


UNSTATED: Final = 0.9
"""Frequency of a finding whose annotation states none; as `training.fit.rare` assumes."""


@dataclass(slots=True)
class RareTables:
    """The query-independent half: built once per bundle (about 0.1 s for 10,000 diseases).

    content: float32 by ontology index. closure: float32 per disease, content of its closure.
    columns: int32 by ontology index, column of the term in the index, -1 where it has none.
    starts, terms, stated: all profiles one after another, as in `Profile`; starts: n + 1.
    described, sums: what the annotations of all diseases say. descent: the graph of the terms.
    """

    index: RareIndex
    facts: RareFacts
    content: Floats = field(init=False)
    closure: Floats = field(init=False)
    columns: Numbers = field(init=False)
    starts: Numbers = field(init=False)
    terms: Numbers = field(init=False)
    stated: Floats = field(init=False)
    described: Described = field(init=False)
    sums: Sums = field(init=False)
    descent: Descent = field(init=False)

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
        self.descent = Descent(index.ontology)
        self.described, self.sums = self.describe(self.terms, self.stated, np.diff(self.starts))

    def describe(self, terms: Numbers, stated: Floats, sizes: Numbers) -> tuple[Described, Sums]:
        """Return what annotations say, and their sums. terms, stated: as in `Profile`.

        sizes: how many annotations each disease has, one disease after another.
        """
        unstated = np.isnan(stated)
        described = Described(
            place=self.descent.place[terms],
            share=np.where(unstated, np.float32(UNSTATED), stated),
            content=self.content[terms],
            sizes=sizes.astype(np.intp),
        )
        return described, Sums.over(described, ~unstated)

    def profile(self, disease: int) -> tuple[Numbers, Floats]:
        """Return `terms` and `stated` of one disease."""
        span = slice(int(self.starts[disease]), int(self.starts[disease + 1]))
        return self.terms[span], self.stated[span]


def latent_vector(tables: RareTables, terms: Numbers, shares: Floats) -> Floats:
    """Return the unit vector of what is shown: shares weighed by content, in latent space.

    terms: ontology indexes, ascending; those without a column count for nothing. shares: of each.
    """
    known = tables.columns[terms] >= 0
    terms, weights = terms[known], shares[known] * tables.content[terms[known]]
    vector = weights @ tables.facts.term_vectors[tables.columns[terms]]
    unit: Floats = (vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32)
    return unit
