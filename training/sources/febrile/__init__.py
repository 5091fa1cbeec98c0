"""Line lists of febrile patients, read as their articles publish them.

Three cohorts may inform the knowledge base (`counted_frequencies`); the others, `HELD_OUT`, are
tests with real patients and are counted nowhere.
"""

from typing import Final

from training.sources.febrile.counted import (
    COUNTED,
    CountedFrequency,
    CountedPeople,
    counted_frequencies,
    counted_people,
)
from training.sources.febrile.patients import (
    FebrilePatient,
    LineListMalformedError,
    LineListMissingError,
    read_cohort,
)
from training.sources.febrile.readings import Cohort

HELD_OUT: Final = frozenset({Cohort.FOZ, Cohort.VIETNAM, Cohort.INDONESIA})
"""Test sets of real patients: they must never inform the knowledge base."""

__all__ = [
    "COUNTED",
    "HELD_OUT",
    "Cohort",
    "CountedFrequency",
    "CountedPeople",
    "FebrilePatient",
    "LineListMalformedError",
    "LineListMissingError",
    "counted_frequencies",
    "counted_people",
    "read_cohort",
]
