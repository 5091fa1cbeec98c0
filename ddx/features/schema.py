"""The columns of the common model: their order, their meaning and a hash that ties them to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.canonical import canonical_json, digest_of
from ddx.domain.identifiers import FindingId, finding_id
from ddx.errors import IdentifierError, ModelError, SchemaMismatchError

FORMAT = 1
"""Version of the JSON written by `FeatureSchema.to_json`."""


class ColumnKind(StrEnum):
    """What a column holds. Written into bundles: names are never reused."""

    AGE_YEARS = "age_years"
    SEX_FEMALE = "sex_female"
    PRESENCE = "presence"
    GRADE = "grade"


@dataclass(frozen=True, slots=True)
class Column:
    """One input of the model. finding: only for PRESENCE and GRADE columns."""

    kind: ColumnKind
    finding: FindingId | None = None

    def __post_init__(self) -> None:
        needs_finding = self.kind in {ColumnKind.PRESENCE, ColumnKind.GRADE}
        if needs_finding is (self.finding is None):
            raise ModelError(f"column of kind {self.kind} with finding {self.finding}")

    @property
    def subject(self) -> str:
        """What an explanation calls this column: a finding id, "age" or "sex"."""
        if self.finding is not None:
            return self.finding
        return "age" if self.kind is ColumnKind.AGE_YEARS else "sex"


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """The ordered columns of one model; each subject has at most one column.

    hash: SHA-256 (hex) of the canonical JSON of the columns; the model beside it carries the same.
    subjects: what explanations call each column. positions: finding -> index of its column.
    finding_columns: these indexes, intp;
    holds_finding: the same, bool (n_columns,). age_at, sex_at: index of these, None without.

    Raises:
        ModelError: no columns, or two columns for one subject.
    """

    columns: tuple[Column, ...]
    hash: str = field(init=False)
    subjects: tuple[str, ...] = field(init=False, repr=False, compare=False)
    positions: Mapping[FindingId, int] = field(init=False, repr=False, compare=False)
    finding_columns: NDArray[np.intp] = field(init=False, repr=False, compare=False)
    holds_finding: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    age_at: int | None = field(init=False, repr=False, compare=False)
    sex_at: int | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        subjects = tuple(column.subject for column in self.columns)
        if not subjects or len(set(subjects)) != len(subjects):
            twice = sorted({s for s in subjects if subjects.count(s) > 1})
            raise ModelError(f"schema without columns, or with a column twice: {twice}")
        positions = {c.finding: i for i, c in enumerate(self.columns) if c.finding is not None}
        object.__setattr__(self, "hash", digest_of(self._body()))
        object.__setattr__(self, "subjects", subjects)
        object.__setattr__(self, "positions", MappingProxyType(positions))
        object.__setattr__(self, "finding_columns", np.array(list(positions.values()), np.intp))
        holds = np.array([column.finding is not None for column in self.columns])
        object.__setattr__(self, "holds_finding", holds)
        at = {subject: i for i, subject in enumerate(subjects)}
        object.__setattr__(self, "age_at", at.get("age"))
        object.__setattr__(self, "sex_at", at.get("sex"))

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def findings(self) -> tuple[FindingId, ...]:
        """Findings the model reads, in column order."""
        return tuple(self.positions)

    def to_json(self) -> bytes:
        """Return the bundle member `models/common_schema.json`."""
        return canonical_json({**self._body(), "hash": self.hash})

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Return the schema `raw` describes.

        Raises:
            ModelError: not the JSON this member must be.
            SchemaMismatchError: the columns are not the ones the written hash was made of.
        """
        try:
            member = json.loads(raw)
            if member["format"] != FORMAT:
                raise ModelError(f"schema format {member['format']}, this release reads {FORMAT}")
            schema = cls(tuple(_column(entry) for entry in member["columns"]))
            written = member["hash"]
        except (ValueError, KeyError, TypeError, IdentifierError) as error:
            raise ModelError(f"schema cannot be read: {error!r}") from error
        if written != schema.hash:
            raise SchemaMismatchError(f"schema says hash {written}, its columns give {schema.hash}")
        return schema

    def _body(self) -> dict[str, object]:
        columns = [
            {"kind": c.kind.value} | ({} if c.finding is None else {"finding": c.finding})
            for c in self.columns
        ]
        return {"format": FORMAT, "columns": columns}


def _column(entry: Mapping[str, Any]) -> Column:
    finding = entry.get("finding")
    return Column(ColumnKind(entry["kind"]), None if finding is None else finding_id(finding))
