"""What every finding and disease is called, in both languages, from the active bundle.

Two vocabularies in one: the findings of the common model with our own labels, questions and lay
words (`vocabulary/findings.json`), and every HPO phenotype (`vocabulary/hpo_terms.json`). Where
an HPO term is also a finding of the common model, our row speaks and HPO adds its synonyms.

The two long lists, HPO and the rare diseases, are read row by row into tuples: a parser in C that
calls back for each row lets other threads in between them, and tuples of text take a fourth of
the memory of dictionaries.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from ddx.domain import artifacts as members
from ddx.domain.artifacts import Artifacts
from ddx.domain.identifiers import DiseaseId, FindingId, disease_id, finding_id
from ddx.errors import IdentifierError, ModelError, UnknownDiseaseError
from ddx.once import once
from ddx.terminology.ontology import Ontology

HPO_SOURCE = "Human Phenotype Ontology {version} (hpo.jax.org)"


class Language(StrEnum):
    """A language the catalogue speaks. Every label exists in English."""

    ES = "es"
    EN = "en"


class FindingKind(StrEnum):
    """How a finding is answered."""

    BINARY = "binary"
    GRADED = "graded"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One finding as the catalogue knows it.

    group: question a choice answers ("pain.site"), else empty; findings of one group are asked
    together. labels, questions: by language, English always present; a term without a question
    of its own has no questions. synonyms: by language, lay words first.
    implies: HPO term that is present whenever this one is (a graded one: above 0).
    common: a finding of the common model. antecedent: history, habit, exposure or context.
    """

    id: FindingId
    kind: FindingKind = FindingKind.BINARY
    group: str = ""
    labels: Mapping[Language, str]
    questions: Mapping[Language, str]
    synonyms: Mapping[Language, tuple[str, ...]]
    implies: FindingId | None = None
    common: bool = False
    antecedent: bool = False
    source: str = ""


class Name(NamedTuple):
    """One way to call one term. preferred: its label in `language` rather than a synonym."""

    id: FindingId
    language: Language
    text: str
    preferred: bool


@dataclass(frozen=True, slots=True)
class _Disease:
    labels: Mapping[Language, str]
    severity: int | None = None


class _HpoNames(NamedTuple):
    """What HPO calls one term; the fields are those of its row."""

    en: str
    es: str
    syn_en: tuple[str, ...]
    syn_es: tuple[str, ...]


class _HpoRow(NamedTuple):
    id: FindingId
    parents: tuple[str, ...]
    alt: tuple[str, ...]
    names: _HpoNames


class _RareRow(NamedTuple):
    """One code of a rare disease. also: the other codes of the one it is listed under."""

    id: DiseaseId
    en: str
    es: str
    also: tuple["_RareRow", ...]

    @property
    def codes(self) -> tuple["_RareRow", ...]:
        """Every code, this one first."""
        return (self, *self.also)


