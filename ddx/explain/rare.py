"""Why a rare disease stands where it stands: one log likelihood ratio per finding."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from ddx.domain.differential import World
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.features.rare_index import FREQUENCY_STEPS, RareIndex
from ddx.features.rare_query import QueryTerm, RareQuery
from ddx.features.rare_sources import StandIns
from ddx.inference.rare import RareEvidence, RareRanker

MAX_EXPECTED: Final = 8
"""Unasked findings shown per disease: what a clinician reads before deciding what to look for."""

MOST: Final = 0.5
"""What more than half of the described patients have is asked before what has no figure."""


class Described(StrEnum):
    """How a finding stands in the profile of a disease.

    STATED: with a frequency. UNSTATED: without one. NEVER: no patient examined had it.
    NARROWER: one of its kinds is described. BROADER: only what it is a kind of. RELATED: only
    another kind of the same, and it speaks for the disease. NOT: none of these.
    """

    STATED = "stated"
    UNSTATED = "unstated"
    NEVER = "never"
    NARROWER = "narrower"
    BROADER = "broader"
    RELATED = "related"
    NOT = "not"


@dataclass(frozen=True, slots=True, kw_only=True)
class RareReason:
    """What one finding did to one rare disease, and what the disease's own profile says of it.

    weight: log likelihood ratio. share: part, 0..1, of everything that moved the score.
    kin: the described finding that speaks for it (NARROWER, BROADER, RELATED). frequency: share of
    described patients with the finding, or with `kin`; None where nothing is published.
    """

    subject: FindingId
    presence: Presence
    weight: float
    share: float
    described: Described
    kin: FindingId | None = None
    frequency: float | None = None


@dataclass(frozen=True, slots=True)
class RareProfile:
    """What is described of one disease, from the index or from what stands in for it.

    stated: ontology index -> share of described patients, None where none is published.
    frequency: ontology index -> propagated frequency the ranker computes with, 0..1.
    """

    stated: Mapping[int, float | None]
    frequency: Callable[[int], float]

    @classmethod
    def of(cls, index: RareIndex, number: int, stand_ins: StandIns | None = None) -> Self:
        """Return the profile of the disease of that number."""
        row = None if stand_ins is None else stand_ins.row_of(number)
        if stand_ins is None or row is None:
            shares = index.shares_of(number)
            return cls(dict(index.profile(number)), lambda term: shares.get(term, 0.0))
        codes = stand_ins.codes[row]
        return cls(dict(stand_ins.profiles[row]), lambda term: int(codes[term]) / FREQUENCY_STEPS)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query says of terms it may not name. known: those seen and all they are kinds of.

    ruled_out: those excluded; whatever is a kind of them is excluded too.
    """

    known: frozenset[int]
    ruled_out: frozenset[int]

    @classmethod
    def of(cls, index: RareIndex, query: RareQuery) -> Self:
        """Return what `query` says by the graph of the index."""
        lineages = (index.ontology.lineage_set(term.index) for term in query.present)
        return cls(
            known=frozenset[int]().union(*lineages),
            ruled_out=frozenset(term.index for term in query.excluded),
        )


def explain_rare(
    ranker: RareRanker,
    query: RareQuery,
    disease: DiseaseId,
    stand_ins: StandIns | None = None,
    asked: Asked | None = None,
) -> Explanation:
    """Return the contribution of every finding of `query` to the score of `disease`.

    disease: any of its codes; the explanation names the one it is listed under.
    base is 0: a case without findings favours no rare disease. Contributions add up to the
    score within 1e-9 and carry the frequency the disease's own profile states for the term.
    stand_ins: profiles that were used in place of those of the index. asked: of `query`, when it
    was made before.

    Raises:
        UnknownDiseaseError: the disease is not in the index.
    """
    number = ranker.index.number_of(disease)
    asked = asked or Asked.of(ranker.index, query)
    profile = RareProfile.of(ranker.index, number, stand_ins)
    evidence = ranker.weigh(query, profile.frequency)
    contributions = [
        Contribution(
            subject=term.subject,
            presence=presence,
            weight=weight,
            frequency=profile.stated.get(term.index),
        )
        for term, presence, weight in _entered(query, evidence)
    ]
    return Explanation(
        disease=ranker.index.diseases[number],
        world=World.RARE,
        base=0.0,
        margin=evidence.score,
        contributions=tuple(sorted(contributions, key=lambda c: -abs(c.weight))),
        expected=expected_findings(ranker.index, asked, profile),
    )


