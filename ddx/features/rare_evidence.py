"""Everything a query and its candidates say to each other, gathered once, before any feature.

`RareTables` holds what does not change between queries (information content, closures, facts);
`gather` reads the index for one query. All arrays are (findings, candidates) or (candidates,).
A candidate's profile may be replaced: training scores a disease without the paper or the source
that describes the patient, through this very code.

Information content of a term is -log(share of diseases that show it), natural logarithm
(Resnik 1995, IJCAI:448-453; for HPO: Koehler et al. 2009, Am J Hum Genet 85:457-464).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Sex
from ddx.errors import ModelError
from ddx.features.rare_facts import RareFacts
from ddx.features.rare_index import FREQUENCY_STEPS, RareIndex
from ddx.features.rare_query import RareQuery
from ddx.terminology.ontology import Ontology

Floats = NDArray[np.float32]
Numbers = NDArray[np.int32]

UNSTATED: Final = 0.9
"""Frequency of a finding whose annotation states none; as `training.fit.rare` assumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is known of a patient beside findings. age_years: None when unknown."""

    query: RareQuery
    age_years: float | None = None
    sex: Sex = Sex.UNKNOWN


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
class PairEvidence:
    """What one query and its candidates have to do with each other.

    own, kin: (n_present, n) frequency of the finding over chance, and the best such ratio among
    its ancestors. own_share: (n_present, n) frequency of the finding itself. shared: (n_present,
    n) information content of the most informative term that finding and disease have in common;
    weighed: the same with each term's content multiplied by its frequency.
    content: (n_present,) of the findings themselves. excluded_share: (n_excluded, n);
    excluded_chance: (n_excluded,) mean frequency over all diseases.
    closure_shared, closure_query, closure_disease: content summed over all terms and ancestors
    that both / the query / the disease have.
    owner, annotation_share, annotation_content, annotation_match: one entry per annotation of
    any candidate: candidate position, frequency, content, content shared with the query.
    annotation_stated: bool. latent: (n, k) unit vectors; latent_query: (k,).
    """

    own: Floats
    kin: Floats
    own_share: Floats
    shared: Floats
    weighed: Floats
    content: Floats
    excluded_share: Floats
    excluded_chance: Floats
    closure_shared: Floats
    closure_query: float
    closure_disease: Floats
    owner: Numbers
    annotation_share: Floats
    annotation_content: Floats
    annotation_match: Floats
    annotation_stated: NDArray[np.bool_]
    annotation_ruled_out: NDArray[np.bool_]
    facts: Floats
    family: Numbers
    latent: Floats
    latent_query: Floats


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
        profiles = [index.profile(disease) for disease in range(n)]
        flat = [entry for profile in profiles for entry in profile]
        self.starts = np.cumsum([0, *map(len, profiles)]).astype(np.int32)
        self.terms = np.array([term for term, _ in flat], dtype=np.int32)
        self.stated = np.array([np.nan if s is None else s for _, s in flat], dtype=np.float32)
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


def gather(
    tables: RareTables,
    query: RareQuery,
    candidates: Numbers,
    replaced: Mapping[int, Profile] | None = None,
) -> PairEvidence:
    """Return the evidence between `query` and the diseases numbered `candidates`.

    replaced: disease number -> profile to use in place of the one in the index.
    """
    index = tables.index
    lineages = [_shown(index, t.index) for t in query.present]
    kinds = np.unique(np.concatenate([_NONE, *lineages, [t.index for t in query.excluded]]))
    kinds = kinds.astype(np.int32)
    stand_ins = {
        at: replaced[d] for at, d in enumerate(candidates.tolist()) if replaced and d in replaced
    }
    shares = _shares(index, kinds, candidates)
    for at, profile in stand_ins.items():
        shares[:, at] = profile.shares[kinds]
    rows = [np.searchsorted(kinds, lineage) for lineage in lineages]
    return PairEvidence(
        **_present(tables, query, kinds, shares, rows),
        **_excluded(tables, query, kinds, shares),
        **_closures(tables, kinds, shares, rows, candidates, stand_ins),
        **_annotations(tables, query, lineages, candidates, stand_ins),
        **_latent(tables, lineages, candidates, stand_ins),
        facts=_facts(tables, candidates, stand_ins),
        family=tables.facts.family[candidates],
    )


_NONE: Final = np.zeros(0, dtype=np.int32)


def _shown(index: RareIndex, term: int) -> Numbers:
    lineage = index.ontology.lineage(term)
    shown: Numbers = lineage[index.background[lineage] > 0]
    return shown


def _shares(index: RareIndex, kinds: Numbers, candidates: Numbers) -> Floats:
    """Return the propagated frequency of every kind in every candidate."""
    slot = np.full(len(index.diseases), len(candidates), dtype=np.int32)
    slot[candidates] = np.arange(len(candidates))
    shares = np.zeros((len(kinds), len(candidates) + 1), dtype=np.float32)
    for row, kind in enumerate(kinds.tolist()):
        diseases, codes = index.postings(kind)
        shares[row, slot[diseases]] = codes
    return shares[:, :-1] / np.float32(FREQUENCY_STEPS)


def _present(
    tables: RareTables, query: RareQuery, kinds: Numbers, shares: Floats, rows: list[Numbers]
) -> dict[str, Floats]:
    n = (len(query.present), shares.shape[1])
    names = ("own", "kin", "own_share", "shared", "weighed")
    out = {name: np.zeros(n, dtype=np.float32) for name in names}
    chance = tables.index.background[kinds].astype(np.float32)[:, np.newaxis]
    content = tables.content[kinds][:, np.newaxis]
    ratio = np.divide(shares, chance, out=np.zeros_like(shares), where=chance > 0)
    informative, weighed = content * (shares > 0), content * shares
    for i, (term, lineage) in enumerate(zip(query.present, rows, strict=True)):
        if not len(lineage):
            continue
        is_own = kinds[lineage] == term.index
        for own in lineage[is_own].tolist():
            out["own"][i], out["own_share"][i] = ratio[own], shares[own]
        out["kin"][i] = ratio[lineage[~is_own]].max(axis=0, initial=0.0)
        out["shared"][i] = informative[lineage].max(axis=0)
        out["weighed"][i] = weighed[lineage].max(axis=0)
    out["content"] = tables.content[[t.index for t in query.present]]
    return out


def _excluded(
    tables: RareTables, query: RareQuery, kinds: Numbers, shares: Floats
) -> dict[str, Floats]:
    terms = np.array([t.index for t in query.excluded], dtype=np.int32)
    chance = tables.index.background[terms].astype(np.float32)
    return {"excluded_share": shares[np.searchsorted(kinds, terms)], "excluded_chance": chance}


def _closures(
    tables: RareTables,
    kinds: Numbers,
    shares: Floats,
    rows: list[Numbers],
    candidates: Numbers,
    stand_ins: Mapping[int, Profile],
) -> dict[str, Floats | float]:
    said = np.unique(np.concatenate([_NONE, *rows])).astype(np.int32)
    content = tables.content[kinds[said]]
    closure = tables.closure[candidates]
    for at, profile in stand_ins.items():
        closure[at] = tables.content[profile.shares > 0].sum()
    return {
        "closure_shared": content @ (shares[said] > 0).astype(np.float32),
        "closure_query": float(content.sum()),
        "closure_disease": closure,
    }


def _annotations(
    tables: RareTables,
    query: RareQuery,
    lineages: list[Numbers],
    candidates: Numbers,
    stand_ins: Mapping[int, Profile],
) -> dict[str, NDArray[np.generic]]:
    spans = [
        (p.terms, p.stated) if (p := stand_ins.get(at)) else tables.profile(disease)
        for at, disease in enumerate(candidates.tolist())
    ]
    terms = np.concatenate([_NONE, *(s[0] for s in spans)]).astype(np.int32)
    stated = np.concatenate([np.zeros(0, dtype=np.float32), *(s[1] for s in spans)])
    said, ruled_out = np.zeros((2, len(tables.content)), dtype=np.float32)
    for lineage in lineages:
        said[lineage] = tables.content[lineage]
    ruled_out[[t.index for t in query.excluded]] = 1
    return {
        "owner": np.repeat(np.arange(len(spans), dtype=np.int32), [len(s[0]) for s in spans]),
        "annotation_share": np.where(np.isnan(stated), np.float32(UNSTATED), stated),
        "annotation_stated": ~np.isnan(stated),
        "annotation_content": tables.content[terms],
        "annotation_match": tables.spread_down(said)[terms],
        "annotation_ruled_out": tables.spread_down(ruled_out)[terms] > 0,
    }


def _facts(tables: RareTables, candidates: Numbers, stand_ins: Mapping[int, Profile]) -> Floats:
    facts = tables.facts.facts[candidates]
    for at, profile in stand_ins.items():
        facts[at] = profile.facts
    return facts


def _latent(
    tables: RareTables,
    lineages: list[Numbers],
    candidates: Numbers,
    stand_ins: Mapping[int, Profile],
) -> dict[str, Floats]:
    vectors = tables.facts.disease_vectors[candidates]
    for at, profile in stand_ins.items():
        vectors[at] = latent_vector(tables, profile.shares)
    said = np.zeros(len(tables.content), dtype=np.float32)
    for lineage in lineages:
        said[lineage] = 1
    return {"latent": vectors, "latent_query": latent_vector(tables, said)}


def latent_vector(tables: RareTables, shares: Floats) -> Floats:
    """Return the unit vector of what is shown: shares weighed by content, in latent space."""
    terms = np.flatnonzero((shares > 0) & (tables.columns >= 0))
    weights = shares[terms] * tables.content[terms]
    vector = weights @ tables.facts.term_vectors[tables.columns[terms]]
    unit: Floats = (vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32)
    return unit


def _levels(ontology: Ontology) -> list[tuple[Numbers, Numbers, Numbers]]:
    """Return terms in layers, parents always in an earlier one: children, parents, starts."""
    parents = [[ontology.index_of(p) for p in ontology.parents(i)] for i in ontology.ids]
    depth = np.array([0 if not ps else -1 for ps in parents])
    waiting = [i for i, ps in enumerate(parents) if ps]
    layers = []
    while waiting:
        layer = [i for i in waiting if all(depth[p] >= 0 for p in parents[i])]
        if not layer:
            raise ModelError(f"HPO {ontology.version} is not acyclic")
        depth[layer] = len(layers) + 1
        waiting = [i for i in waiting if depth[i] < 0]
        counts = [len(parents[i]) for i in layer]
        layers.append(
            (
                np.array(layer, dtype=np.int32),
                np.array([p for i in layer for p in parents[i]], dtype=np.int32),
                np.cumsum([0, *counts[:-1]]).astype(np.int32),
            )
        )
    return layers
