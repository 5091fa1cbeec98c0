"""What to do first when a disease is suspected: short actions, each under the guideline it is from.

The member `guidelines/recommendations.json` is written by `training.knowledge.recommend`:
{"format": 1, "guidelines": [{id, organisation, title, year, doi}],
"recommendations": [{disease, kind, es, en, guideline}]}. No action carries a dose.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from ddx.domain.identifiers import DiseaseId, disease_id
from ddx.errors import IdentifierError, ModelError
from ddx.terminology.catalogue import Language

RECOMMENDATIONS: Final = "guidelines/recommendations.json"
FORMAT: Final = 1


class Kind(StrEnum):
    """What an action is: done now, a test to ask for, when to refer, what to follow up."""

    ACT = "act"
    TEST = "test"
    REFER = "refer"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guideline:
    """A published guideline. doi is empty where none is certain."""

    organisation: str
    title: str
    year: int
    doi: str

    def cite(self) -> str:
        """Return the guideline as one line."""
        cited = f"{self.organisation}. {self.title}. {self.year}"
        return f"{cited}. doi:{self.doi}" if self.doi else cited


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One action in the language asked for."""

    kind: Kind
    text: str
    guideline: Guideline


class Recommendations:
    """The actions of one bundle, by disease."""

    __slots__ = ("_by_disease", "_guidelines")

    def __init__(
        self,
        by_disease: Mapping[DiseaseId, tuple[Mapping[str, str], ...]],
        guidelines: Mapping[str, Guideline],
    ) -> None:
        self._by_disease, self._guidelines = by_disease, guidelines

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Read the bundle member. Raises ModelError when it is malformed."""
        try:
            member = json.loads(raw)
            if member["format"] != FORMAT:
                raise ModelError(f"{RECOMMENDATIONS}: format {member['format']}, not {FORMAT}")
            guidelines = {row["id"]: _guideline(row) for row in member["guidelines"]}
            by_disease: dict[DiseaseId, tuple[Mapping[str, str], ...]] = {}
            for row in member["recommendations"]:
                _refuse_unreadable(row, guidelines)
                disease = disease_id(row["disease"])
                by_disease[disease] = (*by_disease.get(disease, ()), row)
        except (ValueError, KeyError, TypeError, IdentifierError) as error:
            raise ModelError(f"{RECOMMENDATIONS} cannot be read: {error!r}") from error
        return cls(by_disease, guidelines)

    @property
    def diseases(self) -> frozenset[DiseaseId]:
        """Diseases with at least one action."""
        return frozenset(self._by_disease)

    def of(self, disease: DiseaseId, language: str = Language.ES) -> tuple[Recommendation, ...]:
        """Return the actions of `disease` in `language`, in table order; none for others."""
        chosen = Language(language)
        return tuple(
            Recommendation(
                kind=Kind(row["kind"]),
                text=row[chosen],
                guideline=self._guidelines[row["guideline"]],
            )
            for row in self._by_disease.get(disease, ())
        )


def _guideline(row: Mapping[str, Any]) -> Guideline:
    return Guideline(
        organisation=str(row["organisation"]),
        title=str(row["title"]),
        year=int(row["year"]),
        doi=str(row["doi"]),
    )


def _refuse_unreadable(row: Mapping[str, str], guidelines: Mapping[str, Guideline]) -> None:
    """Raise KeyError or ValueError unless the row has a kind, both texts and a known guideline."""
    Kind(row["kind"])
    if not all(row[language] for language in Language):
        raise ValueError(f"no text for {row['disease']}")
    if row["guideline"] not in guidelines:
        raise KeyError(row["guideline"])
