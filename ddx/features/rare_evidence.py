"""Everything a query and its candidates say to each other, gathered once, before any feature.

A candidate's profile may be replaced: training scores a disease without the paper or the source
that describes the patient, through this very code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from ddx.domain.case import Sex
from ddx.features.rare_descent import Places
from ddx.features.rare_index import FREQUENCY_STEPS, RareIndex
from ddx.features.rare_query import RareQuery
from ddx.features.rare_tables import (
    Described,
    Floats,
    Numbers,
    Profile,
    RareTables,
    latent_vector,
)


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

    owner: position of the candidate. share: frequency. content: of the term. match: content it
    shares with the findings seen. ruled_out: intp, which of them are, or are a kind of, a finding
    ruled out. sums: (n, len(Sum)), what no case changes.
    """

    owner: Places
    share: Floats
    content: Floats
    match: Floats
    ruled_out: Places
    sums: Floats


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
    return PairEvidence(
        seen=_seen(request),
        closure=_closure(request),
        annotations=_annotations(request),
        excluded_share=request.shares.take(request.excluded, axis=0),
        excluded_chance=tables.chance.take(request.kinds.take(request.excluded)),
        facts=_facts(request),
        family=tables.facts.family.take(candidates),
        latent=_latent(request),
        latent_case=_latent_case(request),
    )


@dataclass(frozen=True, slots=True)
class _Request:
    """One call of `gather`.

    kinds: int32, ascending ontology indexes of all findings and of what those seen are kinds of;
    the last one is `RareTables.nobody`. shares: (len(kinds), n), propagated frequency, 0 in the
    last row. lineages: of all findings seen, one after another, rows of each and its ancestors
    that diseases show, then the last row; starts: where each begins there; own: where the finding
    itself stands there, at the last row where no disease shows it. said: the rows of `lineages`
    without repetition, ascending, without the last. excluded: rows of the findings ruled out.
    stand_ins: profiles by position of the candidate.
    """

    tables: RareTables
    query: RareQuery
    candidates: Numbers
    kinds: Numbers
    shares: Floats
    lineages: Places
    starts: Places
    own: Places
    said: Places
    excluded: Places
    stand_ins: dict[int, Profile]

    @classmethod
    def of(
        cls,
        tables: RareTables,
        query: RareQuery,
        candidates: Numbers,
        replaced: Mapping[int, Profile],
    ) -> Self:
        lineages = [tables.lineage(term.index) for term in query.present]
        excluded = np.array([term.index for term in query.excluded], dtype=np.int32)
        last = np.array([tables.nobody], dtype=np.int32)
        joined = np.concatenate([*(lineage.kinds for lineage in lineages), excluded, last])
        kinds, rows = np.unique(joined, return_inverse=True)
        of_seen, of_excluded = rows[: -1 - len(excluded)], rows[-1 - len(excluded) : -1]
        starts = np.cumsum([0, *(len(lineage.kinds) for lineage in lineages)])[:-1]
        said = np.zeros(len(kinds), dtype=bool)
        said[of_seen] = True
        said[-1] = False
        request = cls(
            tables=tables,
            query=query,
            candidates=candidates,
            kinds=kinds,
            shares=_shares(tables.index, kinds, candidates),
            lineages=of_seen,
            starts=starts,
            own=starts + np.array([lineage.own for lineage in lineages], dtype=np.intp),
            said=np.flatnonzero(said),
            excluded=of_excluded,
            stand_ins={
                at: replaced[disease]
                for at, disease in enumerate(candidates.tolist() if replaced else ())
                if disease in replaced
            },
        )
        for at, profile in request.stand_ins.items():
            request.shares[:-1, at] = profile.shares[kinds[:-1]]
        return request


def _shares(index: RareIndex, kinds: Numbers, candidates: Numbers) -> Floats:
    """Return the propagated frequency of every kind in every candidate; 0 for the last kind."""
    shares = np.zeros((len(kinds), len(candidates)), dtype=np.float32)
    shares[:-1] = index.codes_of(kinds[:-1], candidates)
    shares /= np.float32(FREQUENCY_STEPS)
    return shares


def _seen(request: _Request) -> Seen:
    """Return the findings against the candidates; all lineages are looked at together."""
    tables, shares, kinds = request.tables, request.shares, request.kinds
    ancestors = request.lineages.copy()
    ancestors[request.own] = len(kinds) - 1
    own = request.lineages[request.own]
    ratio = shares / tables.divisor.take(kinds)[:, np.newaxis]
    content = tables.weight.take(kinds)[:, np.newaxis]

    def best(values: Floats, rows: Places) -> Floats:
        if not len(request.starts):
            return np.zeros((0, shares.shape[1]), dtype=np.float32)
        found: Floats = np.maximum.reduceat(values.take(rows, axis=0), request.starts, axis=0)
        return found

    return Seen(
        own=ratio.take(own, axis=0),
        kin=best(ratio, ancestors),
        own_share=shares.take(own, axis=0),
        shared=best(content * (shares > 0), request.lineages),
        weighed=best(content * shares, request.lineages),
        content=tables.content[[term.index for term in request.query.present]],
    )


def _closure(request: _Request) -> Closure:
    content = request.tables.content.take(request.kinds.take(request.said))
    shown = request.shares.take(request.said, axis=0) > 0
    disease = request.tables.closure.take(request.candidates)
    for at, profile in request.stand_ins.items():
        disease[at] = request.tables.content[profile.shares > 0].sum()
    return Closure(
        shared=content @ shown.astype(np.float32), case=float(content.sum()), disease=disease
    )


def _annotations(request: _Request) -> Annotations:
    tables = request.tables
    described, sums = _profiles(request)
    terms = request.kinds.take(request.said)
    said = tables.descent.spread(terms, tables.content.take(terms))
    return Annotations(
        owner=described.owner,
        share=described.share,
        content=described.content,
        match=said.take(described.place),
        ruled_out=_ruled_out(request, described.place),
        sums=sums,
    )


def _ruled_out(request: _Request, places: Places) -> Places:
    if not request.query.excluded:
        return np.zeros(0, dtype=np.intp)
    descent = request.tables.descent
    out = np.zeros(len(descent.place), dtype=bool)
    for term in request.query.excluded:
        out[descent.under(term.index)] = True
    return np.flatnonzero(out.take(places))


def _profiles(request: _Request) -> tuple[Described, Floats]:
    """Return every annotation of the candidates, one after another, and their sums."""
    tables, diseases = request.tables, request.candidates
    if not request.stand_ins:
        return tables.described(diseases), tables.sums.take(diseases, axis=0)
    return tables.describe(
        [
            (p.terms, p.stated) if (p := request.stand_ins.get(at)) else tables.profile(disease)
            for at, disease in enumerate(diseases.tolist())
        ]
    )


def _facts(request: _Request) -> Floats:
    facts = request.tables.facts.facts.take(request.candidates, axis=0)
    for at, profile in request.stand_ins.items():
        facts[at] = profile.facts
    return facts


def _latent(request: _Request) -> Floats:
    vectors = request.tables.facts.disease_vectors.take(request.candidates, axis=0)
    for at, profile in request.stand_ins.items():
        shown = np.flatnonzero(profile.shares > 0).astype(np.int32)
        vectors[at] = latent_vector(request.tables, shown, profile.shares[shown])
    return vectors


def _latent_case(request: _Request) -> Floats:
    terms = request.kinds.take(request.said)
    return latent_vector(request.tables, terms, np.ones(len(terms), dtype=np.float32))
