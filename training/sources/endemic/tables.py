"""The two tables beside the disease files: findings of our own, and relations of findings."""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources.abc import Traversable
from typing import ClassVar

from ddx.domain.identifiers import FindingId, finding_id
from ddx.errors import DdxError, IdentifierError
from training.knowledge import FindingRow


class EndemicKnowledgeError(DdxError):
    """The endemic knowledge base breaks its own rules."""

    code: ClassVar[str] = "training.endemic_unusable"


class RelationKind(StrEnum):
    """ENTAILS: by definition the other is present too. EXCLUDES: both cannot be present."""

    ENTAILS = "entails"
    EXCLUDES = "excludes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One row of relations.tsv: what the meaning of the words says, not what is often seen."""

    finding: FindingId
    kind: RelationKind
    other: FindingId


def read_findings(table: Traversable) -> tuple[FindingRow, ...]:
    """Return the rows of findings.tsv, in the columns of `training/knowledge/findings.tsv`.

    Raises:
        EndemicKnowledgeError: a cell is missing or malformed, or an id is given twice.
    """
    rows = tuple(_finding_row(raw) for raw in _rows(table))
    if len({row.id for row in rows}) != len(rows):
        raise EndemicKnowledgeError(f"{table.name}: a finding is given twice")
    return rows


def read_relations(table: Traversable, known: Collection[FindingId]) -> tuple[Relation, ...]:
    """Return the relations, in file order.

    Raises:
        EndemicKnowledgeError: an id that is not in `known`, or a relation that is neither kind.
    """
    relations = []
    for raw in _rows(table):
        try:
            relation = Relation(
                finding=finding_id(raw["finding"]),
                kind=RelationKind(raw["relation"]),
                other=finding_id(raw["other"]),
            )
        except (ValueError, KeyError, IdentifierError) as error:
            raise EndemicKnowledgeError(f"{table.name}: {error!r}") from error
        if relation.finding not in known or relation.other not in known:
            raise EndemicKnowledgeError(f"{table.name}: unknown finding in {relation}")
        relations.append(relation)
    return tuple(relations)


def _rows(table: Traversable) -> Iterator[dict[str, str]]:
    lines = table.read_text(encoding="utf-8").splitlines()
    for number, raw in enumerate(
        csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=2
    ):
        if None in raw or None in raw.values():
            raise EndemicKnowledgeError(f"{table.name}, line {number}: wrong number of cells")
        yield raw


def _finding_row(raw: dict[str, str]) -> FindingRow:
    try:
        row = FindingRow(
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
            lay_es=tuple(raw["lay_es"].split("|")),
            lay_en=tuple(raw["lay_en"].split("|")),
            source=raw["source"],
        )
    except (KeyError, IdentifierError) as error:
        raise EndemicKnowledgeError(f"findings.tsv: {error!r}") from error
    if row.kind != "binary" or not all((row.en, row.es, row.question_en, row.question_es)):
        raise EndemicKnowledgeError(f"findings.tsv: {row.id} is not binary or lacks a text")
    return row
