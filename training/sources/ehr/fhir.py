"""FHIR R4 (4.0.1): Bundles, and bulk exports of one resource a line, as visits.

An Encounter is a visit. Patient, Observation and Condition are read through it; nothing else of a
record is. Resources are plain JSON: a strict model would refuse real exports (dates, extensions).
"""

import gzip
import json
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

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

Resource = Mapping[str, Any]

_READ: Final = frozenset({"Patient", "Encounter", "Observation", "Condition"})
_SEX: Final = MappingProxyType({"female": Sex.FEMALE, "male": Sex.MALE})
_SYSTEMS: Final = (
    ("snomed.info/sct", "snomed"),
    ("sid/icd-10", "icd10"),
    ("icd10", "icd10"),
    ("sid/icd-9", "icd9"),
    ("icd9", "icd9"),
)
"""Part of a code system's address -> our name. Exports of MIMIC name ICD by addresses of theirs."""

_MALFORMED: Final = (ValueError, KeyError, TypeError, AttributeError)
_LOINC: Final = "http://loinc.org"
_NOT_MEASURED: Final = frozenset({"entered-in-error", "cancelled", "registered"})


def read_fhir(path: Path, source: str, pseudonyms: Pseudonyms) -> Iterator[Visit]:
    """Yield the visits of `path`: Bundles (`.json`, or a tar of them), or a folder of `.ndjson`.

    Visits that tell neither a value nor a condition are left out.

    Raises:
        RecordUnreadableError: a file is not JSON, or not FHIR.
    """
    try:
        for record in _records(path):
            for found in _Chart.of(record).visits(source):
                if says_something(found):
                    yield visit_of(found, pseudonyms)
    except (*_MALFORMED, OSError, EOFError, tarfile.TarError) as error:
        # the type alone: what Python says of a malformed value quotes it
        raise RecordUnreadableError(
            f"{path.name} does not read as FHIR R4: {type(error).__name__}"
        ) from error


def _records(path: Path) -> Iterator[Iterable[Resource]]:
    """Yield groups of resources that refer to each other."""
    if path.is_dir() and (lines := sorted(path.glob("*.ndjson*"))):
        yield (resource for file in lines for resource in _lines(file))
    elif path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield _bundle(file.read_bytes())
    elif path.suffix in {".gz", ".tgz", ".tar"}:
        yield from _archive(path)
    else:
        yield _bundle(path.read_bytes())


def _lines(file: Path) -> Iterator[Resource]:
    with (gzip.open if file.suffix == ".gz" else open)(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            resource = json.loads(line)
            if resource["resourceType"] not in _READ:
                return  # a file of a bulk export holds one type
            yield resource


def _archive(path: Path) -> Iterator[Iterable[Resource]]:
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                yield _bundle(file.read())


def _bundle(raw: bytes) -> Iterable[Resource]:
    bundle = json.loads(raw)
    for entry in bundle["entry"]:
        yield entry["resource"] | {"_url": entry.get("fullUrl", "")}


@dataclass(slots=True)
class _Chart:
    """Resources by the encounter they belong to."""

    patients: dict[str, Resource] = field(default_factory=dict)
    encounters: list[Resource] = field(default_factory=list)
    observations: dict[str, list[Resource]] = field(default_factory=lambda: defaultdict(list))
    conditions: dict[str, list[Resource]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> "_Chart":
        chart = cls()
        for resource in resources:
            chart._add(resource)
        return chart

    def _add(self, resource: Resource) -> None:
        match resource["resourceType"]:
            case "Patient":
                for name in _names(resource):
                    self.patients[name] = resource
            case "Encounter":
                self.encounters.append(resource)
            case "Observation":
                if resource.get("status") not in _NOT_MEASURED:
                    self.observations[_reference(resource, "encounter")].append(resource)
            case "Condition":
                self.conditions[_reference(resource, "encounter")].append(resource)

    def visits(self, source: str) -> Iterator[RecordedVisit]:
        for encounter in self.encounters:
            at = _moment(encounter.get("period", {}).get("start"))
            patient = self.patients.get(_reference(encounter, "subject"))
            if at is None or patient is None:
                continue
            names = _names(encounter)
            yield RecordedVisit(
                source=source,
                facility=_reference(encounter, "serviceProvider") or source,
                patient=patient["id"],
                visit=encounter["id"],
                at=at,
                sex=_SEX.get(patient.get("gender", ""), Sex.UNKNOWN),
                born=_day(patient.get("birthDate")),
                measured=tuple(_measured(self.observations, names)),
                conditions=tuple(_coded(self.conditions, names)),
            )


def _names(resource: Resource) -> tuple[str, ...]:
    """Return how others may refer to a resource: its place in a bundle, or type and id."""
    names = (resource.get("_url", ""), f"{resource['resourceType']}/{resource['id']}")
    return tuple(dict.fromkeys(name for name in names if name))


def _reference(resource: Resource, name: str) -> str:
    return str((resource.get(name) or {}).get("reference", ""))


def _measured(
    observations: Mapping[str, list[Resource]], encounter: Iterable[str]
) -> Iterator[Measured]:
    for name in encounter:
        for observation in observations.get(name, ()):
            at = _moment(observation.get("effectiveDateTime"))
            for part in (observation, *observation.get("component", ())):
                quantity = part.get("valueQuantity") or {}
                loinc = _loinc(part)
                if loinc and isinstance(quantity.get("value"), int | float):
                    unit = str(quantity.get("code") or quantity.get("unit") or "")
                    yield Measured(loinc=loinc, value=quantity["value"], unit=unit, at=at)


def _loinc(part: Resource) -> str:
    codings = (part.get("code") or {}).get("coding", ())
    return next((str(c["code"]) for c in codings if c.get("system") == _LOINC), "")


def _coded(conditions: Mapping[str, list[Resource]], encounter: Iterable[str]) -> Iterator[Coded]:
    for name in encounter:
        for condition in conditions.get(name, ()):
            status = _status(condition)
            for coding in (condition.get("code") or {}).get("coding", ()):
                system = _system(coding.get("system", ""))
                if system:  # entered-in-error too: it takes back what was stated before
                    yield Coded(system=system, code=str(coding.get("code", "")), status=status)


def _status(condition: Resource) -> str:
    codings = (condition.get("verificationStatus") or {}).get("coding", ())
    return next((str(c["code"]) for c in codings if c.get("code")), UNSTATED)


def _system(address: str) -> str:
    return next((name for part, name in _SYSTEMS if part in address), "")


def _moment(text: str | None) -> datetime | None:
    """Return a FHIR dateTime in UTC; a part of a date, which has no time, is its first moment."""
    if not text:
        return None
    padded = text + {4: "-01-01", 7: "-01"}.get(len(text), "")
    moment = datetime.fromisoformat(padded)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _day(text: str | None) -> date | None:
    moment = _moment(text)
    return None if moment is None else moment.date()
