"""Everything a query and its candidates say to each other, gathered once, before any feature.

A candidate's profile may be replaced: training scores a disease without the paper or the source
that describes the patient, through this very code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

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
    Sums,
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
    ruled out. sums: per candidate, of what no case changes.
    """

    owner: Places
    share: Floats
    content: Floats
    match: Floats
    ruled_out: Places
    sums: Sums


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
        excluded_share=request.shares[request.rows(request.excluded)],
        excluded_chance=tables.index.background[request.excluded].astype(np.float32),
        facts=_facts(request),
        family=tables.facts.family[candidates],
        latent=_latent(request),
        latent_case=_latent_case(request),
    )


@dataclass(frozen=True, slots=True)
class _Request:
    """One call of `gather`.

    seen, excluded: ontology indexes of the findings. lineages: of all findings seen one after
    another, indexes of each and its ancestors that diseases show; sizes: how many each has.
    said: int32, these without repetition, ascending. kinds: int32, said and excluded, ascending.
    shares: (len(kinds) + 1, n), propagated frequency; the last row is 0, for what nobody shows.
    stand_ins: profiles by position of the candidate.
    """

    tables: RareTables
    candidates: Numbers
    seen: Numbers
    excluded: Numbers
    lineages: Numbers
    sizes: Places
    said: Numbers
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
        joined = np.concatenate([_NONE, *lineages])
        said = np.unique(joined)
        kinds = np.unique(np.concatenate([excluded, said])) if len(excluded) else said
        shares = np.zeros((len(kinds) + 1, len(candidates)), dtype=np.float32)
        shares[:-1] = tables.index.codes_of(kinds, candidates)
        shares /= np.float32(FREQUENCY_STEPS)
        stand_ins = {
            at: replaced[disease]
            for at, disease in enumerate(candidates.tolist() if replaced else ())
            if disease in replaced
        }
        for at, profile in stand_ins.items():
            shares[:-1, at] = profile.shares[kinds]
        return cls(
            tables=tables,
            candidates=candidates,
            seen=np.array([t.index for t in query.present], dtype=np.int32),
            excluded=excluded,
            lineages=joined,
            sizes=np.array([len(lineage) for lineage in lineages], dtype=np.intp),
            said=said,
            kinds=kinds,
            shares=shares,
            stand_ins=stand_ins,
        )

    def rows(self, terms: Numbers) -> Places:
        """Return the row of each term in `shares`; the last one for a term not among `kinds`."""
        rows = np.searchsorted(self.kinds, terms)
        known = self.kinds.take(rows, mode="clip") == terms if len(self.kinds) else rows < 0
        found: Places = np.where(known, rows, len(self.kinds))
        return found


def _shown(index: RareIndex, term: int) -> Numbers:
    lineage = index.ontology.lineage(term)
    shown: Numbers = lineage[index.background[lineage] > 0]
    return shown


def _seen(request: _Request) -> Seen:
    """Return the findings against the candidates.

    The lineages are looked at together; each is followed by the last row of all, which is 0, so
    that none is empty.
    """
    shares, kinds, content = request.shares, request.kinds, request.tables.content
    own = request.rows(request.seen)
    own = np.where(request.tables.index.background[request.seen] > 0, own, len(kinds))
    ends = np.cumsum(request.sizes)
    whole = np.insert(np.searchsorted(kinds, request.lineages), ends, len(kinds))
    starts = ends - request.sizes + np.arange(len(ends))
    itself = whole == np.repeat(own, request.sizes + 1)
    chance = request.tables.index.background[kinds].astype(np.float32)
    chance = np.append(chance, np.float32(0))[:, np.newaxis]
    ratio = np.divide(shares, chance, out=np.zeros_like(shares), where=chance > 0)
    informative = np.append(content[kinds], np.float32(0))[:, np.newaxis]

    def best(values: Floats, rows: Places) -> Floats:
        if not len(starts):
            return np.zeros((0, shares.shape[1]), dtype=np.float32)
        found: Floats = np.maximum.reduceat(values[rows], starts, axis=0)
        return found

    return Seen(
        own=ratio[own],
        kin=best(ratio, np.where(itself, len(kinds), whole)),
        own_share=shares[own],
        shared=best(informative * (shares > 0), whole),
        weighed=best(informative * shares, whole),
        content=content[request.seen],
    )


def _closure(request: _Request) -> Closure:
    said = request.said
    content = request.tables.content[said]
    shown = request.shares[request.rows(said)] > 0
    disease = request.tables.closure[request.candidates]
    for at, profile in request.stand_ins.items():
        disease[at] = request.tables.content[profile.shares > 0].sum()
    return Closure(
        shared=content @ shown.astype(np.float32), case=float(content.sum()), disease=disease
    )


def _annotations(request: _Request) -> Annotations:
    tables = request.tables
    described, sums = _profiles(request)
    said = np.zeros(len(tables.content), dtype=np.float32)
    said[request.said] = tables.content[request.said]
    return Annotations(
        owner=described.owner,
        share=described.share,
        content=described.content,
        match=tables.descent.spread(said)[described.place],
        ruled_out=_ruled_out(request, described.place),
        sums=sums,
    )


def _ruled_out(request: _Request, places: Places) -> Places:
    if not len(request.excluded):
        return np.zeros(0, dtype=np.intp)
    descent = request.tables.descent
    out = np.zeros(len(descent.place), dtype=bool)
    for term in request.excluded.tolist():
        out[descent.under(term)] = True
    return np.flatnonzero(out[places])


def _profiles(request: _Request) -> tuple[Described, Sums]:
    """Return every annotation of the candidates, one after another, and their sums."""
    tables, diseases = request.tables, request.candidates
    if not request.stand_ins:
        described = tables.described.of(tables.starts[diseases], tables.described.sizes[diseases])
        return described, tables.sums.of(diseases)
    spans = [
        (p.terms, p.stated) if (p := request.stand_ins.get(at)) else tables.profile(disease)
        for at, disease in enumerate(diseases.tolist())
    ]
    return tables.describe(
        np.concatenate([terms for terms, _ in spans]),
        np.concatenate([stated for _, stated in spans]),
        np.array([len(terms) for terms, _ in spans]),
    )


def _facts(request: _Request) -> Floats:
    facts = request.tables.facts.facts[request.candidates]
    for at, profile in request.stand_ins.items():
        facts[at] = profile.facts
    return facts


def _latent(request: _Request) -> Floats:
    vectors = request.tables.facts.disease_vectors[request.candidates]
    for at, profile in request.stand_ins.items():
        shown = np.flatnonzero(profile.shares > 0).astype(np.int32)
        vectors[at] = latent_vector(request.tables, shown, profile.shares[shown])
    return vectors


def _latent_case(request: _Request) -> Floats:
    ones = np.ones(len(request.said), dtype=np.float32)
    return latent_vector(request.tables, request.said, ones)


_NONE: Final = np.zeros(0, dtype=np.int32)
