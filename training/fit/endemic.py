"""The diseases of the endemic knowledge base, as patients the common model can count.

They are simulated from the figures of `training/knowledge/endemic`, four in five of them our own
estimates, and are used for two things only: the Bayes rows of their diseases, and figures that are
labelled as simulated. No tree sees them. The two sources answer different questions, so trees
would learn who was asked what, and not medicine.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, CaseTable, KindOf, encode_table
from ddx.features.schema import Column, ColumnKind, FeatureSchema
from training.fit.partial import Budget, base_rates, partly_asked
from training.knowledge import FindingRow
from training.sources.ddxplus import Answers
from training.sources.endemic import EndemicKnowledge, simulate

COUNTED_PATIENTS: Final = 4000
"""Simulated per disease and counted: a share of 0.05 comes out within 0.007 (95 %)."""

MEASURED_PATIENTS: Final = 200
"""Simulated per disease and measured on."""

ENDEMIC_PRIOR: Final = 0.25
"""Share of common consultations due to one of these diseases, split evenly among them. Estimate:
it differs from valley to valley and season to season, and no register of visits was at hand."""

_SEED: Final = 20_261_125


class Purpose(IntEnum):
    """What simulated patients are drawn for; each is drawn from a seed of its own."""

    COUNTING = 0
    CALIBRATION = 1
    MEASURING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """Simulated patients. table: every finding answered that can be; truth: int64 (n,)."""

    table: CaseTable
    truth: NDArray[np.int64]

    def fully_asked(self, schema: FeatureSchema, ontology: KindOf | None) -> NDArray[np.float32]:
        """Return float32 (n, n_columns)."""
        return encode_table(self.table, schema, ontology)

    def partly_asked(
        self,
        schema: FeatureSchema,
        ontology: KindOf | None,
        budget: Budget,
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Return float32 (n, n_columns) with what `budget` leaves of each patient."""
        answers = _answers(self.table)
        findings = self.table.findings
        asked = partly_asked(answers, findings, budget, base_rates(answers, len(findings)), rng)
        asked.presence[self.table.presence == UNKNOWN] = UNKNOWN
        return encode_table(asked, schema, ontology)

    def take(self, rows: NDArray[np.int64]) -> "Simulated":
        """Return the patients at `rows`."""
        table = replace(
            self.table,
            age_days=self.table.age_days[rows],
            female=self.table.female[rows],
            presence=self.table.presence[rows],
            grade=self.table.grade[rows],
        )
        return Simulated(table=table, truth=self.truth[rows])

    def cases(self, rows: Iterable[int]) -> tuple[Case, ...]:
        """Return patients as cases, every finding present, excluded or left out as unknown."""
        return tuple(self._case(row) for row in rows)

    def _case(self, row: int) -> Case:
        states = {PRESENT: Presence.PRESENT, EXCLUDED: Presence.EXCLUDED}
        told = zip(self.table.findings, self.table.presence[row].tolist(), strict=True)
        return Case(
            age_days=int(self.table.age_days[row]),
            sex=Sex.FEMALE if self.table.female[row] else Sex.MALE,
            findings=tuple(
                Finding(id=finding, presence=states[said])
                for finding, said in told
                if said in states
            ),
        )


def simulated(knowledge: EndemicKnowledge, n: int, first: int, purpose: Purpose) -> Simulated:
    """Return `n` patients of each disease; truth counts from `first` in the knowledge's order."""
    tables = [
        simulate(knowledge, disease.id, n, np.random.default_rng([_SEED, purpose, i]))
        for i, disease in enumerate(knowledge.diseases)
    ]
    joined = replace(
        tables[0],
        age_days=np.concatenate([t.age_days for t in tables]),
        female=np.concatenate([t.female for t in tables]),
        presence=np.concatenate([t.presence for t in tables]),
        grade=np.concatenate([t.grade for t in tables]),
    )
    return Simulated(table=joined, truth=first + np.repeat(np.arange(len(tables)), n))


def with_endemic(schema: FeatureSchema, knowledge: EndemicKnowledge) -> FeatureSchema:
    """Return the schema with a column for every finding of the knowledge base."""
    known = set(schema.findings)
    new = (finding for finding in knowledge.findings if finding not in known)
    added = tuple(Column(ColumnKind.PRESENCE, finding) for finding in new)
    return FeatureSchema((*schema.columns, *added))


def described(
    schema: FeatureSchema,
    asked: Iterable[FindingId],
    knowledge: EndemicKnowledge | None,
    diseases: tuple[DiseaseId, ...],
) -> NDArray[np.bool_]:
    """Return which columns the source of each disease describes, (n_diseases, n_columns).

    asked: what the other source asks of every patient. Both tell age and sex.
    """
    theirs = set(asked)
    ours = set(knowledge.findings) if knowledge else set()
    endemic = {disease.id for disease in knowledge.diseases} if knowledge else set()
    return np.array(
        [
            [
                c.finding is None or c.finding in (ours if d in endemic else theirs)
                for c in schema.columns
            ]
            for d in diseases
        ]
    )


def background(schema: FeatureSchema, knowledge: EndemicKnowledge | None) -> NDArray[np.float64]:
    """Return P(finding) in a visit for another reason, (n_columns,), nan where it is not stated."""
    stated = {f: entry.p for f, entry in knowledge.background.items()} if knowledge else {}
    shares = [
        np.nan if c.finding is None else stated.get(c.finding, np.nan) for c in schema.columns
    ]
    return np.array(shares)


def implied_columns(
    schema: FeatureSchema, rows: Iterable[FindingRow], ontology: KindOf | None
) -> Mapping[int, tuple[int, ...]]:
    """Return column of an HPO finding -> columns of other findings that imply it.

    A pain of the forehead implies a headache: whoever told of the one was not asked for the other.
    """
    reached: dict[int, list[int]] = {}
    if ontology is None:
        return {}
    for row in rows:
        if row.implies is None or row.implies not in ontology or row.id not in schema.positions:
            continue
        for kind in (row.implies, *ontology.ancestors(row.implies)):
            if kind in schema.positions and kind != row.id:
                reached.setdefault(schema.positions[kind], []).append(schema.positions[row.id])
    return {column: tuple(below) for column, below in reached.items()}


def write_implied(rows: NDArray[np.float32], implied: Mapping[int, tuple[int, ...]]) -> None:
    """Mark as present, in place, what other findings imply and nobody was asked about."""
    for column, below in implied.items():
        unasked = np.isnan(rows[:, column])
        shown = (rows[:, list(below)] > 0).any(axis=1)
        rows[unasked & shown, column] = 1.0


def _answers(table: CaseTable) -> Answers:
    row, position = np.nonzero(table.presence == PRESENT)
    counts = np.bincount(row, minlength=len(table.age_days))
    return Answers(
        offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        position=position.astype(np.int32),
        value=np.ones(len(position), dtype=np.float32),
        age_days=table.age_days,
        female=table.female,
        unmapped={},
    )
