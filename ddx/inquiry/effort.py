"""What a clinic can do, and what it costs to find something out.

Costs are in units of one question put to the patient. All of them, and the profiles, are our own
estimates of time at a rural post, not measured; they order questions and never hide a red flag.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ddx.domain.identifiers import FindingId
from ddx.terminology.catalogue import Catalogue, Term


class Means(StrEnum):
    """How a finding is looked for."""

    QUESTION = "question"
    EXAMINATION = "examination"
    THERMOMETER = "thermometer"
    OXIMETER = "oximeter"
    BLOOD_PRESSURE_CUFF = "blood_pressure_cuff"
    GLUCOMETER = "glucometer"
    STETHOSCOPE = "stethoscope"
    URINE_STRIP = "urine_strip"
    ELECTROCARDIOGRAPH = "electrocardiograph"
    LABORATORY = "laboratory"
    IMAGING = "imaging"


COST: Final[Mapping[Means, float]] = MappingProxyType(
    {
        Means.QUESTION: 1.0,
        Means.EXAMINATION: 2.0,
        Means.THERMOMETER: 2.0,
        Means.OXIMETER: 2.0,
        Means.STETHOSCOPE: 2.0,
        Means.BLOOD_PRESSURE_CUFF: 3.0,
        Means.GLUCOMETER: 3.0,
        Means.URINE_STRIP: 5.0,
        Means.ELECTROCARDIOGRAPH: 15.0,
        Means.LABORATORY: 60.0,
        Means.IMAGING: 60.0,
    }
)
"""Estimates, in questions: minutes at the bedside against half a minute to ask and answer."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a clinic has. Asking and examining need nothing and are always possible."""

    has: frozenset[Means] = frozenset()

    def can(self, means: Means) -> bool:
        """Return whether a finding that needs `means` can be looked for here."""
        return means in {Means.QUESTION, Means.EXAMINATION} or means in self.has


RURAL_POST: Final = Equipment(
    frozenset(
        {Means.THERMOMETER, Means.OXIMETER, Means.BLOOD_PRESSURE_CUFF, Means.GLUCOMETER}
        | {Means.STETHOSCOPE, Means.URINE_STRIP}
    )
)
"""A staffed post without laboratory (estimate)."""

WORDS_ONLY: Final = Equipment()
FULL: Final = Equipment(frozenset(Means))

NEEDS: Final[Mapping[FindingId, Means]] = MappingProxyType(
    {
        FindingId("HP:0001945"): Means.QUESTION,  # fever: felt counts
        FindingId("HP:0002045"): Means.THERMOMETER,  # hypothermia
        FindingId("HP:0012418"): Means.OXIMETER,  # hypoxemia
        FindingId("HP:0032263"): Means.BLOOD_PRESSURE_CUFF,  # increased blood pressure
        FindingId("HP:0002615"): Means.BLOOD_PRESSURE_CUFF,  # hypotension
        FindingId("HP:0001943"): Means.GLUCOMETER,  # hypoglycemia
        FindingId("HP:0003074"): Means.GLUCOMETER,  # hyperglycemia
        FindingId("HP:0030830"): Means.STETHOSCOPE,  # crackles
        FindingId("HP:0030148"): Means.STETHOSCOPE,  # heart murmur
        FindingId("HP:0000093"): Means.URINE_STRIP,  # proteinuria
        FindingId("HP:0003076"): Means.URINE_STRIP,  # glycosuria
        FindingId("HP:0002919"): Means.URINE_STRIP,  # ketonuria
        FindingId("HP:0002907"): Means.URINE_STRIP,  # microscopic hematuria
        FindingId("HP:0003115"): Means.ELECTROCARDIOGRAPH,  # abnormal EKG
        FindingId("HP:0001871"): Means.LABORATORY,  # blood and blood-forming tissues
        FindingId("HP:0001892"): Means.QUESTION,  # abnormal bleeding
        FindingId("HP:0001744"): Means.EXAMINATION,  # splenomegaly
        FindingId("HP:0002716"): Means.QUESTION,  # lymphadenopathy
        FindingId("HP:0001939"): Means.LABORATORY,  # metabolism and homeostasis
        FindingId("HP:0002240"): Means.EXAMINATION,  # hepatomegaly
        FindingId("HP:0000952"): Means.EXAMINATION,  # jaundice
        FindingId("HP:0000980"): Means.QUESTION,  # pallor
    }
)
"""What a finding and its special cases need; the nearest row upwards speaks."""


def means_of(term: Term, catalogue: Catalogue) -> Means:
    """Return how `term` is looked for.

    History and context are told. For the rest the nearest row of NEEDS upwards decides; without
    one, a finding with a question of its own is asked, any other is examined.
    """
    if term.antecedent:
        return Means.QUESTION
    for kind in _upwards(term.id, catalogue):
        if kind in NEEDS:
            return NEEDS[kind]
    return Means.QUESTION if term.questions else Means.EXAMINATION


def _upwards(finding: FindingId, catalogue: Catalogue) -> list[FindingId]:
    """Return the finding and its kinds, each before the kinds above it."""
    if finding not in catalogue.ontology:
        return [finding]
    found, level = [finding], [finding]
    while level:
        level = [p for kind in level for p in catalogue.ontology.parents(kind) if p not in found]
        found.extend(dict.fromkeys(level))
    return found
