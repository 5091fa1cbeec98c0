"""One visit of a hospital's record, as far as it may be stored: built by both readers alike."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Final

from ddx.domain.canonical import digest_of
from ddx.domain.case import Sex
from ddx.errors import DdxError
from training.sources.ehr.codes import known_loinc
from training.sources.ehr.units import unit_code
from training.sources.pseudonyms import Pseudonyms
from training.sources.visits import MAX_ROWS, Visit, bare_case

UNSTATED: Final = "unstated"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+/-]{0,63}")


class RecordUnreadableError(DdxError):
    """A record of a hospital does not read as its standard says. The others are not concerned."""

    code: ClassVar[str] = "lake.record_unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measured value. at: None sorts first. unit: UCUM as the record writes it."""

    loinc: str
    value: float
    unit: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """One condition. system: icd10, icd9, snomed. status: as FHIR's, or UNSTATED."""

    system: str
    code: str
    status: str = UNSTATED


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVisit:
    """A visit in the hospital's own ids, which end here. born: None when not known."""

    source: str
    facility: str
    patient: str
    visit: str
    at: datetime
    sex: Sex
    born: date | None
    measured: tuple[Measured, ...] = ()
    conditions: tuple[Coded, ...] = ()


def visit_of(record: RecordedVisit, pseudonyms: Pseudonyms) -> Visit:
    """Return the visit as it may be stored.

    Values of codes outside `ehr/observations.tsv`, and values without a unit, stay behind. The
    event's id covers the content: a record sent again is the same event, an amended one is not.
    """
    visit_id = pseudonyms.record(record.source, record.facility, record.visit)
    payload: dict[str, Any] = {
        "visit_id": visit_id,
        "patient_pseudonym": pseudonyms.patient(record.source, record.patient),
        "case": bare_case(_age_days(record.born, record.at), record.sex),
        "observations": list(_observations(record.measured))[:MAX_ROWS],
        "conditions": list(_conditions(record.conditions))[:MAX_ROWS],
    }
    return Visit(
        id=pseudonyms.record(record.source, visit_id, digest_of(payload)),
        visit_id=visit_id,
        source=record.source,
        clinic=pseudonyms.clinic(record.facility),
        at=record.at,
        payload=payload,
    )


def says_something(record: RecordedVisit) -> bool:
    """Return whether a learner could use the visit: a taken value or a condition."""
    return bool(record.conditions) or any(m.loinc in known_loinc() for m in record.measured)


def _observations(measured: Iterable[Measured]) -> Iterable[dict[str, Any]]:
    for found in sorted(measured, key=_when):
        unit = unit_code(found.unit)
        if unit is not None and found.loinc in known_loinc():
            yield {"code": found.loinc, "unit": unit, "value": float(found.value)}


def _when(found: Measured) -> float:
    return float("-inf") if found.at is None else found.at.timestamp()


def _conditions(conditions: Iterable[Coded]) -> Iterable[dict[str, str]]:
    for found in dict.fromkeys(conditions):
        if _CODE.fullmatch(found.code):
            yield {"system": found.system, "code": found.code, "status": found.status}


def _age_days(born: date | None, at: datetime) -> int | None:
    days = None if born is None else (at.date() - born).days
    return None if days is None or days < 0 else days
