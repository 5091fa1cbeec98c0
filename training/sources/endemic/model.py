"""What the endemic knowledge base says: diseases, frequencies and why each figure is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ddx.domain.identifiers import DiseaseId, FindingId
from training.knowledge import FindingRow
from training.sources.endemic.tables import EndemicKnowledgeError, Relation


class Grade(StrEnum):
    """How well founded a figure is, best first."""

    COUNTED = "A"
    PUBLISHED = "B"
    NARRATIVE = "C"
    ESTIMATE = "E"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Why a figure is believed. n: patients behind it; source: key of sources.toml or empty.

    Grades A, B and C name a source; C and E say in `note` how the figure came about.
    """

    grade: Grade
    source: str = ""
    n: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFrequency:
    """P(finding | disease) at presentation in primary care or emergency, 0..1.

    For a finding that only some patients can have (`Background.possible`), among those.
    """

    finding: FindingId
    p: float
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class EndemicDisease:
    """One disease of the endemic knowledge base.

    severity: 1 (most severe) to 5, on DDXPlus's scale; severity_ground says why.
    ages: share of the patients by band (keys of AGE_BANDS), sums to 1 within 0.01.
    female: share of women and girls, 0..1.
    background: findings of the common set left as in any other visit.
    """

    id: DiseaseId
    es: str
    en: str
    icd10: str
    severity: int
    severity_ground: str
    findings: tuple[FindingFrequency, ...]
    background: frozenset[FindingId]
    ages: Mapping[str, float]
    ages_basis: Basis
    female: float
    female_basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """One finding in a visit that has another reason.

    female_only, from_years, to_years: outside them the finding cannot be; it is always absent.
    told_from_years: below it nobody can tell. background_from_years: below it `p` is zero,
    unless a disease states its own.
    """

    finding: FindingId
    p: float
    basis: Basis
    female_only: bool
    from_years: float
    to_years: float
    told_from_years: float
    background_from_years: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EndemicKnowledge:
    """All of it. common: findings every disease takes a position on. background: by finding.

    own_findings: rows of the endemic findings.tsv, which DDXPlus does not ask.
    sources: key -> citation.
    """

    diseases: tuple[EndemicDisease, ...]
    background: Mapping[FindingId, Background]
    common: tuple[FindingId, ...]
    own_findings: tuple[FindingRow, ...]
    relations: tuple[Relation, ...]
    sources: Mapping[str, str]

    @property
    def findings(self) -> tuple[FindingId, ...]:
        """Every finding of the knowledge base, in the order of background.toml."""
        return tuple(self.background)

    def disease(self, id: DiseaseId) -> EndemicDisease:
        """Return one disease. Raises EndemicKnowledgeError when it is not described."""
        found = next((d for d in self.diseases if d.id == id), None)
        if found is None:
            raise EndemicKnowledgeError(f"no endemic disease {id}")
        return found


def probabilities(
    disease: EndemicDisease, knowledge: EndemicKnowledge
) -> Mapping[FindingId, float]:
    """Return P(finding | disease) of every finding: as stated, else the background."""
    stated = {f.finding: f.p for f in disease.findings}
    return {i: stated.get(i, entry.p) for i, entry in knowledge.background.items()}
