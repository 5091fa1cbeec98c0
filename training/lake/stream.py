"""From the gateway's log into bronze: pages, positions, erasures."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sync_service.protocol.codes import EventKind
from training.lake.bronze import Bronze, Intake
from training.lake.door import Arrival
from training.lake.erase import erase_records
from training.lake.place import Lake
from training.lake.tables import Kind
from training.sources.pseudonyms import Pseudonyms
from training.sources.stream import EventLog, LogEntry

SOURCE: Final = "stream"
PAGE: Final = 5000
"""Entries a commit: a file of about a megabyte, two seconds of a busy country."""


def follow(
    log: EventLog, lake: Lake, bronze: Bronze, pseudonyms: Pseudonyms, *, page: int = PAGE
) -> Iterator[Intake]:
    """Store what the log holds beyond the lake's positions, page by page; yield after each.

    An erasure removes the erased records from every table before its page counts as read: when
    the run dies in between, the erasure is read, and carried out, again.
    """
    positions = {name: bronze.position(name) for name in log.position_names()}
    while (found := log.read(positions, page)).positions:
        erased = tuple(at for entry in found.entries for at in entry.erases)
        if erased:
            erase_records(lake, SOURCE, erased)
        gone = frozenset(erased)
        arrivals = [
            _arrival(entry, pseudonyms)
            for entry in found.entries
            if _tells_something(entry) and entry.server_sequence not in gone
        ]
        yield bronze.store(arrivals, found.positions)
        positions |= found.positions


def _tells_something(entry: LogEntry) -> bool:
    return not entry.erased and entry.kind != EventKind.ERASURE


def _arrival(entry: LogEntry, pseudonyms: Pseudonyms) -> Arrival:
    clinic = pseudonyms.clinic(entry.device_id)
    return Arrival(
        event_id=entry.id,
        case_id=_case_of(entry, clinic),
        kind=Kind(entry.kind),
        source=SOURCE,
        clinic=clinic,
        event_time=_happened(entry),
        offset=entry.server_sequence,
        schema_version=entry.schema_version,
        payload=entry.payload,
        payload_sha256=entry.payload_sha256,
    )


def _case_of(entry: LogEntry, clinic: str) -> str:
    if entry.kind == EventKind.MODEL_FAILURE:
        return entry.id
    return case_id_of(clinic, str(entry.payload.get("diagnosis_id")))


def case_id_of(clinic: str, diagnosis_id: str) -> str:
    """Return the case of a diagnosis. A device that names another's diagnosis names no case of it.

    clinic: its pseudonym, so the id says nothing of the device.
    """
    return str(uuid.uuid5(_CASES, f"{clinic}/{diagnosis_id}"))


_CASES: Final = uuid.UUID("6f0c4ac1-9a1f-4d6e-8b0e-2f6f7f2f4b7a")
"""The name space of case ids, drawn once. Changing it makes new cases of everything."""

_HAPPENED: Final = {
    Kind.DIAGNOSIS: "made_at",
    Kind.FEEDBACK: "outcomeTimestamp",
    Kind.MODEL_FAILURE: "failed_at",
}


def _happened(entry: LogEntry) -> datetime:
    """Return when it happened by the clinic's clock, else when the record was made."""
    told: Any = entry.payload.get(_HAPPENED.get(Kind(entry.kind), ""))
    try:
        moment = datetime.fromisoformat(told)
    except (TypeError, ValueError):
        return entry.created_at
    return entry.created_at if moment.tzinfo is None else moment
