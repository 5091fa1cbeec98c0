"""DDXPlus: synthetic patients with every question answered (Fansi Tchango et al. 2022, CC-BY).

Reads `patients.parquet`, or the publisher's own `release_train_patients` (csv or zip), beside
`release_evidences.json` and `release_conditions.json`. An evidence that a patient does not list
was asked and is absent; that holds for each value of a choice and for a grade of zero too.
"""

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

from ddx.domain.case import DAYS_PER_YEAR, Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId, disease_id, finding_id
from ddx.errors import DdxError
from ddx.features.encode import EXCLUDED, PRESENT, CaseTable

FOLDER: Final = "ddxplus"
PARQUET: Final = "patients.parquet"
EVIDENCES: Final = "release_evidences.json"
CONDITIONS: Final = "release_conditions.json"
RELEASE_CSV: Final = "release_train_patients.csv"
RELEASE_ZIP: Final = "release_train_patients.zip"
RANKED: Final = "dro_validate_6763_fr.csv.gz"
CODE_MAP: Final = "fr_to_en_code_map.json"

_TOKEN = re.compile(r"'([^']+)'")
_MID_YEAR: Final = 0.5
"""DDXPlus gives completed years; half a year on is where such a patient stands on average."""


class DataSetMissingError(DdxError):
    """A clinical data set is not where training looks for it. The text says what to do."""

    code: ClassVar[str] = "training.data_missing"

    def __init__(self, path: Path, remedy: str | None = None) -> None:
        """Name the absent file; remedy: what to do, the English release of DDXPlus by default."""
        super().__init__(f"{path} is missing. {remedy or _download_release(path.parent)}")
        self.path = path


def _download_release(folder: Path) -> str:
    return (
        "Download the English release of DDXPlus (github.com/mila-iqia/ddxplus, CC-BY): "
        f"{EVIDENCES}, {CONDITIONS} and {RELEASE_ZIP}; put the three files into {folder} "
        "(the folder `ddxplus` of the data folder, set by VEREDA_DATA)."
    )


class DataSetMalformedError(DdxError):
    """A file of the data set does not read as its publisher describes it."""

    code: ClassVar[str] = "training.data_malformed"


class CodedRow(Protocol):
    """A row of the knowledge base that may name a DDXPlus code or condition."""

    @property
    def id(self) -> str:
        """Our own id."""

    @property
    def ddxplus(self) -> str:
        """Code of an evidence, `E_55@V_14` for one value of it, or a condition name; or empty."""


