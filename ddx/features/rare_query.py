"""A case as the rare ranker reads it: the HPO terms seen and the HPO terms ruled out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ddx.domain.case import Case
from ddx.domain.finding import Finding
from ddx.domain.identifiers import FindingId
from ddx.terminology.ontology import PHENOTYPIC_ABNORMALITY, Ontology


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One finding that takes part in the ranking.

    index: of the HPO term, in `Ontology.ids`. subject: the finding as it was entered.
    """

    index: int
    subject: FindingId


@dataclass(frozen=True, slots=True)
class RareQuery:
    """What the rare ranker knows of a case.

    present: most specific terms seen. excluded: most general terms ruled out.
    redundant: findings already said by a more specific one (present) or a more general one
    (excluded); they move nothing. dropped: findings the rare ranker cannot read.
    """

    present: tuple[QueryTerm, ...] = ()
    excluded: tuple[QueryTerm, ...] = ()
    redundant: tuple[FindingId, ...] = ()
    dropped: tuple[FindingId, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.present or self.excluded)


def read_case(
    case: Case, ontology: Ontology, implies: Mapping[FindingId, FindingId] | None = None
) -> RareQuery:
    """Return `case` as a rare query.

    implies: our own finding -> the HPO term it implies when present. The absence of our
    finding rules no HPO term out (no fever today is not "never febrile"), so it is dropped.
    A term seen together with its own exclusion stays seen; the exclusion is dropped.
    """
    seen, unread = _terms(case.present, ontology, implies or {})
    ruled_out, unread_too = _terms(case.excluded, ontology, {})
    present, general = _most_specific(seen, ontology)
    contradicted = frozenset[int]().union(*(ontology.lineage_set(t.index) for t in present))
    possible = [t for t in ruled_out if t.index not in contradicted]
    excluded, specific = _most_general(possible, ontology)
    clash = [t.subject for t in ruled_out if t.index in contradicted]
    return RareQuery(
        present=tuple(present),
        excluded=tuple(excluded),
        redundant=(*general, *specific),
        dropped=(*unread, *unread_too, *clash),
    )


def _terms(
    findings: Iterable[Finding], ontology: Ontology, implies: Mapping[FindingId, FindingId]
) -> tuple[list[QueryTerm], list[FindingId]]:
    """Return the findings that are phenotypic HPO terms, and the ids of the others."""
    read: list[QueryTerm] = []
    unread: list[FindingId] = []
    root = ontology.index_of(PHENOTYPIC_ABNORMALITY)
    for finding in findings:
        term = implies.get(finding.id, finding.id)
        index = ontology.index_of(term) if term in ontology else root
        if index != root and root in ontology.lineage_set(index):
            read.append(QueryTerm(index, finding.id))
        else:
            unread.append(finding.id)
    return read, unread


def _most_specific(
    terms: list[QueryTerm], ontology: Ontology
) -> tuple[list[QueryTerm], list[FindingId]]:
    """Split off every term that is an ancestor, or a repetition, of another one."""
    above = set[int]().union(*(ontology.lineage_set(t.index) - {t.index} for t in terms))
    return _without_repetition(terms, (t.index in above for t in terms))


def _most_general(
    terms: list[QueryTerm], ontology: Ontology
) -> tuple[list[QueryTerm], list[FindingId]]:
    """Split off every term that is a descendant, or a repetition, of another one."""
    own = {term.index for term in terms}
    below = (not own.isdisjoint(ontology.lineage_set(t.index) - {t.index}) for t in terms)
    return _without_repetition(terms, below)


def _without_repetition(
    terms: list[QueryTerm], said: Iterator[bool]
) -> tuple[list[QueryTerm], list[FindingId]]:
    kept: dict[int, QueryTerm] = {}
    redundant: list[FindingId] = []
    for term, is_said in zip(terms, said, strict=True):
        if is_said or term.index in kept:
            redundant.append(term.subject)
        else:
            kept[term.index] = term
    return list(kept.values()), redundant
