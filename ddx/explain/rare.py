"""Why a rare disease stands where it stands: one log likelihood ratio per finding."""

from typing import Final

from ddx.domain.differential import World
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.features.rare_index import RareIndex
from ddx.features.rare_query import QueryTerm, RareQuery
from ddx.inference.rare import RareRanker

MAX_EXPECTED: Final = 8
"""Unasked findings shown per disease: what a clinician reads before deciding what to look for."""


def explain_rare(ranker: RareRanker, query: RareQuery, disease: DiseaseId) -> Explanation:
    """Return the contribution of every finding of `query` to the score of `disease`.

    disease: any of its codes; the explanation names the one it is listed under.
    base is 0: a case without findings favours no rare disease. Contributions add up to the
    score within 1e-9 and carry the frequency the disease's own profile states for the term.

    Raises:
        UnknownDiseaseError: the disease is not in the index.
    """
    number = ranker.index.number_of(disease)
    evidence = ranker.evidence(query, number)
    stated = dict(ranker.index.profile(number))
    entered = (
        *(
            (term, Presence.PRESENT, w)
            for term, w in zip(query.present, evidence.present, strict=True)
        ),
        *(
            (term, Presence.EXCLUDED, w)
            for term, w in zip(query.excluded, evidence.excluded, strict=True)
        ),
    )
    contributions = [
        Contribution(
            subject=term.subject, presence=presence, weight=weight, frequency=stated.get(term.index)
        )
        for term, presence, weight in entered
    ]
    return Explanation(
        disease=ranker.index.diseases[number],
        world=World.RARE,
        base=0.0,
        margin=evidence.score,
        contributions=tuple(sorted(contributions, key=lambda c: -abs(c.weight))),
        expected=expected_findings(ranker.index, query, number),
    )


def expected_findings(index: RareIndex, query: RareQuery, disease: int) -> tuple[FindingId, ...]:
    """Return up to 8 annotated findings nobody asked about, most frequent first.

    A finding was asked about when the case holds it, a more specific one that is present, or
    a more general one that is excluded. Findings without a stated frequency rank by the one
    the index assumes for them; findings that no described patient showed are not expected.
    """
    known = _known(index, query.present)
    ruled_out = {term.index for term in query.excluded}
    open_questions = [
        term
        for term, share in index.profile(disease)
        if share != 0
        and term not in known
        and ruled_out.isdisjoint(index.ontology.lineage(term).tolist())
    ]
    open_questions.sort(key=lambda term: -index.frequency(disease, term))
    return tuple(index.ontology.ids[term] for term in open_questions[:MAX_EXPECTED])


def _known(index: RareIndex, present: tuple[QueryTerm, ...]) -> set[int]:
    """Return the present terms and everything they are a kind of."""
    return {kind for term in present for kind in index.ontology.lineage(term.index).tolist()}
