"""What the annotations of a disease say together: frequencies read, pooled and propagated.

One definition for training, which fits the index from every row, and for the device, which
works a profile out again when a paper is left out (`ddx.features.rare_sources`).
Format: phenotype.hpoa (obophenotype.github.io/human-phenotype-ontology/annotations).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Protocol

from ddx.domain.identifiers import FindingId
from ddx.features.rare_index import FREQUENCY_STEPS
from ddx.terminology.ontology import PHENOTYPIC_ABNORMALITY, Ontology

FREQUENCY_TERMS: Final = {
    "HP:0040280": 1.0,  # Obligate: 100 %
    "HP:0040281": 0.895,  # Very frequent: 80-99 %
    "HP:0040282": 0.545,  # Frequent: 30-79 %
    "HP:0040283": 0.17,  # Occasional: 5-29 %
    "HP:0040284": 0.025,  # Very rare: 1-4 %
    "HP:0040285": 0.0,  # Excluded: 0 %
}
"""Midpoint of the range in each term's definition in hp.obo (the children of HP:0040279)."""

_COUNT = re.compile(r"(\d+)/(\d+)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often a finding was seen among the patients described with a disease.

    share: 0..1. observed, examined: the counts behind it, None where only a class or a
    percentage was published.
    """

    share: float
    observed: int | None = None
    examined: int | None = None


@dataclass(frozen=True, slots=True)
class PooledFrequency:
    """What all annotations of one disease with one term say together.

    assumed: 0..1, what the ranker computes with; 0 when every patient examined lacked it.
    stated: 0..1, the pooled share as published; None where nothing is stated.
    """

    assumed: float
    stated: float | None


class Annotation(Protocol):
    """One row of phenotype.hpoa, as far as pooling reads it.

    excluded: the row says the finding does NOT belong to the disease.
    """

    @property
    def hpo_id(self) -> FindingId:
        """Term of the row."""

    @property
    def excluded(self) -> bool:
        """Whether the row negates the term."""

    @property
    def frequency(self) -> Frequency | None:
        """What the row states, None where it states nothing."""


class PoolingConstants(Protocol):
    """How annotations become frequencies; see `Pooling`."""

    @property
    def prior_patients(self) -> float:
        """Pseudo-patients added to every count."""

    @property
    def prior_frequency(self) -> float:
        """Share of them that show the finding."""

    @property
    def class_patients(self) -> float:
        """Pseudo-patients a frequency class or percentage stands for."""

    @property
    def unstated_frequency(self) -> float:
        """Assumed where no annotation states one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling:
    """How annotations become frequencies.

    prior_patients, prior_frequency: pseudo-patients added to every count, so that 1/1 is not
    "always" (Beta prior). class_patients: pseudo-patients a frequency class or percentage
    stands for. unstated_frequency: assumed where no annotation states one.
    """

    prior_patients: float
    prior_frequency: float
    class_patients: float
    unstated_frequency: float


POOLING: Final = Pooling(
    prior_patients=2.0, prior_frequency=0.3, class_patients=10.0, unstated_frequency=0.9
)
"""What the index of a bundle is fitted with; chosen in `training.fit.rare`."""


@cache
def parse_frequency(text: str) -> Frequency | None:
    """Return the frequency `text` states: `n/m`, `p%`, a frequency term, or None when empty.

    A term gives the midpoint of its range (FREQUENCY_TERMS). `0/0` states nothing: None.
    Raises ValueError for any other form and for more observed than examined.
    """
    if not text:
        return None
    if text in FREQUENCY_TERMS:
        return Frequency(FREQUENCY_TERMS[text])
    if (percent := _PERCENT.fullmatch(text)) and float(percent[1]) <= 100:
        return Frequency(float(percent[1]) / 100)
    if count := _COUNT.fullmatch(text):
        observed, examined = int(count[1]), int(count[2])
        if examined == 0 and observed == 0:
            return None
        if observed <= examined:
            return Frequency(observed / examined, observed, examined)
    raise ValueError(f"not a frequency: {text!r}")


def pool(
    rows: Iterable[Annotation], graph: Ontology, constants: PoolingConstants = POOLING
) -> dict[int, PooledFrequency]:
    """Return what the rows of one disease say of each term, by ontology index.

    Counts of several papers add up (2/3 and 5/10 are 7/13); a class or percentage enters as
    `class_patients` patients. Rows that negate the term (NOT) are left out.
    """
    terms: dict[int, list[Annotation]] = defaultdict(list)
    for row in rows:
        if not row.excluded:
            terms[graph.index_of(row.hpo_id)].append(row)
    return {term: _pooled(same, constants) for term, same in terms.items()}


def propagate(pooled: Mapping[int, PooledFrequency], graph: Ontology) -> dict[int, float]:
    """Return the frequency of every annotated term and its phenotypic ancestors.

    An ancestor is missing only when all annotated terms below it are: 1 - prod(1 - f), as if
    they were independent. That overstates it for findings that come together; the alternative
    (the largest f) ranked worse on the tuning cases.
    """
    missing: dict[int, float] = {}
    root = graph.index_of(PHENOTYPIC_ABNORMALITY)
    for term, frequency in pooled.items():
        if frequency.assumed > 0:
            for kind in graph.lineage(term).tolist():
                missing[kind] = missing.get(kind, 1.0) * (1.0 - frequency.assumed)
    return {kind: 1.0 - share for kind, share in missing.items() if root in graph.lineage(kind)}


def frequency_code(share: float) -> int:
    """Return a propagated frequency as the index stores it; never 0 (see FREQUENCY_STEPS)."""
    return max(1, round(share * FREQUENCY_STEPS))


def _pooled(rows: list[Annotation], constants: PoolingConstants) -> PooledFrequency:
    observed = examined = 0.0
    for row in rows:
        if row.frequency is not None:
            patients = row.frequency.examined or constants.class_patients
            observed += row.frequency.share * patients
            examined += patients
    if not examined:
        return PooledFrequency(constants.unstated_frequency, None)
    if not observed:
        return PooledFrequency(0.0, 0.0)
    prior = constants.prior_patients
    assumed = (observed + prior * constants.prior_frequency) / (examined + prior)
    return PooledFrequency(assumed, observed / examined)