class FindingRow(CodedRow, Protocol):
    """A row of `training/knowledge/findings.tsv`."""

    @property
    def kind(self) -> str:
        """One of binary, graded, choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """DDXPlus codes in our words.

    findings: in the order of the knowledge base. graded: those asked as 0..10.
    position_of_code: `E_91`, `E_55@V_14` or a graded `E_56` -> index into findings.
    disease_of_condition: condition name -> our disease.
    """

    findings: tuple[FindingId, ...]
    graded: frozenset[FindingId]
    position_of_code: Mapping[str, int]
    disease_of_condition: Mapping[str, DiseaseId]

    @classmethod
    def of(cls, findings: Iterable[FindingRow], diseases: Iterable[CodedRow]) -> "Vocabulary":
        """Return the vocabulary of the knowledge base. Raises IdentifierError.

        Rows without a DDXPlus code are left out; two codes of one finding share its position.
        """
        coded = [row for row in findings if row.ddxplus]
        ids = tuple(dict.fromkeys(finding_id(row.id) for row in coded))
        at = {finding: i for i, finding in enumerate(ids)}
        return cls(
            findings=ids,
            graded=frozenset(FindingId(row.id) for row in coded if row.kind == "graded"),
            position_of_code={row.ddxplus: at[FindingId(row.id)] for row in coded},
            disease_of_condition={d.ddxplus: disease_id(d.id) for d in diseases if d.ddxplus},
        )

    @property
    def questions(self) -> NDArray[np.int64]:
        """Number of the published question each finding answers, int64 (n_findings,)."""
        codes = {at: code.partition("@")[0] for code, at in self.position_of_code.items()}
        number = {code: i for i, code in enumerate(dict.fromkeys(codes.values()))}
        return np.array([number[codes[at]] for at in range(len(self.findings))], dtype=np.int64)

    def read(self, token: str) -> tuple[int, float] | None:
        """Return (position, value) of one published token; None when it maps to no finding.

        value: the grade of a graded finding, 1.0 of any other.
        """
        code, _, value = token.partition("_@_")
        at = self.position_of_code.get(code)
        if at is not None:
            return at, float(value) if self.findings[at] in self.graded else 1.0
        at = self.position_of_code.get(f"{code}@{value}")
        return None if at is None else (at, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """One published patient. label_source: gold, deduced or inferred (see the data manifest)."""

    row: int
    age_years: int
    sex: Sex
    condition: str
    evidences: tuple[str, ...]
    label_source: str = "gold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The present findings of many patients, packed row after row.

    offsets: int64 (n + 1,). position: int32 (total,), index into the findings of a vocabulary.
    value: float32 (total,), grade or 1. age_days: float64 (n,). female: float32 (n,).
    unmapped: published tokens that no finding of the vocabulary reads, with their counts.
    """

    offsets: NDArray[np.int64]
    position: NDArray[np.int32]
    value: NDArray[np.float32]
    age_days: NDArray[np.float64]
    female: NDArray[np.float32]
    unmapped: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.age_days)

    def row_of_entry(self) -> NDArray[np.int64]:
        """Return int64 (total,): the patient each packed entry belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def take(self, rows: NDArray[np.int64]) -> "Answers":
        """Return the patients at `rows`, in that order, repetitions allowed."""
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        entries = np.repeat(self.offsets[rows], lengths) + within
        return Answers(
            offsets=offsets,
            position=self.position[entries],
            value=self.value[entries],
            age_days=self.age_days[rows],
            female=self.female[rows],
            unmapped=self.unmapped,
        )

    def table(self, findings: tuple[FindingId, ...]) -> CaseTable:
        """Return the patients with every finding of the vocabulary asked."""
        presence = np.full((len(self), len(findings)), EXCLUDED, dtype=np.int8)
        grade = np.full(presence.shape, np.nan, dtype=np.float32)
        rows = self.row_of_entry()
        presence[rows, self.position] = PRESENT
        grade[rows, self.position] = self.value
        return CaseTable(
            age_days=self.age_days,
            female=self.female,
            findings=findings,
            presence=presence,
            grade=grade,
        )


def read_patients(data: Path) -> tuple[Patient, ...]:
    """Return the patients in `data`/ddxplus, in file order.

    Raises:
        DataSetMissingError: neither form of the patient file is there.
        DataSetMalformedError: columns absent or values out of range.
    """
    folder = data / FOLDER
    try:
        if (folder / PARQUET).is_file():
            return tuple(_from_parquet(folder / PARQUET))
        if (folder / RELEASE_CSV).is_file():
            with (folder / RELEASE_CSV).open(encoding="utf-8", newline="") as lines:
                return tuple(_from_release(lines))
        if (folder / RELEASE_ZIP).is_file():
            return tuple(_from_zip(folder / RELEASE_ZIP))
    except (KeyError, ValueError, OSError) as error:
        raise DataSetMalformedError(f"{folder}: patients cannot be read: {error!r}") from error
    raise DataSetMissingError(folder / RELEASE_ZIP)


def _from_parquet(path: Path) -> Iterator[Patient]:
    names = ["row", "AGE", "SEX", "PATHOLOGY", "label_source", "EVIDENCES"]
    table = pyarrow.parquet.read_table(path, columns=names)
    for row, age, sex, condition, source, evidences in zip(
        *(table.column(name).to_pylist() for name in names), strict=True
    ):
        yield Patient(
            row=row,
            age_years=age,
            sex=_SEX[sex],
            condition=condition,
            evidences=tuple(evidences.split()),
            label_source=source,
        )


def _from_zip(path: Path) -> Iterator[Patient]:
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if not n.endswith("/"))
        with archive.open(name) as raw:
            yield from _from_release(io.TextIOWrapper(raw, encoding="utf-8", newline=""))


def _from_release(lines: Iterable[str]) -> Iterator[Patient]:
    for number, raw in enumerate(csv.DictReader(lines)):
        yield Patient(
            row=number,
            age_years=int(raw["AGE"]),
            sex=_SEX[raw["SEX"]],
            condition=raw["PATHOLOGY"],
            evidences=tuple(_TOKEN.findall(raw["EVIDENCES"])),
        )


_SEX: Final = {"F": Sex.FEMALE, "M": Sex.MALE}


def read_evidences(data: Path) -> dict[str, dict[str, Any]]:
    """Return `release_evidences.json`: code -> question, data_type, default_value and so on."""
    return read_json(data / FOLDER / EVIDENCES)


def read_conditions(data: Path) -> dict[str, dict[str, Any]]:
    """Return `release_conditions.json`: name -> icd10-id, severity (1 worst) and so on."""
    return read_json(data / FOLDER / CONDITIONS)


def read_json(path: Path) -> dict[str, dict[str, Any]]:
    """Return a file of this data set. Raises DataSetMissingError or DataSetMalformedError."""
    if not path.is_file():
        raise DataSetMissingError(path)
    try:
        found: dict[str, dict[str, Any]] = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataSetMalformedError(f"{path} is not JSON: {error}") from error
    return found


def pack(patients: Iterable[Patient], vocabulary: Vocabulary) -> Answers:
    """Return what the patients answered, in the vocabulary's findings."""
    offsets, position, value = [0], list[int](), list[float]()
    ages, female = list[float](), list[bool]()
    unmapped: Counter[str] = Counter()
    for patient in patients:
        seen = _present(patient, vocabulary, unmapped)
        position.extend(seen)
        value.extend(seen.values())
        offsets.append(len(position))
        ages.append(_age_days(patient))
        female.append(patient.sex is Sex.FEMALE)
    return Answers(
        offsets=np.array(offsets, dtype=np.int64),
        position=np.array(position, dtype=np.int32),
        value=np.array(value, dtype=np.float32),
        age_days=np.array(ages, dtype=np.float64),
        female=np.array(female, dtype=np.float32),
        unmapped=dict(unmapped),
    )


