"""What the line lists say of the knowledge base, counted: its grade A.

Held-out cohorts are refused here, so that no test set can inform what it will test.
"""

import csv
import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from training.sources.endemic.ages import AGE_BANDS, band_of
from training.sources.febrile.cohorts import (
    DENGUE_PLAIN,
    DENGUE_SEVERE,
    DENGUE_WARNING,
    PUBLICATIONS,
)
from training.sources.febrile.patients import (
    FEVER,
    FebrilePatient,
    LineListMalformedError,
    LineListMissingError,
    read_cohort,
)
from training.sources.febrile.readings import Cohort

COUNTED: Final = (Cohort.MALAYSIA, Cohort.THAILAND, Cohort.MANILA)
"""Cohorts that may inform the knowledge base."""

SMALLEST_GROUP: Final = 30
"""Fewer patients than this say too little of a frequency (half-width of 95 % above 0.17)."""

PERU: Final = "latam/peru_dengue_2019_2022.csv.gz"
PERU_SOURCE: Final = "peru-2019-2022"
PERU_CITATION: Final = "notified dengue, Peru 2019-2022 (open surveillance data)"
_PERU_DISEASE: Final = {
    "DENGUE SIN SENALES DE ALARMA": DENGUE_PLAIN,
    "DENGUE CON SENALES DE ALARMA": DENGUE_WARNING,
    "DENGUE GRAVE": DENGUE_SEVERE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedFrequency:
    """How often a finding was seen among the patients of one disease in one cohort.

    present of asked patients; source: key of the article in sources.toml.
    """

    disease: DiseaseId
    finding: FindingId
    source: str
    present: int
    asked: int

    @property
    def probability(self) -> float:
        """Posterior mean under Jeffreys' prior, so that 0 of n is rare and not impossible.

        Source: (k + 1/2) / (n + 1); Brown, Cai & DasGupta 2001, Statistical Science 16:101.
        """
        return (self.present + 0.5) / (self.asked + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedPeople:
    """Who had a disease: patients by age band (keys of AGE_BANDS), and women among them."""

    disease: DiseaseId
    source: str
    patients: int
    female: int
    ages: dict[str, int]

    @property
    def female_share(self) -> float:
        """Share of women and girls, 0..1."""
        return self.female / self.patients

    @property
    def age_weights(self) -> dict[str, float]:
        """Share of the patients in each age band, 0..1."""
        return {band: count / self.patients for band, count in self.ages.items()}


def counted_frequencies(data: Path) -> tuple[CountedFrequency, ...]:
    """Return every frequency the counted cohorts give, cohort by cohort.

    Fever is left out where it was an entry criterion: its frequency there says nothing. So are
    findings asked of fewer than SMALLEST_GROUP patients of a disease.

    Raises:
        LineListMissingError, LineListMalformedError: a line list is not as published.
    """
    return tuple(
        frequency
        for cohort in COUNTED
        for frequency in _frequencies(read_cohort(data, cohort), cohort)
    )


def _frequencies(patients: Iterable[FebrilePatient], cohort: Cohort) -> Iterator[CountedFrequency]:
    present: Counter[tuple[DiseaseId, FindingId]] = Counter()
    asked: Counter[tuple[DiseaseId, FindingId]] = Counter()
    for patient in patients:
        for disease in patient.truths:
            for finding in patient.case.findings:
                if finding.id != FEVER or not PUBLICATIONS[cohort].fever:
                    asked[disease, finding.id] += 1
                    present[disease, finding.id] += finding.presence is Presence.PRESENT
    for (disease, finding_), count in asked.items():
        if count >= SMALLEST_GROUP:
            yield CountedFrequency(
                disease=disease,
                finding=finding_,
                source=PUBLICATIONS[cohort].source,
                present=present[disease, finding_],
                asked=count,
            )


def counted_people(data: Path) -> tuple[CountedPeople, ...]:
    """Return age and sex: dengue from Peru's notifications, the rest from the Manila hospital.

    Raises:
        LineListMissingError, LineListMalformedError: a line list is not as published.
    """
    peru = _people(_peru(data / PERU), PERU_SOURCE)
    manila = _people(
        (
            (disease, band_of(patient.case.age_years or 0.0), patient.case.sex is Sex.FEMALE)
            for patient in read_cohort(data, Cohort.MANILA)
            for disease in patient.truths
            if disease not in set(_PERU_DISEASE.values())
        ),
        PUBLICATIONS[Cohort.MANILA].source,
    )
    return (*peru, *manila)


def _peru(path: Path) -> Iterator[tuple[DiseaseId, str, bool]]:
    if not path.is_file():
        raise LineListMissingError(path, PERU_CITATION)
    try:
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                disease = _PERU_DISEASE[row["enfermedad"]]
                yield disease, band_of(int(row["edad"])), row["sexo"] == "F"
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise LineListMalformedError(f"{path.name} cannot be read: {error!r}") from error


def _people(rows: Iterable[tuple[DiseaseId, str, bool]], source: str) -> tuple[CountedPeople, ...]:
    counts = Counter(rows)
    return tuple(
        CountedPeople(
            disease=disease,
            source=source,
            patients=sum(n for (d, _, _), n in counts.items() if d == disease),
            female=sum(n for (d, _, is_female), n in counts.items() if d == disease and is_female),
            ages={
                band: counts[disease, band, False] + counts[disease, band, True]
                for band in AGE_BANDS
            },
        )
        for disease in dict.fromkeys(d for d, _, _ in counts)
    )