def reasons_of(
    ranker: RareRanker, query: RareQuery, disease: DiseaseId, stand_ins: StandIns | None = None
) -> tuple[RareReason, ...]:
    """Return what every finding of `query` did to `disease`, strongest first.

    The weights are those of `explain_rare`.

    Raises:
        UnknownDiseaseError: the disease is not in the index.
    """
    index = ranker.index
    profile = RareProfile.of(index, index.number_of(disease), stand_ins)
    evidence = ranker.weigh(query, profile.frequency)
    moved = sum(map(abs, (*evidence.present, *evidence.excluded))) or 1.0
    reasons = []
    for term, presence, weight in _entered(query, evidence):
        described, kin = _described(index, profile, term.index, weight)
        reasons.append(
            RareReason(
                subject=term.subject,
                presence=presence,
                weight=weight,
                share=abs(weight) / moved,
                described=described,
                kin=None if kin is None else index.ontology.ids[kin],
                frequency=profile.stated.get(term.index if kin is None else kin),
            )
        )
    return tuple(sorted(reasons, key=lambda reason: -abs(reason.weight)))


def expected_with_frequency(
    ranker: RareRanker, query: RareQuery, disease: DiseaseId, stand_ins: StandIns | None = None
) -> tuple[tuple[FindingId, float | None], ...]:
    """Return up to 8 annotated findings nobody asked about, with the share that is published.

    First what most described patients have, then what is listed without a figure, then the rest.
    """
    index = ranker.index
    profile = RareProfile.of(index, index.number_of(disease), stand_ins)
    left = _open_questions(index, Asked.of(index, query), profile)
    left.sort(key=lambda term: _reading_order(profile.stated[term]))
    return tuple((index.ontology.ids[term], profile.stated[term]) for term in left[:MAX_EXPECTED])


def _reading_order(share: float | None) -> tuple[int, float]:
    if share is None:
        return 1, 0.0
    return (0 if share >= MOST else 2), -share


def expected_findings(
    index: RareIndex, asked: Asked, profile: RareProfile
) -> tuple[FindingId, ...]:
    """Return up to 8 annotated findings nobody asked about, most frequent first.

    A finding was asked about when the case holds it, a more specific one that is present, or
    a more general one that is excluded. Findings without a stated frequency rank by the one
    the index assumes for them; findings that no described patient showed are not expected.
    """
    left = _open_questions(index, asked, profile)
    left.sort(key=profile.frequency, reverse=True)
    return tuple(index.ontology.ids[term] for term in left[:MAX_EXPECTED])


def _open_questions(index: RareIndex, asked: Asked, profile: RareProfile) -> list[int]:
    """Return the annotated terms that some patient showed and nobody asked about."""
    known, ruled_out, lineage = asked.known, asked.ruled_out, index.ontology.lineage_set
    left = [term for term in _shown(profile) if term not in known]
    return [t for t in left if ruled_out.isdisjoint(lineage(t))] if ruled_out else left


def _entered(
    query: RareQuery, evidence: RareEvidence
) -> tuple[tuple[QueryTerm, Presence, float], ...]:
    """Return every finding with its state and weight, as entered."""
    present = zip(query.present, evidence.present, strict=True)
    excluded = zip(query.excluded, evidence.excluded, strict=True)
    return (
        *((term, Presence.PRESENT, weight) for term, weight in present),
        *((term, Presence.EXCLUDED, weight) for term, weight in excluded),
    )


def _described(
    index: RareIndex, profile: RareProfile, term: int, weight: float
) -> tuple[Described, int | None]:
    """Return how a term stands in a profile, and the described term that speaks for it."""
    share = profile.stated.get(term, 0.0)
    if share != 0:
        return (Described.UNSTATED if share is None else Described.STATED), None
    if kinds := [t for t in _shown(profile) if term in index.ontology.lineage(t)]:
        return Described.NARROWER, max(kinds, key=profile.frequency)
    if term in profile.stated:
        return Described.NEVER, None
    return _kin(index, profile, term, weight)


def _kin(
    index: RareIndex, profile: RareProfile, term: int, weight: float
) -> tuple[Described, int | None]:
    """Return what speaks for a term of which neither itself nor a kind is described."""
    lineage = sorted(index.ontology.lineage(term).tolist(), key=lambda k: index.background[k])
    if above := [kind for kind in lineage if profile.stated.get(kind, 0.0) != 0]:
        return Described.BROADER, above[0]
    if weight > 0 and (shared := [kind for kind in lineage if profile.frequency(kind) > 0]):
        kin = [t for t in _shown(profile) if shared[0] in index.ontology.lineage(t)]
        return Described.RELATED, max(kin, key=profile.frequency)
    return Described.NOT, None


def _shown(profile: RareProfile) -> list[int]:
    """Return the described terms that some patient showed."""
    return [term for term, share in profile.stated.items() if share != 0]
