"""What is said of a term reaches all its kinds, whatever way down the graph there is."""

import numpy as np
import pytest

from ddx.errors import ModelError
from ddx.features.rare_descent import Descent
from ddx.terminology.ontology import Ontology


def graph(*terms):
    return Ontology("toy", [(term, parents, ()) for term, parents in terms])


def spread(ontology, **said):
    descent = Descent(ontology)
    terms = np.array([ontology.index_of(term) for term in said], dtype=np.int32)
    found = descent.spread(terms, np.array(list(said.values()), dtype=np.float32))
    return {term: float(found[descent.place[i]]) for i, term in enumerate(ontology.ids)}


DIAMOND = graph(
    ("d", ("b", "c")), ("c", ("a",)), ("b", ("a",)), ("a", ()), ("e", ("d", "a")), ("f", ())
)
"""Listed with kinds before what they are kinds of; e hangs from two terms of different depth."""


def test_the_largest_value_above_a_term_holds_for_it():
    assert spread(DIAMOND, a=1, b=3, c=2) == {"a": 1, "b": 3, "c": 2, "d": 3, "e": 3, "f": 0}


def test_nothing_climbs():
    assert spread(DIAMOND, e=5, f=4) == {"a": 0, "b": 0, "c": 0, "d": 0, "e": 5, "f": 4}


def test_a_random_graph_is_spread_as_its_lineages_say():
    rng = np.random.default_rng(7)
    names = [f"t{i}" for i in range(60)]
    ontology = graph(
        *(
            (n, tuple({names[j] for j in rng.integers(0, i, 3)} if i else ()))
            for i, n in enumerate(names)
        )
    )
    values = rng.random(60).astype(np.float32)
    found = Descent(ontology).spread(np.arange(60), values)
    place = Descent(ontology).place
    for term in range(60):
        assert found[place[term]] == values[ontology.lineage(term)].max()


def test_what_is_under_a_term_is_itself_and_all_its_kinds():
    descent = Descent(DIAMOND)
    under = set(descent.under(DIAMOND.index_of("b")).tolist())
    assert under == {int(descent.place[DIAMOND.index_of(term)]) for term in "bde"}


def test_a_circle_is_refused():
    with pytest.raises(ModelError, match="not acyclic"):
        Descent(graph(("a", ()), ("b", ("c",)), ("c", ("b",))))
