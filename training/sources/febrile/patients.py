"""Rows of a line list as cases with what the study concluded."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import python_calamine

from ddx.domain.case import DAYS_PER_YEAR, Case, Sex, VitalSigns
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.errors import DdxError
from training.sources.febrile.cohorts import PUBLICATIONS, Publication, Row
from training.sources.febrile.readings import Cohort, Reading, readings

FEVER: Final = FindingId("HP:0001945")
ADULT_YEARS: Final = 16
"""From this age the limits of line_lists.tsv for pulse, breathing and pressure are read."""


class LineListMissingError(DdxError):
    """A line list is not where training looks for it. The text says what to do."""

    code: ClassVar[str] = "training.line_list_missing"

    def __init__(self, path: Path, citation: str) -> None:
        super().__init__(
            f"{path} is missing. Download the data file of {citation} and put it there "
            "(the data folder is set by VEREDA_DATA)."
        )
        self.path = path


class LineListMalformedError(DdxError):
    """A line list does not hold what its article describes."""

    code: ClassVar[str] = "training.line_list_malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FebrilePatient:
    """One row of a line list.

    diagnosis: what the study concluded, in its own words or ours. truths: diseases of the
    knowledge base that this makes right, any of them; empty when it is none of them or unknown.
    laboratory: whether a laboratory test decided it; None where the file does not tell.
    """

    id: str
    cohort: Cohort
    case: Case
    diagnosis: str
    truths: tuple[DiseaseId, ...]
    laboratory: bool | None = None


def read_cohort(data: Path, cohort: Cohort) -> tuple[FebrilePatient, ...]:
    """Return the patients of one line list in `data`, in file order.

    Where fever was an entry criterion of the study it is present in every case.

    Raises:
        LineListMissingError: the file is not there.
        LineListMalformedError: a sheet, column or cell is not as published.
    """
    publication = PUBLICATIONS[cohort]
    read = tuple(r for r in readings() if r.cohort is cohort)
    patients = []
    for number, row in enumerate(_rows(data / publication.file, publication), start=2):
        try:
            patients.append(_patient(row, number, cohort, read))
        except (KeyError, ValueError, TypeError) as error:
            raise LineListMalformedError(
                f"{publication.file}, row {number}: {error!r}; expected the data of "
                f"{publication.citation}"
            ) from error
    return tuple(patients)


def _patient(row: Row, number: int, cohort: Cohort, read: tuple[Reading, ...]) -> FebrilePatient:
    publication = PUBLICATIONS[cohort]
    years = publication.age_years(row)
    female = publication.female(row)
    diagnosis, truths = publication.truth(row)
    return FebrilePatient(
        id=f"{cohort}-{row[publication.id] if publication.id else number}",
        cohort=cohort,
        case=Case(
            age_days=int(years * DAYS_PER_YEAR),
            sex=Sex.UNKNOWN if female is None else Sex.FEMALE if female else Sex.MALE,
            findings=_findings(row, read, adult=years >= ADULT_YEARS, fever=publication.fever),
            vitals=_vitals(row, read),
        ),
        diagnosis=diagnosis,
        truths=truths,
        laboratory=publication.laboratory(row),
    )


def _findings(
    row: Row, read: tuple[Reading, ...], *, adult: bool, fever: bool
) -> tuple[Finding, ...]:
    """Join the columns of each finding: present in any, else excluded if any was answered."""
    presence: dict[FindingId, Presence] = {FEVER: Presence.PRESENT} if fever else {}
    for reading in read:
        if reading.finding is None or (reading.adult_only and not adult):
            continue
        seen = reading.presence(row[reading.column])
        if seen is Presence.PRESENT:
            presence[reading.finding] = seen
        elif seen is Presence.EXCLUDED:
            presence.setdefault(reading.finding, seen)
    return tuple(Finding(id=i, presence=p) for i, p in presence.items())


def _vitals(row: Row, read: tuple[Reading, ...]) -> VitalSigns:
    cells = {r.target: row[r.column] for r in read if r.finding is None}
    measured: dict[str, Any] = {n: cell for n, cell in cells.items() if isinstance(cell, float)}
    return VitalSigns(**measured)


def _rows(path: Path, publication: Publication) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise LineListMissingError(path, publication.citation)
    if not publication.sheet:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from csv.DictReader(lines, delimiter=";")
        return
    try:
        book = python_calamine.load_workbook(str(path))
        header, *rows = book.get_sheet_by_name(publication.sheet).to_python()
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise LineListMalformedError(f"{path.name} cannot be read: {error!r}") from error
    names = _distinct(header)
    yield from (dict(zip(names, row, strict=True)) for row in rows)


def _distinct(header: list[Any]) -> list[str]:
    """Return the column names, the second `rash` as `rash#2`."""
    seen: Counter[str] = Counter()
    names = []
    for cell in header:
        name = str(cell).strip()
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names
