"""Case -> row of the common model: one definition for the device and for training.

`encode` reads one case; `encode_table` reads many at once and gives the same rows. What a case
states of a finding always wins. Where it states nothing, the kind-of links of HPO speak: a
present finding makes its kinds present, an excluded kind excludes what is under it, and present
wins over excluded.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import DAYS_PER_YEAR, Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.features.schema import ColumnKind, FeatureSchema

PRESENT, EXCLUDED, UNKNOWN = 1, 0, -1
"""Presence as `CaseTable` holds it (int8)."""


class KindOf(Protocol):
    """The kind-of links between findings; `ddx.terminology.ontology.Ontology` is one."""

    def __contains__(self, id: object) -> bool: ...

    def ancestors(self, id: FindingId) -> tuple[FindingId, ...]:
        """Return every superclass of `id`, itself not among them."""

    def descendants(self, id: FindingId) -> tuple[FindingId, ...]:
        """Return every subclass of `id`, itself not among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRow:
    """One case as the model reads it.

    values: float32 (n_columns,), nan where unknown. asked: bool, same shape, False there.
    dropped: findings the case states that no column can read; shown to the clinician, never hidden.
    """

    values: NDArray[np.float32]
    asked: NDArray[np.bool_]
    dropped: tuple[FindingId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTable:
    """Many cases, as training holds them.

    age_days: float64 (n,), nan unknown. female: float32 (n,), 1, 0 or nan.
    findings: the m findings of the axis below. presence: int8 (n, m), PRESENT/EXCLUDED/UNKNOWN.
    grade: float32 (n, m), nan where a present finding carries no grade.
    """

    age_days: NDArray[np.float64]
    female: NDArray[np.float32]
    findings: tuple[FindingId, ...]
    presence: NDArray[np.int8]
    grade: NDArray[np.float32]


def encode(case: Case, schema: FeatureSchema, ontology: KindOf | None = None) -> FeatureRow:
    """Return `case` as the row of a model with the columns of `schema`.

    Age in Julian years; sex female 1, male 0, unknown nan; presence 1, excluded 0, unknown nan;
    grade: its value when present (nan, and dropped, without one), 0 when excluded.
    Without `ontology` a finding moves only its own column.
    """
    values = np.full(len(schema), np.nan, dtype=np.float32)
    stated = {f.id for f in case.findings if f.presence is not Presence.UNKNOWN}
    read = set(_write_stated(values, case, schema))
    if ontology is not None:
        read |= _write_excluded_kinds(values, case, schema, ontology, stated)
        read |= _write_present_kinds(values, case, schema, ontology, stated)
    return FeatureRow(
        values=values,
        asked=~np.isnan(values),
        dropped=tuple(f.id for f in case.findings if f.id in stated and f.id not in read),
    )


def _write_stated(
    values: NDArray[np.float32], case: Case, schema: FeatureSchema
) -> Iterable[FindingId]:
    """Write age, sex and each finding's own column; yield the findings that moved one."""
    if schema.age_at is not None and case.age_years is not None:
        values[schema.age_at] = case.age_years
    if schema.sex_at is not None and case.sex is not Sex.UNKNOWN:
        values[schema.sex_at] = float(case.sex is Sex.FEMALE)
    for finding in case.findings:
        if finding.id in schema.positions:
            at = schema.positions[finding.id]
            value = _value(finding, schema.columns[at].kind)
            if value is not None:
                values[at] = value
                yield finding.id


def _value(finding: Finding, kind: ColumnKind) -> float | None:
    if finding.presence is Presence.UNKNOWN:
        return None
    if finding.presence is Presence.EXCLUDED:
        return 0.0
    return finding.grade if kind is ColumnKind.GRADE else 1.0


def _write_present_kinds(
    values: NDArray[np.float32],
    case: Case,
    schema: FeatureSchema,
    ontology: KindOf,
    stated: set[FindingId],
) -> set[FindingId]:
    """Mark the kinds of every present finding; return the findings that had a column above."""
    read: set[FindingId] = set()
    for finding in case.present:
        for kind in _ancestors(ontology, finding.id):
            at = _presence_column(schema, kind)
            if at is not None:
                read.add(finding.id)
                if kind not in stated:
                    values[at] = 1.0
    return read


def _write_excluded_kinds(
    values: NDArray[np.float32],
    case: Case,
    schema: FeatureSchema,
    ontology: KindOf,
    stated: set[FindingId],
) -> set[FindingId]:
    """Exclude all that is under an excluded finding; return the findings that had such columns."""
    read: set[FindingId] = set()
    for finding in case.excluded:
        for below in ontology.descendants(finding.id) if finding.id in ontology else ():
            at = schema.positions.get(below)
            if at is not None:
                read.add(finding.id)
                if below not in stated:
                    values[at] = 0.0
    return read


def _ancestors(ontology: KindOf, finding: FindingId) -> tuple[FindingId, ...]:
    return ontology.ancestors(finding) if finding in ontology else ()


def _presence_column(schema: FeatureSchema, finding: FindingId) -> int | None:
    """Return the column of a finding that can be made present without a grade."""
    at = schema.positions.get(finding)
    return at if at is not None and schema.columns[at].kind is ColumnKind.PRESENCE else None


def encode_table(
    table: CaseTable, schema: FeatureSchema, ontology: KindOf | None = None
) -> NDArray[np.float32]:
    """Return float32 (n, n_columns): row i is `encode` of case i of `table`."""
    values = np.full((len(table.age_days), len(schema)), np.nan, dtype=np.float32)
    if schema.age_at is not None:
        values[:, schema.age_at] = table.age_days / DAYS_PER_YEAR
    if schema.sex_at is not None:
        values[:, schema.sex_at] = table.female
    for i, finding in enumerate(table.findings):
        if finding in schema.positions:
            at = schema.positions[finding]
            graded = schema.columns[at].kind is ColumnKind.GRADE
            values[:, at] = _column_values(table, i, graded=graded)
    if ontology is not None:
        _write_kinds(values, table, schema, ontology)
    return values


def _column_values(table: CaseTable, i: int, *, graded: bool) -> NDArray[np.float32]:
    presence = table.presence[:, i]
    seen = table.grade[:, i] if graded else np.float32(1.0)
    out = np.where(presence == PRESENT, seen, np.where(presence == EXCLUDED, 0.0, np.nan))
    return out.astype(np.float32)


def _write_kinds(
    values: NDArray[np.float32], table: CaseTable, schema: FeatureSchema, ontology: KindOf
) -> None:
    """Write what the kind-of links say into the columns their case states nothing of."""
    own = {finding: i for i, finding in enumerate(table.findings)}
    excluded = np.zeros(values.shape, dtype=bool)
    present = np.zeros(values.shape, dtype=bool)
    unstated = np.ones(values.shape, dtype=bool)
    for below, at in schema.positions.items():
        if below in own:
            unstated[:, at] = table.presence[:, own[below]] == UNKNOWN
        for kind in _ancestors(ontology, below):
            if kind in own:
                excluded[:, at] |= table.presence[:, own[kind]] == EXCLUDED
    for finding, i in own.items():
        for kind in _ancestors(ontology, finding):
            above = _presence_column(schema, kind)
            if above is not None:
                present[:, above] |= table.presence[:, i] == PRESENT
    values[unstated & excluded] = 0.0
    values[unstated & present] = 1.0
