"""Everything a query and its candidates say to each other, gathered once, before any feature.

A candidate's profile may be replaced: training scores a disease without the paper or the source
that describes the patient, through this very code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Sex
from ddx.features.rare_index import FREQUENCY_STEPS, RareIndex
from ddx.features.rare_query import RareQuery
from ddx.features.rare_tables import Floats, Numbers, Profile, RareTables, latent_vector

UNSTATED: Final = 0.9
"""Frequency of a finding whose annotation states none; as `training.fit.rare` assumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is known of a patient beside findings. age_years: None when unknown."""

    query: RareQuery
    age_years: float | None = None
    sex: Sex = Sex.UNKNOWN


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

    owner: NDArray[np.intp]
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
    codes = index.codes_of(kinds, candidates)
    return codes.astype(np.float32) / np.float32(FREQUENCY_STEPS)


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
    tables = request.tables
    owner, terms, stated = _profiles(request)
    said, excluded = np.zeros((2, len(tables.content)), dtype=np.float32)
    for lineage in request.lineages:
        said[lineage] = tables.content[lineage]
    excluded[[t.index for t in request.query.excluded]] = 1
    below = tables.spread_down(excluded) if request.query.excluded else excluded
    return Annotations(
        owner=owner,
        share=np.where(np.isnan(stated), np.float32(UNSTATED), stated),
        stated=~np.isnan(stated),
        content=tables.content[terms],
        match=tables.spread_down(said)[terms],
        ruled_out=below[terms] > 0,
    )


def _profiles(request: _Request) -> tuple[NDArray[np.intp], Numbers, Floats]:
    """Return every annotation of the candidates, one after another: owner, term, stated."""
    tables, diseases = request.tables, request.candidates
    if request.stand_ins:
        spans = [
            (p.terms, p.stated) if (p := request.stand_ins.get(at)) else tables.profile(disease)
            for at, disease in enumerate(diseases.tolist())
        ]
        sizes = np.array([len(terms) for terms, _ in spans])
        terms = np.concatenate([terms for terms, _ in spans])
        stated = np.concatenate([stated for _, stated in spans])
    else:
        starts = tables.starts[diseases]
        sizes = tables.starts[diseases + 1] - starts
        before = np.cumsum(sizes) - sizes
        at = np.repeat(starts - before, sizes) + np.arange(sizes.sum())
        terms, stated = tables.terms[at], tables.stated[at]
    return np.repeat(np.arange(len(diseases)), sizes), terms, stated


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
