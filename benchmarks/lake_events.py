"""The events `benchmarks.lake` fills a lake with: a region's year, as its gateway logs it.

One case a minute of 40 clinics, two in three with a word of the clinician: hours later, or
weeks later (one in twenty), or before its diagnosis arrived (one in fifty). One word in a hundred
is taken back by a newer one, one names no disease; one case in a hundred is a form saved twice.
The log is cut after so many events: some words wait for their diagnosis. What must come of all
this is counted beside it (`Expected`).

The payloads are some hundred that passed the door, under new ids: what is measured comes after.
"""

import hashlib
import json
import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
from support.lake_records import KEYED, diagnosis, feedback

from ddx.domain.artifacts import HPO_TERMS
from model_bundles.embedded import open_embedded_bundle
from training.lake.door import Arrival, admit
from training.lake.place import Lake
from training.lake.stream import PAGE
from training.lake.tables import BRONZE_EVENTS

NOON: Final = datetime(2026, 9, 1, 12, tzinfo=UTC)
TEMPLATES: Final = 200
FINDINGS: Final = 12
DISEASES: Final = ("VD:influenza", "VD:croup", "VD:pneumonia", "VD:anemia")

SOON, LATE, EARLY, AGAIN = 300, 30_000, -2_000, 3_000
"""Cases that arrive between a diagnosis and a word on it: five hours, three weeks, a day and a half
too early; and until a newer word."""

_DIAGNOSIS, _WORD, _NEWER, _REFUSAL = range(4)


@dataclass(frozen=True, slots=True)
class Expected:
    """Rows that must be in each table, and what is set aside on the way.

    repeats: cases that are another one told again. waiting: labels whose case has not arrived.
    silent: words that name no disease. labelled: rows of gold with a label.
    """

    bronze: int
    cases: int
    repeats: int
    findings: int
    labels: int
    waiting: int
    silent: int
    labelled: int

    @property
    def gold(self) -> int:
        """Cases that stand for themselves."""
        return self.cases - self.repeats


@dataclass(frozen=True, slots=True)
class Log:
    """Events in the order of their arrival. kind, case: int64, one value an event."""

    kind: np.ndarray[Any, np.dtype[np.int64]]
    case: np.ndarray[Any, np.dtype[np.int64]]

    @classmethod
    def of(cls, events: int) -> "Log":
        """Return the first `events` of the region's log; a longer one begins with the same."""
        case = np.arange(events + abs(EARLY))  # more than enough: not two events a case on average
        told = case % 3 != 0
        silent = told & (case % 100 == 10)
        lag = np.select([case % 20 == 7, case % 50 == 1], [LATE, EARLY], SOON)
        parts = [
            (case, _DIAGNOSIS, case),
            (case[told & ~silent], _WORD, (case + lag)[told & ~silent]),
            (case[silent], _REFUSAL, (case + lag)[silent]),
            (case[told & (case % 100 == 5)], _NEWER, (case + AGAIN)[told & (case % 100 == 5)]),
        ]
        cases = np.concatenate([of for of, _, _ in parts])
        kinds = np.concatenate([np.full(len(of), kind) for of, kind, _ in parts])
        slots = np.concatenate([slot for _, _, slot in parts])
        order = np.lexsort((kinds, cases, slots))[:events]
        return cls(kinds[order], cases[order])

    def expected(self) -> Expected:
        """Return what a lake that took all of it in must hold."""
        told = self.case[self.kind == _DIAGNOSIS]
        labelled = np.unique(self.case[(self.kind == _WORD) | (self.kind == _NEWER)])
        repeats = told[_is_repeat(told)]
        arrived = np.intersect1d(labelled, told)
        return Expected(
            bronze=len(self.case),
            cases=len(told),
            repeats=len(repeats),
            findings=len(told) * FINDINGS,
            labels=len(labelled),
            waiting=len(labelled) - len(arrived),
            silent=int((self.kind == _REFUSAL).sum()),
            labelled=len(np.unique(arrived - _is_repeat(arrived))),
        )


def fill(lake: Lake, events: int, after: int = 0) -> Expected:
    """Append the log's events from number `after` up to `events` to bronze, a page a commit."""
    log = Log.of(events)
    lake.open(BRONZE_EVENTS)
    templates = _templates()
    for start in range(after, events, PAGE):
        page = range(start, min(start + PAGE, events))
        lake.append(BRONZE_EVENTS, _rows(log, page, templates, batch=start // PAGE + 1))
    return log.expected()


def clinic_of(number: int) -> str:
    """Return the pseudonym of one of the region's clinics."""
    return KEYED.clinic(f"device-{number % 40}")


def _rows(log: Log, page: range, templates: "_Templates", *, batch: int) -> pa.Table:
    columns: dict[str, list[Any]] = {name: [] for name in BRONZE_EVENTS.schema.names}
    for number in page:
        row = _row(int(log.kind[number]), int(log.case[number]), templates)
        row |= {"offset": number + 1, "batch": batch}
        for name, column in columns.items():
            column.append(row[name])
    return pa.table(
        [pa.array(columns[f.name], f.type) for f in BRONZE_EVENTS.schema],
        schema=BRONZE_EVENTS.schema,
    )


def _row(kind: int, case: int, templates: "_Templates") -> dict[str, Any]:
    says = case - int(_is_repeat(case))  # a form saved twice: the one before, again
    template = templates[kind][says % TEMPLATES]
    patient = hashlib.sha256(str(says // 5).encode()).hexdigest()
    at = NOON + timedelta(minutes=says)
    if kind != _DIAGNOSIS:
        at += timedelta(hours=72 if kind == _NEWER else 5)
    return template | {
        "event_id": f"{kind}-{case}",
        "case_id": str(uuid.UUID(bytes=hashlib.md5(str(case).encode()).digest())),
        "clinic": clinic_of(says),
        "event_time": at,
        "ingested_at": at + timedelta(hours=1, seconds=case % 100),
        "content_sha256": hashlib.sha256(f"{kind}-{says}".encode()).hexdigest(),
        "payload": template["payload"].replace(template["patient"], patient)
        if template["patient"]
        else template["payload"],
    }


def _is_repeat(case: Any) -> Any:
    return case % 100 == 99


_Templates = dict[int, list[dict[str, Any]]]


def _templates() -> _Templates:
    dice = random.Random(1)
    current = [term["id"] for term in json.loads(open_embedded_bundle().read(HPO_TERMS))["terms"]]
    told = [
        diagnosis(
            temperature_c=round(dice.uniform(36, 40), 1), heart_rate_bpm=dice.randint(60, 130)
        )
        for _ in range(TEMPLATES)
    ]
    for record in told:
        findings = record.payload["case"]["findings"]
        findings[:] = [
            {"id": finding, "presence": dice.choice(("present", "excluded"))}
            for finding in dice.sample(current, FINDINGS)
        ]
    words = [feedback(record, disease=dice.choice(DISEASES)) for record in told]
    newer = [feedback(record, disease=dice.choice(DISEASES)) for record in told]
    refusals = [feedback(record, disease=None, verb="refuse") for record in told]
    made = {_DIAGNOSIS: told, _WORD: words, _NEWER: newer, _REFUSAL: refusals}
    return {kind: [_template(record) for record in records] for kind, records in made.items()}


def _template(record: Arrival) -> dict[str, Any]:
    return admit(record) | {"patient": record.payload.get("patient_pseudonym", "")}
