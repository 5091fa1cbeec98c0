"""Patients drawn from the knowledge base: findings independent given the disease.

No correlation is modelled, for none is sourced; what the words themselves say (`Relation`) holds
in every patient, and each finding keeps its stated frequency.
"""

import math
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import DAYS_PER_YEAR
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, CaseTable
from training.sources.endemic.ages import AGE_BANDS
from training.sources.endemic.model import (
    Background,
    EndemicDisease,
    EndemicKnowledge,
    probabilities,
)
from training.sources.endemic.tables import RelationKind

Columns = dict[FindingId, NDArray[np.bool_]]


def simulate(
    knowledge: EndemicKnowledge, disease: DiseaseId, n: int, rng: np.random.Generator
) -> CaseTable:
    """Return `n` patients of one disease, with every finding of the knowledge base answered.

    Ages are even within their band. A finding that the patient cannot have is EXCLUDED; one that
    a small child cannot tell is UNKNOWN. Same `rng` state, same patients.

    Raises:
        EndemicKnowledgeError: the knowledge base does not describe `disease`.
    """
    described = knowledge.disease(disease)
    years = _ages(described, n, rng)
    female = rng.random(n) < described.female
    present = _draw(described, knowledge, years, female, rng)
    presence = np.full((n, len(knowledge.findings)), EXCLUDED, dtype=np.int8)
    for i, (finding, entry) in enumerate(knowledge.background.items()):
        presence[present[finding], i] = PRESENT
        presence[years < entry.told_from_years, i] = UNKNOWN
    return CaseTable(
        age_days=years * DAYS_PER_YEAR,
        female=female.astype(np.float32),
        findings=knowledge.findings,
        presence=presence,
        grade=np.full(presence.shape, np.nan, dtype=np.float32),
    )


def _ages(disease: EndemicDisease, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return ages in years, float64 (n,)."""
    bands = np.array([AGE_BANDS[band] for band in disease.ages])
    weights = np.array(list(disease.ages.values()))
    drawn = bands[rng.choice(len(bands), size=n, p=weights / weights.sum())]
    ages: NDArray[np.float64] = drawn[:, 0] + rng.random(n) * (drawn[:, 1] - drawn[:, 0])
    return ages


def _draw(
    disease: EndemicDisease,
    knowledge: EndemicKnowledge,
    years: NDArray[np.float64],
    female: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Columns:
    """Draw each finding after those that entail it and after the likelier ones it excludes.

    So frequencies stay as stated. With c the chance that an entailing finding is present, the
    other patients get this one with (p - c) / (1 - c), or never when c is above p; and only where
    no excluded finding is present, the more often to make up for them.
    """
    p = probabilities(disease, knowledge)
    stated = {f.finding for f in disease.findings}
    narrower = _related(knowledge, RelationKind.ENTAILS, p)
    rivals = _related(knowledge, RelationKind.EXCLUDES, p)
    order = TopologicalSorter({i: narrower[i] + rivals[i] for i in knowledge.findings})
    present: Columns = {}
    for finding in order.static_order():
        implied = np.zeros(len(years), dtype=bool)
        for other in narrower[finding]:
            implied |= present[other]
        rest = _remaining(p[finding], [p[i] for i in narrower[finding]])
        chance = np.full(len(years), rest)
        for rival in rivals[finding]:
            present[rival] &= ~implied
            free = 1 - p[rival]
            chance = np.where(
                present[rival] | (free == 0), 0.0, np.minimum(1, chance / (free or 1))
            )
        chance[~_possible(knowledge.background[finding], years, female)] = 0.0
        if finding not in stated:
            chance[years < knowledge.background[finding].background_from_years] = 0.0
        present[finding] = implied | (rng.random(len(years)) < chance)
    return present


def _remaining(p: float, entailing: Iterable[float]) -> float:
    """Return the chance of a finding where none of those that entail it is present."""
    none_of_them = math.prod(1 - c for c in entailing)
    return max(0.0, 1 - (1 - p) / none_of_them) if none_of_them else 0.0


def _related(
    knowledge: EndemicKnowledge, kind: RelationKind, p: Mapping[FindingId, float]
) -> dict[FindingId, list[FindingId]]:
    """Return what must be drawn first: those that entail a finding, or likelier rivals.

    Lists, not sets: the order of drawing must not change with the process.
    """
    first: dict[FindingId, list[FindingId]] = {i: [] for i in knowledge.findings}
    for relation in knowledge.relations:
        if relation.kind is kind:
            pair = (relation.finding, relation.other)
            if kind is RelationKind.EXCLUDES and p[pair[0]] < p[pair[1]]:
                pair = (relation.other, relation.finding)
            first[pair[1]].append(pair[0])
    return first


def _possible(
    entry: Background, years: NDArray[np.float64], female: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    in_age = (years >= entry.from_years) & (years < entry.to_years)
    return in_age & female if entry.female_only else in_age
