"""First actions per disease, as a table, and the bundle member made of it.

`recommendations.tsv`: disease, kind (act, test, refer, follow), es, en, guideline.
`guidelines.tsv`: id, organisation, title, year, doi (only where certain). One to three actions
each, in the order a rural clinic meets them; no doses, which belong to the guideline and to the
national formulary. Written here from the guideline named, for a clinician to review row by row.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from ddx.domain.canonical import canonical_json
from ddx.domain.identifiers import DiseaseId, disease_id
from ddx.safety.recommend import FORMAT, Kind
from training.knowledge import KnowledgeError

MOST_ACTIONS: Final = 3
DOSE: Final = re.compile(r"\d\s*(?:mg|mcg|µg|ml|ui|iu|g)(?:/|\b)", re.IGNORECASE)
"""What a dose looks like; a row that holds one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineRow:
    """One publication the actions are taken from."""

    id: str
    organisation: str
    title: str
    year: int
    doi: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationRow:
    """One action. guideline: id of a row of guidelines.tsv."""

    disease: DiseaseId
    kind: Kind
    es: str
    en: str
    guideline: str


@cache
def guidelines() -> tuple[GuidelineRow, ...]:
    """Return the guidelines, in file order. Raises KnowledgeError for a malformed table."""
    return tuple(_guideline(raw) for raw in _read(_table("guidelines.tsv")))


@cache
def recommendations() -> tuple[RecommendationRow, ...]:
    """Return every action, in file order.

    Raises:
        KnowledgeError: a cell is missing, a kind or guideline is unknown, a dose is given, or a
            disease has more than three actions.
    """
    rows = tuple(_recommendation(raw) for raw in _read(_table("recommendations.tsv")))
    refuse_unusable(rows, {guideline.id for guideline in guidelines()})
    return rows


def recommendation_member() -> bytes:
    """Return the member `guidelines/recommendations.json` of a bundle: canonical JSON."""
    return canonical_json(
        {
            "format": FORMAT,
            "guidelines": [
                {
                    "id": row.id,
                    "organisation": row.organisation,
                    "title": row.title,
                    "year": row.year,
                    "doi": row.doi,
                }
                for row in guidelines()
            ],
            "recommendations": [
                {
                    "disease": row.disease,
                    "kind": row.kind.value,
                    "es": row.es,
                    "en": row.en,
                    "guideline": row.guideline,
                }
                for row in recommendations()
            ],
        }
    )


def refuse_unusable(rows: tuple[RecommendationRow, ...], known: set[str]) -> None:
    """Raise KnowledgeError for an unknown guideline, a dose, or too many actions."""
    for row in rows:
        if row.guideline not in known:
            raise KnowledgeError(f"{row.disease}: no guideline {row.guideline}")
        if DOSE.search(row.es) or DOSE.search(row.en):
            raise KnowledgeError(f"{row.disease}: an action gives a dose")
    for disease, count in Counter(row.disease for row in rows).items():
        if count > MOST_ACTIONS:
            raise KnowledgeError(f"{disease}: {count} actions, at most {MOST_ACTIONS}")


def _table(name: str) -> Traversable:
    return files("training.knowledge").joinpath(name)


def _read(table: Traversable) -> Iterator[Mapping[str, str]]:
    """Yield the rows of one table. Raises KnowledgeError for a row of the wrong width."""
    lines = table.read_text(encoding="utf-8").splitlines()
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, raw in enumerate(reader, start=2):
        if None in raw or None in raw.values():
            raise KnowledgeError(f"{table.name}, line {number}: wrong number of cells")
        yield raw


def _guideline(raw: Mapping[str, str]) -> GuidelineRow:
    try:
        if not (raw["id"] and raw["organisation"] and raw["title"]):
            raise KnowledgeError(f"guideline {raw['id']}: organisation or title missing")
        return GuidelineRow(
            id=raw["id"],
            organisation=raw["organisation"],
            title=raw["title"],
            year=int(raw["year"]),
            doi=raw["doi"],
        )
    except (KeyError, ValueError) as error:
        raise KnowledgeError(f"guidelines: {error!r}") from error


def _recommendation(raw: Mapping[str, str]) -> RecommendationRow:
    try:
        if not (raw["es"] and raw["en"]):
            raise KnowledgeError(f"{raw['disease']}: a text is missing")
        return RecommendationRow(
            disease=disease_id(raw["disease"]),
            kind=Kind(raw["kind"]),
            es=raw["es"],
            en=raw["en"],
            guideline=raw["guideline"],
        )
    except (KeyError, ValueError) as error:
        raise KnowledgeError(f"recommendations: {error!r}") from error