class Catalogue:
    """Names of everything the active bundle can talk about. Ids accept HPO's alternative ids."""

    def __init__(
        self,
        *,
        findings: Mapping[FindingId, Mapping[str, Any]],
        hpo: Mapping[FindingId, _HpoNames],
        diseases: Mapping[DiseaseId, Mapping[str, Any]],
        artifacts: Artifacts,
        ontology: Ontology,
    ) -> None:
        self.ontology = ontology
        self._findings, self._hpo = findings, hpo
        self._diseases = diseases
        self._artifacts = artifacts
        self._terms: dict[FindingId, Term] = {}
        self._named: dict[DiseaseId, _Disease] = {}
        self._labels: dict[tuple[FindingId, str], str] = {}
        self._kinds: dict[FindingId, frozenset[FindingId]] = {}

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts) -> Self:
        """Return the catalogue of a bundle. Terms and rare names are made when asked for.

        Raises:
            ModelError: a vocabulary member is missing or malformed.
        """
        hpo = _member(artifacts, members.HPO_TERMS, "terms", _hpo_row)
        findings = _member(artifacts, members.FINDINGS, "findings", dict)
        diseases = _member(artifacts, members.DISEASES, "diseases", dict)
        try:
            links = ((row.id, row.parents, row.alt) for row in hpo["terms"])
            return cls(
                findings={finding_id(row["id"]): row for row in findings["findings"]},
                hpo={row.id: row.names for row in hpo["terms"]},
                diseases={disease_id(row["id"]): row for row in diseases["diseases"]},
                artifacts=artifacts,
                ontology=Ontology(hpo["version"], links),
            )
        except (KeyError, TypeError, IdentifierError) as error:
            raise ModelError(f"vocabulary cannot be read: {error!r}") from error

    def __contains__(self, id: object) -> bool:
        return id in self._findings or id in self.ontology

    def __len__(self) -> int:
        return len(self._findings.keys() | self._hpo.keys())

    @property
    def findings(self) -> tuple[FindingId, ...]:
        """Findings of the common model, in the order of the bundle."""
        return tuple(self._findings)

    @property
    def diseases(self) -> tuple[DiseaseId, ...]:
        """Diseases the bundle names: our own in the order of the bundle, then the rare ones.

        A rare disease of several codes is one of them, under the code it is listed by.
        """
        listed = (main for main, row in self._rare_names.items() if row.id == main)
        return tuple(dict.fromkeys((*self._diseases, *listed)))

    def disease_codes(self, id: DiseaseId) -> tuple[DiseaseId, ...]:
        """Return every code of a disease, the one it is listed under first.

        id: any of them. Raises UnknownDiseaseError.
        """
        if id in self._diseases:
            return (id,)
        return tuple(disease_id(code.id) for code in self._rare_row(id).codes)

    def disease_names(self, id: DiseaseId, language: str = Language.ES) -> tuple[str, ...]:
        """Return every name of a disease, each once, that of its listing first.

        Raises:
            UnknownDiseaseError: the bundle does not name the disease.
        """
        names = (self.disease_label(code, language) for code in self.disease_codes(id))
        return tuple({name.casefold(): name for name in reversed(tuple(names))}.values())[::-1]

    def is_common(self, id: FindingId) -> bool:
        """Whether `id` is a finding of the common model."""
        return id in self._findings

    @once
    def implied(self) -> Mapping[FindingId, FindingId]:
        """Our own finding -> the HPO term it implies when present."""
        return MappingProxyType(
            {
                finding: finding_id(row["implies"])
                for finding, row in self._findings.items()
                if row["implies"]
            }
        )

    def resolve(self, id: FindingId) -> FindingId:
        """Return the id in use for `id`: itself, or the one that replaced an alternative id.

        Raises:
            UnknownFindingError: no such finding.
        """
        return id if id in self._findings else self.ontology.resolve(id)

    def term(self, id: FindingId) -> Term:
        """Return what the catalogue knows of a finding. Raises UnknownFindingError."""
        primary = self.resolve(id)
        known = self._terms.get(primary)
        if known is None:
            known = self._terms[primary] = self._build(primary)
        return known

    def kinds(self, id: FindingId) -> frozenset[FindingId]:
        """Return `id`, what it implies today, and all they are special cases of.

        An antecedent implies nothing of today. Raises UnknownFindingError.
        """
        known = self._kinds.get(id)
        if known is None:
            known = self._kinds[id] = self._find_kinds(self.term(id))
        return known

    def label(self, id: FindingId, language: str = Language.ES) -> str:
        """Return the label in `language`, in English where it has none.

        Raises:
            UnknownFindingError: no such finding.
        """
        known = self._labels.get((id, language))
        if known is None:
            known = _in_language(self.term(id).labels, language)
            self._labels[id, language] = known
        return known

    def question(self, id: FindingId, language: str = Language.ES) -> str:
        """Return what to ask the patient; the label for a term without a question of its own.

        Raises:
            UnknownFindingError: no such finding.
        """
        term = self.term(id)
        return _in_language(term.questions or term.labels, language)

    def disease_label(self, id: DiseaseId, language: str = Language.ES) -> str:
        """Return the name of a disease in `language`, in English where it has none.

        Raises:
            UnknownDiseaseError: the bundle does not name the disease.
        """
        return _in_language(self._disease(id).labels, language)

    def disease_severity(self, id: DiseaseId) -> int | None:
        """Return 1 (most severe) to 5; None where no source grades the disease.

        Raises:
            UnknownDiseaseError: the bundle does not name the disease.
        """
        return self._disease(id).severity

    @property
    def terms(self) -> Iterator[FindingId]:
        """Every term under the id in use, findings of the common model first."""
        return chain(self._findings, (term for term in self._hpo if term not in self._findings))

    def names(self) -> Iterator[Name]:
        """Yield every label and synonym: findings of the common model first."""
        return chain.from_iterable(map(self.names_of, self.terms))

    def names_of(self, id: FindingId) -> list[Name]:
        """Return every label and synonym of one of `terms`, ours before those of HPO."""
        names: list[Name] = []
        if (own := self._findings.get(id)) is not None:
            names += _names(id, Language.ES, own["es"], own["syn_es"])
            names += _names(id, Language.EN, own["en"], own["syn_en"])
        if (hpo := self._hpo.get(id)) is not None:
            names += _names(id, Language.ES, hpo.es, hpo.syn_es)
            names += _names(id, Language.EN, hpo.en, hpo.syn_en)
        return names

    def _disease(self, id: DiseaseId) -> _Disease:
        known = self._named.get(id)
        if known is None:
            known = self._named[id] = self._find_disease(id)
        return known

    def _find_disease(self, id: DiseaseId) -> _Disease:
        own = self._diseases.get(id)
        if own is not None:
            return _Disease(_by_language(own), own["severity"])
        named = next(code for code in self._rare_row(id).codes if code.id == id)
        return _Disease(_by_language({"en": named.en, "es": named.es}))

    def _rare_row(self, id: DiseaseId) -> _RareRow:
        row = self._rare_names.get(id)
        if row is None:
            raise UnknownDiseaseError(id)
        return row

    @once
    def _rare_names(self) -> Mapping[DiseaseId, _RareRow]:
        """Return the entries of the listing by every code they have."""
        listed = _member(self._artifacts, members.RARE_DISEASES, "diseases", _rare_row)
        return {code.id: row for row in listed["diseases"] for code in row.codes}

    def _find_kinds(self, term: Term) -> frozenset[FindingId]:
        graph = self.ontology
        named = {term.id} if term.implies is None or term.antecedent else {term.id, term.implies}
        above = (graph.ancestors(known) for known in named if known in graph)
        return frozenset(named).union(*above)

    def _build(self, id: FindingId) -> Term:
        own, hpo = self._findings.get(id), self._hpo.get(id)
        if own is None:
            # An id that resolves is a finding of the common model or a term of HPO.
            return _hpo_term(id, self._hpo[id]._asdict(), self.ontology.version)
        return _common_term(id, own, hpo._asdict() if hpo else {})


