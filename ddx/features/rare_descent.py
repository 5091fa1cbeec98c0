"""What is said of a term holds for all its kinds: values spread down the graph, layer by layer.

Terms are kept in layers, parents always in an earlier one, so that a layer is one slice. Within a
layer terms with more parents come last: the second parents of a layer are those of its tail.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ddx.errors import ModelError
from ddx.features.remembered import remembered
from ddx.terminology.ontology import Ontology

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

TERMS_KEPT: Final = 256
"""Terms whose kinds are remembered: those that visits rule out."""


class _Step(NamedTuple):
    """Terms start..stop - 1, by place, and one parent of each."""

    start: int
    stop: int
    parents: Places


@dataclass(frozen=True, slots=True)
class _Layers:
    """Ontology indexes layer by layer, and where each layer ends."""

    terms: Places
    ends: list[int]


class Descent:
    """The graph of one ontology, ready to be walked down at once.

    place: intp by ontology index, where a term stands in what `spread` returns.
    """

    def __init__(self, ontology: Ontology) -> None:
        """Lay the graph out. Raises ModelError when it has a circle."""
        offsets, links = ontology.links
        layers = _layers(ontology)
        self.place = np.empty(len(ontology), dtype=np.intp)
        self.place[layers.terms] = np.arange(len(ontology))
        self._steps = list(_steps(layers, offsets, self.place[links]))
        self.under = remembered(TERMS_KEPT, self._find_under)

    def spread(self, terms: NDArray[np.integer[Any]], values: Floats) -> Floats:
        """Return the largest value of each term and all its ancestors, by place.

        values: float32, of `terms`, ontology indexes; of any other term it is 0.
        """
        best = np.zeros(len(self.place), dtype=np.float32)
        best[self.place.take(terms)] = values
        for start, stop, parents in self._steps:
            part = best[start:stop]
            np.maximum(part, best.take(parents), out=part)
        return best

    def _find_under(self, term: int) -> Places:
        """Return the places of a term and all its kinds; not to be changed."""
        said = self.spread(np.array([term]), np.ones(1, dtype=np.float32))
        places: Places = np.flatnonzero(said)
        return places


def _layers(ontology: Ontology) -> _Layers:
    offsets, links = ontology.links
    counts = np.diff(offsets)
    ready = counts == 0
    waiting = np.flatnonzero(~ready)
    layers = [np.flatnonzero(ready)]
    while len(waiting):
        starts = np.cumsum(counts[waiting]) - counts[waiting]
        at = np.repeat(offsets[waiting] - starts, counts[waiting])
        parents = links[at + np.arange(len(at))]
        now = np.logical_and.reduceat(ready[parents], starts)
        layer = waiting[now]
        if not len(layer):
            raise ModelError(f"HPO {ontology.version} is not acyclic")
        ready[layer] = True
        waiting = waiting[~now]
        layers.append(layer[np.argsort(counts[layer], kind="stable")])
    return _Layers(np.concatenate(layers), np.cumsum([len(layer) for layer in layers]).tolist())


def _steps(layers: _Layers, offsets: NDArray[np.int32], parents: Places) -> list[_Step]:
    """Return the steps of all layers. parents: places, of the ontology's links in its order."""
    steps: list[_Step] = []
    for start, stop in zip(layers.ends[:-1], layers.ends[1:], strict=True):
        terms = layers.terms[start:stop]
        first, counts = offsets[terms], np.diff(offsets)[terms]
        for nth in range(int(counts[-1])):
            tail = int(np.searchsorted(counts, nth, side="right"))
            steps.append(_Step(start + tail, stop, parents[first[tail:] + nth]))
    return steps
