"""The HPO graph in compact arrays: who is a kind of whom.

Built from `vocabulary/hpo_terms.json` of the active bundle. Loading touches each term once;
ancestors and descendants are worked out when first asked for, and ancestors are kept.
"""

import json
from collections.abc import Iterable
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import FindingId
from ddx.errors import ModelError, UnknownFindingError

PHENOTYPIC_ABNORMALITY: Final = FindingId("HP:0000118")
"""Root of what a patient can show; HPO keeps inheritance, onset and modifiers elsewhere."""

TermLinks = tuple[str, Iterable[str], Iterable[str]]
"""One term as the graph needs it: id, ids of its parents, alternative ids."""


class Ontology:
    """A directed acyclic graph of terms.

    A term has an index, 0..len - 1, in the order given; arrays elsewhere are keyed by it.
    Methods that take an id accept alternative ids too and raise UnknownFindingError for what
    the release does not hold.
    """

    __slots__ = (
        "_ancestors",
        "_children",
        "_index",
        "_lineages",
        "_offsets",
        "_parents",
        "_subclasses",
        "_superclasses",
        "ids",
        "version",
    )

    def __init__(self, version: str, terms: Iterable[TermLinks]) -> None:
        """Build the graph. Raises ModelError when a parent is not a term of the release."""
        rows = list(terms)
        self.version = version
        self.ids = tuple(FindingId(row[0]) for row in rows)
        self._index: dict[str, int] = {term: i for i, term in enumerate(self.ids)}
        try:
            parents = [[self._index[parent] for parent in row[1]] for row in rows]
        except KeyError as error:
            raise ModelError(f"HPO {version}: parent {error} is not a term") from error
        for i, row in enumerate(rows):
            for alternative in row[2]:
                self._index.setdefault(alternative, i)
        self._offsets = np.cumsum([0, *map(len, parents)], dtype=np.int32)
        self._parents = np.array([p for ps in parents for p in ps], dtype=np.int32)
        self._ancestors: dict[int, NDArray[np.int32]] = {}
        self._lineages: dict[int, frozenset[int]] = {}
        self._superclasses: dict[int, tuple[FindingId, ...]] = {}
        self._subclasses: dict[int, tuple[FindingId, ...]] = {}
        self._children: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Return the graph of a `vocabulary/hpo_terms.json` member.

        Raises:
            ModelError: not the JSON this member must be.
        """
        try:
            member = json.loads(raw)
            return cls(
                member["version"], ((t["id"], t["parents"], t["alt"]) for t in member["terms"])
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"hpo_terms.json cannot be read: {error!r}") from error

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, id: object) -> bool:
        return id in self._index

    def index_of(self, id: FindingId) -> int:
        """Return the index of `id`. Raises UnknownFindingError."""
        try:
            return self._index[id]
        except KeyError as error:
            raise UnknownFindingError(id) from error

    def resolve(self, id: FindingId) -> FindingId:
        """Return the primary id of `id`. Raises UnknownFindingError."""
        return self.ids[self.index_of(id)]

    def parents(self, id: FindingId) -> tuple[FindingId, ...]:
        """Return the direct superclasses of `id`, as the release lists them."""
        return self._named(self._parents_of(self.index_of(id)))

    @property
    def links(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Direct superclasses of all terms by index: offsets (n + 1), parents one after another."""
        return self._offsets, self._parents

    def ancestors(self, id: FindingId) -> tuple[FindingId, ...]:
        """Return every superclass of `id`, itself not among them, by index."""
        own = self.index_of(id)
        known = self._superclasses.get(own)
        if known is None:
            known = self._named(i for i in self.lineage(own).tolist() if i != own)
            self._superclasses[own] = known
        return known

    def descendants(self, id: FindingId) -> tuple[FindingId, ...]:
        """Return every subclass of `id`, itself not among them, by index."""
        own = self.index_of(id)
        known = self._subclasses.get(own)
        if known is None:
            reached = self._reach(own, *self._children_of_all())
            known = self._named(i for i in reached if i != own)
            self._subclasses[own] = known
        return known

    def is_a(self, id: FindingId, kind: FindingId) -> bool:
        """Return whether `id` is `kind` or a subclass of it."""
        return bool(np.any(self.lineage(self.index_of(id)) == self.index_of(kind)))

    def is_phenotype(self, id: FindingId) -> bool:
        """Return whether `id` is something a patient can show (under HP:0000118)."""
        return self.is_a(id, PHENOTYPIC_ABNORMALITY)

    def lineage(self, index: int) -> NDArray[np.int32]:
        """Return the term at `index` and all its ancestors: int32 indexes, ascending."""
        known = self._ancestors.get(index)
        if known is None:
            known = self._reach(index, self._offsets, self._parents)
            self._ancestors[index] = known
        return known

    def lineage_set(self, index: int) -> frozenset[int]:
        """Return what `lineage` does, as a set."""
        known = self._lineages.get(index)
        if known is None:
            known = self._lineages[index] = frozenset(self.lineage(index).tolist())
        return known

    def _parents_of(self, index: int) -> NDArray[np.int32]:
        return self._parents[self._offsets[index] : self._offsets[index + 1]]

    def _named(self, indexes: Iterable[int]) -> tuple[FindingId, ...]:
        return tuple(self.ids[i] for i in indexes)

    @staticmethod
    def _reach(
        start: int, offsets: NDArray[np.int32], links: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        seen, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            for there in links[offsets[here] : offsets[here + 1]].tolist():
                if there not in seen:
                    seen.add(there)
                    waiting.append(there)
        return np.array(sorted(seen), dtype=np.int32)

    def _children_of_all(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the parent links turned round: offsets by parent, then children."""
        if self._children is None:
            child = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self._offsets))
            order = np.argsort(self._parents, kind="stable")
            counts = np.bincount(self._parents, minlength=len(self))
            offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
            self._children = (offsets, child[order])
        return self._children
