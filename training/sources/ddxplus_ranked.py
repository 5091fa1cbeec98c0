"""DDXPlus's official validation rows in the original French codes, with their opening complaint.

A second test set: nothing is ever fitted on it. Codes are translated to the English release with
the published correspondence beside it.
"""

import ast
import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding
from ddx.domain.identifiers import FindingId
from ddx.inquiry.interview import partial
from training.sources.ddxplus import (
    CODE_MAP,
    FOLDER,
    RANKED,
    DataSetMalformedError,
    DataSetMissingError,
    Patient,
    Vocabulary,
    complaints_of,
    read_conditions,
    read_json,
)

_SEX: Final = {"F": Sex.FEMALE, "M": Sex.MALE}

_REMEDY: Final = (
    "It holds rows of release_validate_patients from the French release of DDXPlus "
    f"(github.com/mila-iqia/ddxplus, CC-BY); put it and {CODE_MAP} into {{folder}}, or do "
    "without: it is a second test set only."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedVisit:
    """A patient and the evidence the visit opened with, both in codes of the English release."""

    patient: Patient
    opening: str


def has_ranked(data: Path) -> bool:
    """Return whether `data` holds the set; who downloaded only the release does without."""
    return (data / FOLDER / RANKED).is_file()


def read_ranked(data: Path) -> tuple[OpenedVisit, ...]:
    """Return the rows in file order.

    Raises:
        DataSetMissingError: the rows, the code map or the conditions are absent.
        DataSetMalformedError: a code, a condition or a column is not one of theirs.
    """
    path = data / FOLDER / RANKED
    if not path.is_file():
        raise DataSetMissingError(path, _REMEDY.format(folder=path.parent))
    names = {c["cond-name-fr"]: name for name, c in read_conditions(data).items()}
    codes = read_json(data / FOLDER / CODE_MAP)
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            return tuple(_visits(csv.DictReader(lines), names, codes))
    except (KeyError, ValueError, SyntaxError, OSError, EOFError) as error:
        raise DataSetMalformedError(f"{path} cannot be read: {error!r}") from error


def _visits(
    rows: Iterator[Mapping[str, str]],
    names: Mapping[str, str],
    codes: Mapping[str, Mapping[str, str]],
) -> Iterator[OpenedVisit]:
    for number, raw in enumerate(rows):
        listed = ast.literal_eval(raw["EVIDENCES"])
        patient = Patient(
            row=number,
            age_years=int(raw["AGE"]),
            sex=_SEX[raw["SEX"]],
            condition=names[raw["PATHOLOGY"]],
            evidences=tuple(_token(token, codes) for token in listed),
        )
        yield OpenedVisit(patient=patient, opening=_token(raw["INITIAL_EVIDENCE"], codes))


def _token(french: str, codes: Mapping[str, Mapping[str, str]]) -> str:
    """Return one token in the English code; a grade keeps its number."""
    if french in codes["cols"]:
        return codes["cols"][french]
    question, _, value = french.partition("_@_")
    code = codes["f2e"][question]
    if not value:
        return code
    if not value.isdigit():
        raise DataSetMalformedError(f"no English code for {french!r}")
    return f"{code}_@_{value}"


def opened_case(
    visit: OpenedVisit, vocabulary: Vocabulary, further: int, rng: np.random.Generator
) -> Case:
    """Return what is known after the opening complaint and `further` of the patient's findings.

    The further ones are findings the patient has, drawn evenly; nothing is excluded.
    """
    complaints = complaints_of(visit.patient, vocabulary)
    opening = vocabulary.read(visit.opening)
    kept = set() if opening is None else {vocabulary.findings[opening[0]]}
    others = [finding for finding in complaints.findings if finding.id not in kept]
    return partial(complaints, kept | _drawn(others, further, rng))


def _drawn(findings: list[Finding], n: int, rng: np.random.Generator) -> set[FindingId]:
    return {findings[i].id for i in rng.permutation(len(findings))[:n]}
