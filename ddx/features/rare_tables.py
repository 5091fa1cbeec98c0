"""What the pair features need that no query changes: built once per bundle.

Information content of a term is -log(share of diseases that show it), natural logarithm
(Resnik 1995, IJCAI:448-453; for HPO: Koehler et al. 2009, Am J Hum Genet 85:457-464).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ddx.errors import ModelError
from ddx.features.rare_descent import Descent, Places
from ddx.features.rare_facts import RareFacts
from ddx.features.rare_index import NOT_STATED, STATED_STEPS, RareIndex
from ddx.features.remembered import remembered

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
class Lineage:
    """A term and its ancestors as far as diseases show them.

    kinds: int32, ontology indexes, ascending, then `RareTables.nobody`. own: where the term itself
    is among them, at the end where no disease shows it.
    """

    kinds: Numbers
    own: int


LINEAGES_KEPT: Final = 2048
"""Terms whose lineages are kept, 0.2 kB each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One entry per annotation of some diseases, one disease after another.

    owner: intp, position of the disease. place: intp, of the term, as `Descent` counts.
    share: frequency, UNSTATED where none is stated. content: of the term.
    """

    owner: Places
    place: Places
    share: Floats
    content: Floats


OBLIGATE: Final = 0.8
"""HPO calls a finding "very frequent" from 80 % of patients (HP:0040281)."""

UNSTATED: Final = 0.9
"""Frequency of a finding whose annotation states none; as `training.fit.rare` assumes."""


class Sum(IntEnum):
    """What is summed over the annotations of a disease, whatever the case: columns of `sums`.

    COUNT: 1. SHARE: frequency. SHOWN: 1 where some patient showed it. CONTENT: of the term.
    HEAVY: share times content. OBLIGATE: 1 from OBLIGATE on. STATED: 1 where a share is stated.
    """

    COUNT = 0
    SHARE = 1
    SHOWN = 2
    CONTENT = 3
    HEAVY = 4
    OBLIGATE = 5
    STATED = 6


def sums_over(described: Described, stated: NDArray[np.bool_], n: int) -> Floats:
    """Return the sums of each of n diseases, (n, len(Sum)). stated: bool by annotation."""
    share, content = described.share, described.content
    summands = {
        Sum.COUNT: np.ones_like(share),
        Sum.SHARE: share,
        Sum.SHOWN: share > 0,
        Sum.CONTENT: content,
        Sum.HEAVY: share * content,
        Sum.OBLIGATE: share >= OBLIGATE,
        Sum.STATED: stated,
    }
    sums = np.empty((n, len(Sum)), dtype=np.float32)
    for column, values in summands.items():
        sums[:, column] = summed(values, described.owner, n)
    return sums


def summed(values: NDArray[Any], owner: Places, n: int) -> Floats:
    """Return the sum of an annotation-wise array per disease, float32 (n,), added in float64."""
    return np.bincount(owner, values.astype(np.float64), minlength=n).astype(np.float32)


@dataclass(slots=True, weakref_slot=True)
class RareTables:
    """The query-independent half: built once per bundle (about 0.1 s for 10,000 diseases).

    content: float32 by ontology index. closure: float32 per disease, content of its closure.
    columns: int32 by ontology index, column of the term in the index, -1 where it has none.
    starts, terms, stated: all profiles one after another, as in `Profile`; starts: n + 1.
    places: of `terms`, in the smallest type. sums: (n, len(Sum)). descent: the graph of the terms;
    content_by_place: content in its order. lineage: of a term, by ontology index.
    nobody: an index no term has, which no disease shows. chance, divisor, weight: float32 by
    ontology index and for `nobody`: mean frequency over all diseases; the same to divide by, 1
    where it is 0; content, 0 for `nobody`.
    """

    index: RareIndex
    facts: RareFacts
    content: Floats = field(init=False)
    closure: Floats = field(init=False)
    columns: Numbers = field(init=False)
    starts: Numbers = field(init=False)
    terms: Numbers = field(init=False)
    stated: Floats = field(init=False)
    places: NDArray[np.unsignedinteger[Any]] = field(init=False)
    sums: Floats = field(init=False)
    descent: Descent = field(init=False)
    content_by_place: Floats = field(init=False)
    lineage: Callable[[int], Lineage] = field(init=False)
    nobody: int = field(init=False)
    chance: Floats = field(init=False)
    divisor: Floats = field(init=False)
    weight: Floats = field(init=False)
    _share_of_code: Floats = field(init=False)

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
        self.content_by_place = np.empty_like(self.content)
        self.content_by_place[self.descent.place] = self.content
        self.lineage = remembered(LINEAGES_KEPT, self._find_lineage)
        self.nobody = len(index.ontology)
        self.chance = np.append(index.background.astype(np.float32), np.float32(0))
        self.divisor = np.where(self.chance > 0, self.chance, np.float32(1))
        self.weight = np.append(self.content, np.float32(0))
        self._share_of_code = (np.arange(256) / STATED_STEPS).astype(np.float32)
        self._share_of_code[NOT_STATED] = UNSTATED
        places = self.descent.place[self.terms]
        self.places = places.astype(np.min_scalar_type(self.nobody))
        everyone = self.described(np.arange(n, dtype=np.int32))
        self.sums = sums_over(everyone, ~np.isnan(self.stated), n)

    def described(self, diseases: Numbers) -> Described:
        """Return the annotations of some diseases.

        A visit looks at thousands, scattered over all: what is read of each is kept small.
        """
        starts = self.starts.take(diseases)
        sizes = self.starts.take(diseases + 1) - starts
        at = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
        at += np.arange(len(at), dtype=at.dtype)
        share = self._share_of_code.take(self.index.profile_codes.take(at))
        return self._described(sizes, self.places.take(at).astype(np.intp), share)

    def describe(self, profiles: Sequence[tuple[Numbers, Floats]]) -> tuple[Described, Floats]:
        """Return the same of profiles that may not be those of the index, and their sums.

        profiles: `terms` and `stated` of each disease.
        """
        sizes = np.array([len(terms) for terms, _ in profiles])
        terms = np.concatenate([terms for terms, _ in profiles])
        stated = np.concatenate([stated for _, stated in profiles])
        share = np.where(np.isnan(stated), np.float32(UNSTATED), stated)
        described = self._described(sizes, self.descent.place[terms], share)
        return described, sums_over(described, ~np.isnan(stated), len(profiles))

    def _described(
        self, sizes: NDArray[np.integer[Any]], place: Places, share: Floats
    ) -> Described:
        return Described(
            owner=np.repeat(np.arange(len(sizes)), sizes),
            place=place,
            share=share,
            content=self.content_by_place.take(place),
        )

    def profile(self, disease: int) -> tuple[Numbers, Floats]:
        """Return `terms` and `stated` of one disease."""
        span = slice(int(self.starts[disease]), int(self.starts[disease + 1]))
        return self.terms[span], self.stated[span]

    def _find_lineage(self, term: int) -> Lineage:
        lineage = self.index.ontology.lineage(term)
        shown = lineage[self.index.background[lineage] > 0]
        at = np.flatnonzero(shown == term)
        return Lineage(
            kinds=np.append(shown, np.int32(self.nobody)),
            own=int(at[0]) if len(at) else len(shown),
        )


def latent_vector(tables: RareTables, terms: Numbers, shares: Floats) -> Floats:
    """Return the unit vector of what is shown: shares weighed by content, in latent space.

    terms: ontology indexes, ascending; those without a column count for nothing. shares: of each.
    """
    known = tables.columns.take(terms) >= 0
    terms, shares = terms[known], shares[known]
    weights = shares * tables.content.take(terms)
    vector = weights @ tables.facts.term_vectors.take(tables.columns.take(terms), axis=0)
    unit: Floats = (vector / max(float(np.sqrt(vector @ vector)), 1e-9)).astype(np.float32)
    return unit