def _member(
    artifacts: Artifacts, name: str, key: str, row_of: Callable[[dict[str, Any]], Any]
) -> dict[str, Any]:
    """Return a vocabulary member: under `key` its rows, each as `row_of` makes it.

    Raises:
        ModelError: the member is missing or malformed.
    """
    try:
        member: dict[str, Any] = json.loads(
            artifacts.read(name), object_hook=lambda read: read if key in read else row_of(read)
        )
        member[key]  # malformed without
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{name} cannot be read: {error!r}") from error
    return member


def _hpo_row(row: Mapping[str, Any]) -> _HpoRow:
    names = _HpoNames(row["en"], row.get("es", ""), tuple(row["syn_en"]), tuple(row["syn_es"]))
    return _HpoRow(row["id"], tuple(row["parents"]), tuple(row["alt"]), names)


def _rare_row(row: Mapping[str, Any]) -> _RareRow:
    return _RareRow(row["id"], row["en"], row.get("es", ""), tuple(row.get("also", ())))


def _common_term(id: FindingId, row: Mapping[str, Any], hpo: Mapping[str, Any]) -> Term:
    return Term(
        id=id,
        kind=FindingKind(row["kind"]),
        group=row["group"],
        labels=_by_language(row),
        questions=_by_language({"en": row["question_en"], "es": row["question_es"]}),
        synonyms=_synonyms(row, hpo),
        implies=finding_id(row["implies"]) if row["implies"] else None,
        common=True,
        antecedent=row["antecedent"],
        source=row["source"],
    )


def _hpo_term(id: FindingId, row: Mapping[str, Any], version: str) -> Term:
    return Term(
        id=id,
        labels=_by_language(row),
        questions=MappingProxyType({}),
        synonyms=_synonyms(row, {}),
        source=HPO_SOURCE.format(version=version),
    )


def _synonyms(row: Mapping[str, Any], hpo: Mapping[str, Any]) -> Mapping[Language, tuple[str, ...]]:
    """Return the synonyms of both rows by language, without those that repeat a label."""
    return MappingProxyType(
        {
            language: tuple(
                dict.fromkeys(
                    text
                    for text in (
                        *row[f"syn_{language}"],
                        hpo.get(language),
                        *hpo.get(f"syn_{language}", ()),
                    )
                    if text and text != row.get(language)
                )
            )
            for language in Language
        }
    )


def _names(
    id: FindingId, language: Language, label: str, synonyms: Iterable[str]
) -> Iterator[Name]:
    if label:
        yield Name(id, language, label, preferred=True)
    for text in synonyms:
        yield Name(id, language, text, preferred=False)


def _by_language(row: Mapping[str, Any]) -> Mapping[Language, str]:
    """Return the texts of a row by language; a language without text is left out."""
    return MappingProxyType({lang: row[lang] for lang in Language if row.get(lang)})


def _in_language(texts: Mapping[Language, str], language: str) -> str:
    return texts.get(Language(language)) or texts[Language.EN]
