"""Which codes of hospitals mean which vital sign, finding or disease: the tables of `ehr/`.

ICD-10 codes are those of our own diseases and of a few symptoms; a site may add rows of its own
(SNOMED CT, local codes) in files of the same columns. A code stands for all codes under it.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from ddx.domain.case import VitalSigns
from ddx.domain.identifiers import DiseaseId, FindingId, finding_id
from ddx.errors import IdentifierError
from training.knowledge import KnowledgeError, diseases
from training.sources.endemic import endemic_knowledge

ICD10: Final = "icd10"
_VITALS: Final = frozenset(VitalSigns.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationCode:
    """A LOINC code in one unit: vital = value * factor + offset, in the unit of `VitalSigns`."""

    loinc: str
    unit: str
    vital: str
    factor: float
    offset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionCode:
    """A code, without its dot, that means a finding or a disease; exactly one of them is set."""

    system: str
    code: str
    finding: FindingId | None = None
    disease: DiseaseId | None = None


@cache
def observation_codes() -> tuple[ObservationCode, ...]:
    """Return the rows of observations.tsv. Raises KnowledgeError."""
    rows = tuple(_observation(raw) for raw in _read(_folder().joinpath("observations.tsv")))
    _refuse_repeated((row.loinc, row.unit) for row in rows)
    return rows


@cache
def condition_codes() -> tuple[ConditionCode, ...]:
    """Return the rows of conditions.tsv and the ICD-10 codes of our own diseases.

    A code two diseases share means neither of them.

    Raises:
        KnowledgeError: a row is malformed, or a code is given twice.
    """
    rows = tuple(_condition(raw) for raw in _read(_folder().joinpath("conditions.tsv")))
    _refuse_repeated((row.system, row.code) for row in rows)
    listed = [(d.id, d.icd10) for d in diseases()]
    listed += [(d.id, d.icd10) for d in endemic_knowledge().diseases]
    shared = Counter(plain_code(code) for _, code in listed)
    own = tuple(
        ConditionCode(system=ICD10, code=plain_code(code), disease=disease)
        for disease, code in listed
        if code and shared[plain_code(code)] == 1
    )
    return rows + own


def plain_code(code: str) -> str:
    """Return a code as codes are compared: upper case, no dots."""
    return code.replace(".", "").upper()


@cache
def known_loinc() -> frozenset[str]:
    """Return the LOINC codes that are taken from a record; all others stay where they are."""
    return frozenset(row.loinc for row in observation_codes())


def _observation(raw: dict[str, str]) -> ObservationCode:
    if raw["vital"] not in _VITALS:
        raise KnowledgeError(f"observations.tsv: {raw['vital']!r} is no vital sign")
    return ObservationCode(
        loinc=raw["loinc"],
        unit=raw["unit"],
        vital=raw["vital"],
        factor=float(raw["factor"]),
        offset=float(raw["offset"]),
    )


def _condition(raw: dict[str, str]) -> ConditionCode:
    try:
        finding = finding_id(raw["finding"])
    except IdentifierError as error:
        raise KnowledgeError(f"conditions.tsv: {error}") from error
    return ConditionCode(system=raw["system"], code=plain_code(raw["code"]), finding=finding)


def _folder() -> Traversable:
    return files("training.knowledge").joinpath("ehr")


def _read(table: Traversable) -> Iterator[dict[str, str]]:
    lines = table.read_text(encoding="utf-8").splitlines()
    yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _refuse_repeated(keys: Iterable[tuple[str, ...]]) -> None:
    twice = [" ".join(key) for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise KnowledgeError(f"codes given twice: {', '.join(twice)}")
