"""A lake with nothing but gold: labelled cases written as the lake would hold them."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import deltalake
import pyarrow as pa

from ddx.domain.canonical import canonical_json
from ddx.domain.case import Case
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId
from ddx.domain.wire import case_to_json
from training.lake.tables import GOLD_CASES, VITALS, week_of

START = datetime(2026, 11, 1, 8, tzinfo=UTC)


def write_gold(
    lake: Path,
    cases: Sequence[tuple[Case, DiseaseId]],
    *,
    first: int = 0,
    start: datetime = START,
    minutes_apart: float = 5.0,
    model: str | None = None,
    proposed: DiseaseId | None = None,
    took_s: float | None = None,
    without: Sequence[str] = (),
) -> None:
    """Append confirmed cases to the gold table, one every few minutes from `start`.

    model, proposed, took_s: bundle version that answered, what it ranked first, and how long its
    engine took; None nobody did. without: columns a table of an older release has not.
    """
    said = {"bundle_version": model, "predicted": proposed, "engine_s": took_s}
    rows = [
        _row(first + i, case, disease, start + timedelta(minutes=minutes_apart * i)) | said
        for i, (case, disease) in enumerate(cases)
    ]
    table = pa.Table.from_pylist(rows, schema=GOLD_CASES.schema)
    table = table.drop_columns(list(without))
    deltalake.write_deltalake(f"{lake}/{GOLD_CASES.name}", table, mode="append")


def _row(number: int, case: Case, disease: DiseaseId, at: datetime) -> dict[str, object]:
    content = hashlib.sha256(canonical_json(case_to_json(case))).hexdigest()
    return {
        "case_id": f"case-{number:06d}",
        "source": "stream",
        "clinic": f"clinic-{number % 7}",
        "event_time": at,
        "ingested_at": at,
        "batch": 1,
        "patient": None,
        "age_days": case.age_days,
        "sex": case.sex.value,
        **{column.name: getattr(case.vitals, column.name) for column in VITALS},
        "bundle_version": None,
        "predicted": None,
        "predicted_probability": None,
        "engine_s": None,
        "findings": [_finding(f) for f in sorted(_stated(case), key=lambda f: f.id)],
        "disease": disease,
        "label_source": "corrected",
        "confirmed": True,
        "label_time": at,
        "known_at": at,
        "content_sha256": content,
        "week": week_of(at),
    }


def _stated(case: Case) -> Iterable:
    return (f for f in case.findings if f.presence is not Presence.UNKNOWN)


def _finding(finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "presence": finding.presence.value,
        "grade": finding.grade,
        "severity": None,
        "onset_days": None,
    }
