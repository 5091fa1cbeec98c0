"""The vocabulary of a bundle: findings, diseases and the runtime view of HPO, as JSON members.

Layouts (read by `ddx.terminology.catalogue`):
findings.json  {"version", "findings": [{id, kind, group, en, es, question_en, question_es,
               syn_en, syn_es, implies, antecedent, source}]}
diseases.json  {"version", "diseases": [{id, en, es, icd10, severity, source}]}
hpo_terms.json {"version", "terms": [{id, en, es, syn_en, syn_es, parents, alt}]}
The data set's own codes stay behind: they serve training only.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from ddx.domain.artifacts import DISEASES, FINDINGS, HPO_TERMS
from ddx.domain.canonical import canonical_json
from ddx.domain.identifiers import FindingId
from training.knowledge import (
    DiseaseRow,
    FindingRow,
    HpoSpanish,
    KnowledgeError,
    diseases,
    findings,
    hpo_spanish,
)
from training.sources.endemic import EndemicDisease, endemic_knowledge
from training.sources.hpo import OntologyRelease, Term

VERSION: Final = "1"
"""Layout of findings.json and diseases.json; hpo_terms.json carries the HPO release instead."""

PHENOTYPES: Final = FindingId("HP:0000118")


def vocabulary_members(release: OntologyRelease) -> dict[str, bytes]:
    """Return the vocabulary members of a bundle by name: canonical JSON, equal input equal bytes.

    Raises:
        KnowledgeError: a finding names or implies a term that `release` does not hold as a
            live phenotype.
    """
    terms = phenotypes(release)
    endemic = endemic_knowledge()
    asked = (*findings(), *endemic.own_findings)
    named = [*map(_disease, diseases()), *map(_endemic_disease, endemic.diseases)]
    _refuse_unknown_terms(asked, {term.id for term in terms})
    return {
        FINDINGS: canonical_json(
            {"version": VERSION, "findings": [_finding(row) for row in asked]}
        ),
        DISEASES: canonical_json({"version": VERSION, "diseases": named}),
        HPO_TERMS: canonical_json(
            {"version": release.version, "terms": list(_hpo_terms(terms, hpo_spanish()))}
        ),
    }


def phenotypes(release: OntologyRelease) -> tuple[Term, ...]:
    """Return the live terms at or under HP:0000118 and all that stands above any of them.

    A few phenotypes have a second parent outside that branch; the graph needs it whole.
    In release order.
    """
    live = {term.id: term for term in release.terms if not term.obsolete}
    children: dict[FindingId, list[FindingId]] = {}
    for term in live.values():
        for parent in term.parents:
            children.setdefault(parent, []).append(term.id)
    kept = _reach({PHENOTYPES}, children)
    kept = _reach(kept, {term.id: term.parents for term in live.values()})
    return tuple(term for term in release.terms if term.id in kept)


def _reach(
    start: Collection[FindingId], links: Mapping[FindingId, Iterable[FindingId]]
) -> set[FindingId]:
    seen, waiting = set(start), list(start)
    while waiting:
        for there in links.get(waiting.pop(), ()):
            if there not in seen:
                seen.add(there)
                waiting.append(there)
    return seen


def _refuse_unknown_terms(rows: Iterable[FindingRow], live: set[FindingId]) -> None:
    named = {row.id for row in rows if row.id.startswith("HP:")}
    implied = {row.implies for row in rows if row.implies is not None}
    if missing := sorted((named | implied) - live):
        raise KnowledgeError(f"not live phenotypes of this HPO release: {', '.join(missing)}")


def _finding(row: FindingRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "group": row.group,
        "en": row.en,
        "es": row.es,
        "question_en": row.question_en,
        "question_es": row.question_es,
        "syn_en": list(row.lay_en),
        "syn_es": list(row.lay_es),
        "implies": row.implies,
        "antecedent": row.antecedent,
        "source": row.source,
    }


def _disease(row: DiseaseRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "en": row.en,
        "es": row.es,
        "icd10": row.icd10,
        "severity": row.severity,
        "source": row.source,
    }


def _endemic_disease(disease: EndemicDisease) -> dict[str, Any]:
    return {
        "id": disease.id,
        "en": disease.en,
        "es": disease.es,
        "icd10": disease.icd10,
        "severity": disease.severity,
        "source": f"Our endemic knowledge base. Severity: {disease.severity_ground}",
    }


def _hpo_terms(
    terms: Iterable[Term], spanish: Mapping[FindingId, HpoSpanish]
) -> Iterator[dict[str, Any]]:
    for term in terms:
        ours = spanish.get(term.id, HpoSpanish("", ()))
        yield {
            "id": term.id,
            "en": term.label,
            "es": ours.label,
            "syn_en": [text for text in dict.fromkeys(term.synonyms) if text != term.label],
            "syn_es": list(ours.lay),
            "parents": list(term.parents),
            "alt": list(term.alt_ids),
        }
