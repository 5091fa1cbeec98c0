"""What we wrote ourselves about findings and diseases: the tables behind the vocabulary.

Tab-separated files without quoting, one header line, UTF-8; cells that hold several values
separate them with `|`. How the rows were made is in README.md beside them.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import ClassVar, Final

from ddx.domain.identifiers import DiseaseId, FindingId, disease_id, finding_id
from ddx.errors import DdxError
from training.knowledge.sites import SITE_QUESTIONS, expand

KINDS: Final = ("binary", "graded", "choice")


class KnowledgeError(DdxError):
    """A table of `training/knowledge` breaks its own format."""

    code: ClassVar[str] = "training.knowledge_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One finding of the common model.

    kind: binary, graded (0..10) or choice (one value of `group`).
    ddxplus: `E_91`, or `E_55@V_14` for one value of a question.
    implies: HPO term that is present whenever this finding is (a graded one: above 0).
    antecedent: history, habit, exposure or context rather than a symptom of this illness.
    """

    id: FindingId
    kind: str
    group: str
    ddxplus: str
    implies: FindingId | None
    antecedent: bool
    en: str
    es: str
    question_en: str
    question_es: str
    lay_es: tuple[str, ...]
    lay_en: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiseaseRow:
    """One disease of our own list.

    ddxplus: name of the condition as the data set publishes it.
    severity: 1 (most severe) to 5, as the data set states it.
    """

    id: DiseaseId
    ddxplus: str
    es: str
    en: str
    icd10: str
    severity: int
    source: str


@dataclass(frozen=True, slots=True)
class HpoSpanish:
    """Our Spanish for one HPO term. label may be empty when only lay words are given."""

    label: str
    lay: tuple[str, ...]


@cache
def findings() -> tuple[FindingRow, ...]:
    """Return every finding of the common model: findings.tsv, then sites.tsv per question.

    Raises:
        KnowledgeError: a cell is missing or malformed, or an id or code is given twice.
    """
    sites = tuple(_read(_folder().joinpath("sites.tsv")))
    expanded = (row for question in SITE_QUESTIONS for row in expand(question, sites))
    rows = tuple(_finding(raw) for raw in (*_read(_folder().joinpath("findings.tsv")), *expanded))
    _refuse_repeated("finding id", (row.id for row in rows))
    _refuse_repeated("DDXPlus code", (row.ddxplus for row in rows))
    return rows


@cache
def diseases() -> tuple[DiseaseRow, ...]:
    """Return our own diseases, in file order.

    Raises:
        KnowledgeError: a cell is missing or malformed, or an id is given twice.
    """
    rows = tuple(_disease(raw) for raw in _read(_folder().joinpath("diseases.tsv")))
    _refuse_repeated("disease id", (row.id for row in rows))
    return rows


@cache
def hpo_spanish() -> Mapping[FindingId, HpoSpanish]:
    """Return our Spanish label and lay words by HPO id, from every `hpo_es/*.tsv`.

    Terms without a row are absent; no file at all gives an empty mapping.

    Raises:
        KnowledgeError: a term is given in two rows, or a cell is malformed.
    """
    folder = _folder().joinpath("hpo_es")
    if not folder.is_dir():
        return MappingProxyType({})
    tables = sorted((f for f in folder.iterdir() if f.name.endswith(".tsv")), key=lambda f: f.name)
    rows = [(_hpo_id(raw), raw) for table in tables for raw in _read(table)]
    _refuse_repeated("HPO id", (term for term, _ in rows))
    return MappingProxyType(
        {term: HpoSpanish(raw["es"].strip(), _several(raw["lay_es"])) for term, raw in rows}
    )


def _folder() -> Traversable:
    return files(__name__)


def _read(table: Traversable) -> Iterator[dict[str, str]]:
    """Yield the rows of one table. Raises KnowledgeError for a row of the wrong width."""
    lines = table.read_text(encoding="utf-8").splitlines()
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, raw in enumerate(reader, start=2):
        if None in raw or None in raw.values():
            raise KnowledgeError(f"{table.name}, line {number}: wrong number of cells")
        yield raw


def _finding(raw: Mapping[str, str]) -> FindingRow:
    try:
        if raw["kind"] not in KINDS or not (raw["en"] and raw["es"]):
            raise KnowledgeError(f"finding {raw['id']}: kind or label missing")
        return FindingRow(
            id=finding_id(raw["id"]),
            kind=raw["kind"],
            group=raw["group"],
            ddxplus=raw["ddxplus"],
            implies=finding_id(raw["implies"]) if raw["implies"] else None,
            antecedent=raw["antecedent"] == "1",
            en=raw["en"],
            es=raw["es"],
            question_en=raw["question_en"],
            question_es=raw["question_es"],
            lay_es=_several(raw["lay_es"]),
            lay_en=_several(raw["lay_en"]),
            source=raw["source"],
        )
    except KeyError as error:
        raise KnowledgeError(f"findings: column {error} is missing") from error


def _disease(raw: Mapping[str, str]) -> DiseaseRow:
    try:
        return DiseaseRow(
            id=disease_id(raw["id"]),
            ddxplus=raw["ddxplus"],
            es=raw["es"],
            en=raw["en"],
            icd10=raw["icd10"],
            severity=int(raw["severity"]),
            source=raw["source"],
        )
    except (KeyError, ValueError) as error:
        raise KnowledgeError(f"diseases: {error!r}") from error


def _hpo_id(raw: Mapping[str, str]) -> FindingId:
    if not {"id", "es", "lay_es"} <= raw.keys():
        raise KnowledgeError("hpo_es: columns id, es and lay_es are required")
    return finding_id(raw["id"])


def _several(cell: str) -> tuple[str, ...]:
    return tuple(part for value in cell.split("|") if (part := value.strip()))


def _refuse_repeated(what: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise KnowledgeError(f"{what} given twice: {value}")
        seen.add(value)
