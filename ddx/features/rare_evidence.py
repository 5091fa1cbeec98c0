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
from typing import Final, Self

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
class Seen:
    """Findings seen against candidates; arrays are (n_present, n) unless said otherwise.

    own: frequency of the finding over chance. kin: best such ratio among its ancestors.
    own_share: frequency of the finding itself. shared: information content of the most
    informative term that finding and disease have in common. weighed: the same, each term's
    content multiplied by its frequency. content: (n_present,) of the findings themselves.
    """

    own: Floats
    kin: Floats
    own_share: Floats
    shared: Floats
    weighed: Floats
    content: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Content summed over terms and all their ancestors; arrays are (n,).

    shared: over what case and disease both have. case, disease: over what each has.
    """

    shared: Floats
    case: float
    disease: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """One entry per annotation of any candidate.

    owner: position of the candidate. share: frequency. stated: whether the annotation states
    it. content: of the term. match: content it shares with the findings seen. ruled_out: whether
    it is, or is a kind of, a finding ruled out.
    """

    owner: Numbers
    share: Floats
    stated: NDArray[np.bool_]
    content: Floats
    match: Floats
    ruled_out: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEvidence:
    """What one query and its n candidates have to do with each other.

    excluded_share: (n_excluded, n) frequency of findings ruled out. excluded_chance:
    (n_excluded,) their mean frequency over all diseases. facts: (n, len(FACTS)).
    family: (n,). latent: (n, k) unit vectors. latent_case: (k,), a unit vector or zero.
    """

    seen: Seen
    closure: Closure
    annotations: Annotations
    excluded_share: Floats
    excluded_chance: Floats
    facts: Floats
    family: Numbers
    latent: Floats
    latent_case: Floats


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
    request = _Request.of(tables, query, candidates, replaced or {})
    terms = np.array([t.index for t in query.excluded], dtype=np.int32)
    return PairEvidence(
        seen=_seen(request),
        closure=_closure(request),
        annotations=_annotations(request),
        excluded_share=request.shares[np.searchsorted(request.kinds, terms)],
        excluded_chance=tables.index.background[terms].astype(np.float32),
        facts=_facts(request),
        family=tables.facts.family[candidates],
        latent=_latent(request),
        latent_case=_latent_case(request),
    )


@dataclass(frozen=True, slots=True)
class _Request:
    """One call of `gather`.

    lineages: per finding seen, ontology indexes of it and its ancestors that diseases show.
    kinds: int32, all of these and the findings ruled out, ascending. shares: (len(kinds), n),
    propagated frequency. stand_ins: profiles by position of the candidate.
    """

    tables: RareTables
    query: RareQuery
    candidates: Numbers
    lineages: list[Numbers]
    kinds: Numbers
    shares: Floats
    stand_ins: dict[int, Profile]

    @classmethod
    def of(
        cls,
        tables: RareTables,
        query: RareQuery,
        candidates: Numbers,
        replaced: Mapping[int, Profile],
    ) -> Self:
        lineages = [_shown(tables.index, t.index) for t in query.present]
        excluded = np.array([t.index for t in query.excluded], dtype=np.int32)
        kinds = np.unique(np.concatenate([excluded, *lineages]))
        shares = _shares(tables.index, kinds, candidates)
        stand_ins = {
            at: replaced[disease]
            for at, disease in enumerate(candidates.tolist())
            if disease in replaced
        }
        for at, profile in stand_ins.items():
            shares[:, at] = profile.shares[kinds]
        return cls(tables, query, candidates, lineages, kinds, shares, stand_ins)


def _shown(index: RareIndex, term: int) -> Numbers:
    lineage = index.ontology.lineage(term)
    shown: Numbers = lineage[index.background[lineage] > 0]
    return shown


def _shares(index: RareIndex, kinds: Numbers, candidates: Numbers) -> Floats:
    """Return the propagated frequency of every kind in every candidate."""
    slot = np.full(len(index.diseases), len(candidates), dtype=np.int32)
    slot[candidates] = np.arange(len(candidates), dtype=np.int32)
    shares = np.zeros((len(kinds), len(candidates) + 1), dtype=np.float32)
    for row, kind in enumerate(kinds.tolist()):
        diseases, codes = index.postings(kind)
        shares[row, slot[diseases]] = codes
    return shares[:, :-1] / np.float32(FREQUENCY_STEPS)


def _seen(request: _Request) -> Seen:
    shares, kinds, content = request.shares, request.kinds, request.tables.content
    chance = request.tables.index.background[kinds].astype(np.float32)[:, np.newaxis]
    ratio = np.divide(shares, chance, out=np.zeros_like(shares), where=chance > 0)
    informative = content[kinds][:, np.newaxis] * (shares > 0)
    weighed = content[kinds][:, np.newaxis] * shares
    own, kin, own_share, shared, best = np.zeros(
        (5, len(request.lineages), shares.shape[1]), dtype=np.float32
    )
    for i, (term, lineage) in enumerate(zip(request.query.present, request.lineages, strict=True)):
        rows = np.searchsorted(kinds, lineage)
        is_own = lineage == term.index
        for row in rows[is_own].tolist():
            own[i], own_share[i] = ratio[row], shares[row]
        kin[i] = ratio[rows[~is_own]].max(axis=0, initial=0.0)
        shared[i] = informative[rows].max(axis=0, initial=0.0)
        best[i] = weighed[rows].max(axis=0, initial=0.0)
    return Seen(
        own=own,
        kin=kin,
        own_share=own_share,
        shared=shared,
        weighed=best,
        content=content[[t.index for t in request.query.present]],
    )


def _closure(request: _Request) -> Closure:
    said = np.unique(np.concatenate([_NONE, *request.lineages]))
    content = request.tables.content[said]
    shown = request.shares[np.searchsorted(request.kinds, said)] > 0
    disease = request.tables.closure[request.candidates]
    for at, profile in request.stand_ins.items():
        disease[at] = request.tables.content[profile.shares > 0].sum()
    return Closure(
        shared=content @ shown.astype(np.float32), case=float(content.sum()), disease=disease
    )


def _annotations(request: _Request) -> Annotations:
    tables, stand_ins = request.tables, request.stand_ins
    spans = [
        (p.terms, p.stated) if (p := stand_ins.get(at)) else tables.profile(disease)
        for at, disease in enumerate(request.candidates.tolist())
    ]
    terms = np.concatenate([_NONE, *(terms for terms, _ in spans)])
    stated = np.concatenate([np.zeros(0, dtype=np.float32), *(stated for _, stated in spans)])
    said, ruled_out = np.zeros((2, len(tables.content)), dtype=np.float32)
    for lineage in request.lineages:
        said[lineage] = tables.content[lineage]
    ruled_out[[t.index for t in request.query.excluded]] = 1
    sizes = [len(terms) for terms, _ in spans]
    return Annotations(
        owner=np.repeat(np.arange(len(spans), dtype=np.int32), sizes),
        share=np.where(np.isnan(stated), np.float32(UNSTATED), stated),
        stated=~np.isnan(stated),
        content=tables.content[terms],
        match=tables.spread_down(said)[terms],
        ruled_out=tables.spread_down(ruled_out)[terms] > 0,
    )


def _facts(request: _Request) -> Floats:
    facts = request.tables.facts.facts[request.candidates]
    for at, profile in request.stand_ins.items():
        facts[at] = profile.facts
    return facts


def _latent(request: _Request) -> Floats:
    vectors = request.tables.facts.disease_vectors[request.candidates]
    for at, profile in request.stand_ins.items():
        vectors[at] = latent_vector(request.tables, profile.shares)
    return vectors


def _latent_case(request: _Request) -> Floats:
    said = np.zeros(len(request.tables.content), dtype=np.float32)
    for lineage in request.lineages:
        said[lineage] = 1
    return latent_vector(request.tables, said)


_NONE: Final = np.zeros(0, dtype=np.int32)


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
    layers: list[tuple[Numbers, Numbers, Numbers]] = []
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
