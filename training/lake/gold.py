"""What retraining and monitoring read of the lake: gold cases, with the version they came from."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import deltalake
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.finding import Finding, Presence, Severity
from ddx.domain.identifiers import DiseaseId, FindingId, disease_id, finding_id
from ddx.errors import DdxError
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, CaseTable
from training.lake.tables import GOLD_CASES, VITALS

Clock = Literal["event_time", "known_at"]
"""event_time: the visit. known_at: when case and label were both in the lake."""

_STATE: Final = {Presence.PRESENT.value: PRESENT, Presence.EXCLUDED.value: EXCLUDED}


class GoldMissingError(DdxError):
    """The lake holds no gold cases yet, or not the version asked for. The text says what to do."""

    code: ClassVar[str] = "lake.gold_missing"


@dataclass(frozen=True, slots=True)
class GoldCases:
    """Cases of one version of the gold table, oldest visit first (ties by case_id).

    table: the columns of `GOLD_CASES`. version: the Delta version read. table_id: the Delta
    table's own id; (table_id, version, rows_sha256) finds the exact rows again.
    """

    table: pa.Table
    version: int
    table_id: str

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def rows_sha256(self) -> str:
        """SHA-256 (hex) over case id, content and label of every row, in order."""
        digest = hashlib.sha256()
        names = ("case_id", "content_sha256", "disease", "label_source", "confirmed")
        for row in zip(*(self.table.column(n).to_pylist() for n in names), strict=True):
            digest.update("\t".join(map(str, row)).encode() + b"\n")
        return digest.hexdigest()

    @property
    def labels(self) -> tuple[DiseaseId | None, ...]:
        """The disease of each case, None without a label."""
        found = self.table.column("disease").to_pylist()
        return tuple(None if text is None else disease_id(text) for text in found)

    def cases(self) -> Iterator[Case]:
        """Yield each row as a domain case, findings sorted by id."""
        for row in self.table.to_pylist():
            yield _case(row)

    def case_table(self, findings: Sequence[FindingId]) -> CaseTable:
        """Return the cases as `ddx.features.encode.encode_table` reads them.

        findings: the axis; what a case states of other findings is left out.
        """
        shape = (len(self), len(findings))
        presence = np.full(shape, UNKNOWN, dtype=np.int8)
        grade = np.full(shape, np.nan, dtype=np.float32)
        row, column, stated = self._stated(findings)
        states = stated.field("presence").to_pylist()
        presence[row, column] = [_STATE[state] for state in states]
        grade[row, column] = stated.field("grade").to_numpy(zero_copy_only=False)
        return CaseTable(
            age_days=_floats(self.table.column("age_days"), np.float64),
            female=_female(self.table.column("sex")),
            findings=tuple(findings),
            presence=presence,
            grade=grade,
        )

    def _stated(
        self, findings: Sequence[FindingId]
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], pa.StructArray]:
        """Return row, column and content of every stated finding of the axis."""
        lists = self.table.column("findings").combine_chunks()
        content, row = pc.list_flatten(lists), pc.list_parent_indices(lists)
        at = pc.index_in(content.field("id"), value_set=pa.array(findings, pa.string()))
        known = pc.is_valid(at)
        return (
            row.filter(known).to_numpy(),
            at.filter(known).to_numpy(zero_copy_only=False),
            content.filter(known),
        )


def read_cases(
    lake: Path | str,
    since: datetime | None = None,
    until: datetime | None = None,
    version: int | None = None,
    *,
    labelled: bool = True,
    clock: Clock = "event_time",
    storage_options: Mapping[str, str] | None = None,
) -> GoldCases:
    """Return the gold cases with since <= clock < until, and the Delta version they are of.

    lake: folder or `abfss://…` address of the lake. version: an older state of the table; the
    newest by default. labelled: leave out cases nobody has named a disease for.
    storage_options: credentials of a cloud store, as delta-rs names them.

    Raises:
        GoldMissingError: no gold table, or the version is not kept any more.
    """
    where = f"{lake}/{GOLD_CASES.name}"
    try:
        delta = deltalake.DeltaTable(
            where, version=version, storage_options=dict(storage_options or {})
        )
        rows = delta.to_pyarrow_dataset().to_table(filter=_filter(since, until, clock, labelled))
    except (deltalake.exceptions.DeltaError, OSError) as error:
        raise GoldMissingError(
            f"{where} has no gold cases{'' if version is None else f' of version {version}'}: "
            "run `python -m training.lake ingest` and `build` first"
        ) from error
    ordered = _with_every_column(rows).sort_by(
        [("event_time", "ascending"), ("case_id", "ascending")]
    )
    return GoldCases(ordered, delta.version(), str(delta.metadata().id))


def _with_every_column(rows: pa.Table) -> pa.Table:
    """Return the columns of `GOLD_CASES`: those that an older version has not yet, as null."""
    for column in GOLD_CASES.schema:
        if column.name not in rows.column_names and column.nullable:
            rows = rows.append_column(column, pa.nulls(rows.num_rows, column.type))
    return rows.select(GOLD_CASES.schema.names)


def case_ids(lake: Path | str) -> tuple[pa.ChunkedArray, str]:
    """Return the ids of every case gold holds now, and the Delta table's own id.

    Raises:
        GoldMissingError: no gold table.
    """
    try:
        delta = deltalake.DeltaTable(f"{lake}/{GOLD_CASES.name}")
        found = delta.to_pyarrow_dataset().to_table(["case_id"]).column("case_id")
    except (deltalake.exceptions.DeltaError, OSError) as error:
        raise GoldMissingError(f"{lake} has no gold cases") from error
    return found, str(delta.metadata().id)


def engine_times(
    lake: Path | str, model: str, since: datetime | None, until: datetime | None
) -> pa.Table:
    """Return clinic and engine_s of the cases that bundle version `model` was timed on.

    Cases that happened in since <= event_time < until.

    Raises:
        GoldMissingError: no gold table.
    """
    try:
        rows = deltalake.DeltaTable(f"{lake}/{GOLD_CASES.name}").to_pyarrow_dataset()
    except (deltalake.exceptions.DeltaError, OSError) as error:
        raise GoldMissingError(f"{lake} has no gold cases") from error
    if "engine_s" not in rows.schema.names:  # made before devices told
        return pa.schema([GOLD_CASES.schema.field(n) for n in ("clinic", "engine_s")]).empty_table()
    when = _filter(since, until, "event_time", labelled=False)
    mine = pc.field("bundle_version") == model
    found = rows.to_table(["clinic", "engine_s"], mine if when is None else mine & when)
    return found.filter(pc.field("engine_s").is_valid())  # not while reading: see the tables


def _filter(
    since: datetime | None, until: datetime | None, clock: Clock, labelled: bool
) -> pc.Expression | None:
    wanted: list[pc.Expression] = []
    if labelled:
        wanted.append(pc.field("disease").is_valid())
    if since is not None:
        wanted.append(pc.field(clock) >= pa.scalar(since, GOLD_CASES.schema.field(clock).type))
    if until is not None:
        wanted.append(pc.field(clock) < pa.scalar(until, GOLD_CASES.schema.field(clock).type))
    if not wanted:
        return None
    first, *others = wanted
    for other in others:
        first &= other
    return first


def _case(row: Mapping[str, Any]) -> Case:
    return Case(
        age_days=row["age_days"],
        sex=Sex(row["sex"]),
        findings=tuple(
            Finding(
                id=finding_id(found["id"]),
                presence=Presence(found["presence"]),
                grade=found["grade"],
                severity=None if found["severity"] is None else Severity(found["severity"]),
                onset_days=found["onset_days"],
            )
            for found in row["findings"]
        ),
        vitals=VitalSigns(**{column.name: row[column.name] for column in VITALS}),
    )


def _floats(column: pa.ChunkedArray, dtype: type[np.floating[Any]]) -> np.ndarray[Any, Any]:
    cast: np.ndarray[Any, Any] = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
    return cast.astype(dtype)


def _female(sex: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    of = {Sex.FEMALE.value: 1.0, Sex.MALE.value: 0.0}
    return np.array([of.get(text, np.nan) for text in sex.to_pylist()], dtype=np.float32)
