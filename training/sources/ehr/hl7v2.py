"""HL7 v2 messages as visits: PID, PV1, DG1 and OBX; nothing else of a message is read.

Source: HL7 v2.5.1, chapters 2 (control), 3 (patient administration), 6 (DG1) and 7 (OBX).
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import hl7

from ddx.domain.case import Sex
from training.sources.ehr.record import (
    UNSTATED,
    Coded,
    Measured,
    RecordedVisit,
    RecordUnreadableError,
    says_something,
    visit_of,
)
from training.sources.pseudonyms import Pseudonyms
from training.sources.visits import Visit

_SEX: Final = MappingProxyType({"F": Sex.FEMALE, "M": Sex.MALE})
_TIME = re.compile(r"(\d{4})(\d{2})?(\d{2})?(?:(\d{2})(\d{2})?(\d{2})?(?:\.\d{1,4})?)?([+-]\d{4})?")
_SYSTEMS: Final = MappingProxyType(
    {
        "I10": "icd10",
        "I10C": "icd10",
        "I10P": "icd10",
        "ICD10": "icd10",
        "ICD-10": "icd10",
        "I9": "icd9",
        "I9C": "icd9",
        "ICD9": "icd9",
        "SCT": "snomed",
    }
)
"""HL7 table 0396, and what senders write in its place."""

_STATUS: Final = MappingProxyType({"F": "confirmed", "W": "provisional", "A": "provisional"})
"""HL7 table 0052, type of a diagnosis: final, working, admitting."""

_NOT_FINAL: Final = frozenset({"X", "D", "W"})
"""HL7 table 0085: not obtained, deleted, posted wrongly."""

_LOINC: Final = "LN"


def read_hl7v2(path: Path, source: str, pseudonyms: Pseudonyms) -> Iterator[Visit]:
    """Yield the visits of a message, or of every `.hl7` file of a folder, in name order.

    Messages without a patient, a time, or anything a learner could use are left out.

    Raises:
        RecordUnreadableError: a file is no HL7 v2 message.
    """
    for file in sorted(path.glob("*.hl7")) if path.is_dir() else (path,):
        found = visit_in(file.read_bytes(), source, name=file.name)
        if found is not None and says_something(found):
            yield visit_of(found, pseudonyms)


def visit_in(raw: bytes, source: str, *, name: str = "message") -> RecordedVisit | None:
    """Return the visit a message tells of, or None when it names no patient or no time.

    Raises:
        RecordUnreadableError: not an HL7 v2 message.
    """
    try:
        message = hl7.parse(_text(raw))
    except (hl7.HL7Exception, ValueError, IndexError, KeyError) as error:
        raise RecordUnreadableError(f"{name} is no HL7 v2 message") from error
    person = _first(message, "PID")
    at = _moment(_field(_first(message, "PV1"), 44)) or _moment(_field(message[0], 7))
    patient = _field(person, 3)
    if at is None or not patient:
        return None
    stay = _field(_first(message, "PV1"), 19) or _field(message[0], 10)
    return RecordedVisit(
        source=source,
        facility=_field(message[0], 4) or source,
        patient=patient,
        visit=f"{patient}/{stay}",
        at=at,
        sex=_SEX.get(_field(person, 8), Sex.UNKNOWN),
        born=_day(_field(person, 7)),
        measured=tuple(_measured(message)),
        conditions=tuple(_coded(message)),
    )


def _text(raw: bytes) -> str:
    """Return a message with the line ends the standard asks for: one carriage return."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return re.sub(r"\r\n|\n", "\r", text.strip("\x0b\x1c\r\n ")) + "\r"


def _first(message: hl7.Message, name: str) -> Any:
    return next((s for s in message if str(s[0]) == name), None)


def _field(segment: Any, number: int, component: int = 1) -> str:
    """Return a component of the first repetition of a field, "" where there is none."""
    try:
        repetition = segment[number][0]
    except (IndexError, TypeError):
        return ""
    if isinstance(repetition, str):
        return repetition.strip() if component == 1 else ""
    try:
        return str(repetition[component - 1]).split("&")[0].strip()
    except IndexError:
        return ""


def _measured(message: hl7.Message) -> Iterator[Measured]:
    """Yield the numbers of OBX. A range, or several numbers in one field, is no measurement."""
    for segment in message:
        if str(segment[0]) != "OBX" or _field(segment, 3, 3) != _LOINC:
            continue
        repeated = len(segment[5]) if len(segment) > 5 else 0
        value = _number(_field(segment, 5))
        if repeated != 1 or value is None or _field(segment, 11) in _NOT_FINAL:
            continue
        yield Measured(
            loinc=_field(segment, 3),
            value=value,
            unit=_field(segment, 6),
            at=_moment(_field(segment, 14)),
        )


def _coded(message: hl7.Message) -> Iterator[Coded]:
    for segment in message:
        if str(segment[0]) == "DG1":
            system = _SYSTEMS.get(_field(segment, 3, 3) or _field(segment, 2), "")
            if system and _field(segment, 3):
                status = _STATUS.get(_field(segment, 6), UNSTATED)
                yield Coded(system=system, code=_field(segment, 3), status=status)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    """Return a time stamp (YYYY[MM[DD[HHMM[SS[.S]]]]][+/-ZZZZ]) in UTC; UTC without a zone."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    try:
        moment = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=_zone(zone),
        )
    except ValueError:
        return None
    return moment.astimezone(UTC)


def _zone(text: str | None) -> timezone:
    if not text:
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[3:])
    return timezone(timedelta(minutes=minutes if text[0] == "+" else -minutes))


def _day(text: str) -> date | None:
    moment = _moment(text[:8])
    return None if moment is None else moment.date()