def _present(
    patient: Patient, vocabulary: Vocabulary, unmapped: Counter[str] | None = None
) -> dict[int, float]:
    """Return position -> value of the findings present; a grade of zero is absence."""
    seen: dict[int, float] = {}
    for token in patient.evidences:
        answer = vocabulary.read(token)
        if answer is None:
            if unmapped is not None:
                unmapped[token] += 1
        elif answer[1] > 0:
            seen[answer[0]] = max(answer[1], seen.get(answer[0], 0.0))
    return seen


def _age_days(patient: Patient) -> int:
    return int((patient.age_years + _MID_YEAR) * DAYS_PER_YEAR)


def case_of(patient: Patient, vocabulary: Vocabulary) -> Case:
    """Return `patient` as a case: every finding of the vocabulary present or excluded."""
    seen = _present(patient, vocabulary)
    return Case(
        age_days=_age_days(patient),
        sex=patient.sex,
        findings=tuple(
            _finding(finding, seen.get(i), graded=finding in vocabulary.graded)
            for i, finding in enumerate(vocabulary.findings)
        ),
    )


def complaints_of(patient: Patient, vocabulary: Vocabulary) -> Case:
    """Return `patient` as a case with only what is present; nothing else was asked."""
    seen = _present(patient, vocabulary)
    found = ((vocabulary.findings[i], value) for i, value in seen.items())
    return Case(
        age_days=_age_days(patient),
        sex=patient.sex,
        findings=tuple(_finding(f, value, graded=f in vocabulary.graded) for f, value in found),
    )


def _finding(id: FindingId, value: float | None, *, graded: bool) -> Finding:
    if value is None:
        return Finding(id=id, presence=Presence.EXCLUDED)
    return Finding(id=id, presence=Presence.PRESENT, grade=value if graded else None)
