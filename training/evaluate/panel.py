"""Many patients interviewed side by side with the questions a device would ask.

`ddx.inquiry` weighs the questions of one case. Here the same weighing runs on a table of visits,
one question a step, which is thirty times as fast; a test holds both to the same questions.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.engine import Engine
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, CaseTable, FeatureRow, encode_table
from ddx.inquiry.askable import ALSO_DENIED_BY, FOLLOW_UPS, fits
from ddx.inquiry.bank import Item, QuestionBank
from ddx.once import once
from ddx.terminology.catalogue import FindingKind

Rows = NDArray[np.float32]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

NOTHING: Final = -1
"""Number of the question of a visit that has none left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Patients to interview. truth: int64 (n,), position of the disease in the model.

    record: what each would answer, over the findings of the model; UNKNOWN where the source of
    the patient says nothing, which leaves a question unanswered.
    opening: int64 (n,), the complaint, as a position among the findings of the record.
    """

    record: CaseTable
    opening: Indices
    truth: Indices

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: Indices) -> "Visits":
        """Return the visits at `rows`."""
        return Visits(
            record=_taken(self.record, rows), opening=self.opening[rows], truth=self.truth[rows]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of n visits before the next question.

    table: what was told. rows: the same as the model reads it. open: bool (n, n_items), whether
    a question of the bank still makes sense.
    """

    table: CaseTable
    rows: Rows
    open: Mask


class Panel:
    """Asks visits the questions of one engine, weighed by what its inquirer believes of each."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.bank: QuestionBank = engine.inquirer.bank
        self._schema = engine.common.schema
        self.findings: tuple[FindingId, ...] = tuple(self._schema.findings)
        self._at = {finding: i for i, finding in enumerate(self.findings)}
        self.members = [np.array([self._at[f] for f in item.findings]) for item in self.bank.items]
        self._first = np.array([item.columns[0] for item in self.bank.items])
        self._choice = np.array([item.is_choice for item in self.bank.items])

    @once
    def openings(self) -> Mask:
        """What a visit may open with, bool (n_findings,): a symptom that is yes or no."""
        terms = [self.engine.catalogue.term(finding) for finding in self.findings]
        return np.array([t.kind is FindingKind.BINARY and not t.antecedent for t in terms])

    def visits(self, record: CaseTable, truth: Indices, rng: np.random.Generator) -> Visits:
        """Return the patients, each opening with one of its symptoms drawn evenly.

        record: over any findings. Who has no symptom opens with any finding it has; who has none
        that the model reads is left out.
        """
        whole = self._over_schema(record)
        has = whole.presence == PRESENT
        may_open = has & self.openings
        may_open[~may_open.any(axis=1)] = has[~may_open.any(axis=1)]
        opening = (rng.random(has.shape) * may_open).argmax(axis=1)
        kept = np.flatnonzero(has.any(axis=1))
        return Visits(record=whole, opening=opening, truth=truth).take(kept)

    def unfit(self, visits: Visits) -> Mask:
        """Return which questions make no sense for age and sex, bool (n, n_items).

        Equal patients are looked at once.
        """
        who = np.stack((visits.record.age_days, visits.record.female), axis=1)
        distinct, place = np.unique(who, axis=0, return_inverse=True)
        known = np.array([[self._fits(item, *one) for item in self.bank.items] for one in distinct])
        unasked: NDArray[np.bool_] = ~known[place.ravel()]
        return unasked

    def silent(self, visits: Visits) -> Mask:
        """Return the questions that the record of a visit says nothing of, bool (n, n_items)."""
        says = (visits.record.presence != UNKNOWN).astype(np.float32)
        silent: Mask = says @ self._spread == 0
        return silent

    def known(self, visits: Visits, presence: NDArray[np.int8], closed: Mask) -> Known:
        """Return what is known. presence: told so far. closed: bool, `unfit` or put."""
        table = self._told(visits, presence)
        rows = self.rows(visits, presence)
        return Known(table=table, rows=rows, open=self._open(table, rows) & ~closed)

    def rows(self, visits: Visits, presence: NDArray[np.int8]) -> Rows:
        """Return what was told as the model reads it, float32 (n, n_columns)."""
        ontology = self.engine.catalogue.ontology
        return encode_table(self._told(visits, presence), self._schema, ontology)

    def _told(self, visits: Visits, presence: NDArray[np.int8]) -> CaseTable:
        grade = np.where(presence == PRESENT, visits.record.grade, np.float32(np.nan))
        return replace(visits.record, presence=presence, grade=grade)

    def case(self, table: CaseTable, row: int) -> Case:
        """Return one visit as a device holds it."""
        told = np.flatnonzero(table.presence[row] != UNKNOWN).tolist()
        return Case(
            age_days=int(table.age_days[row]),
            sex=Sex.FEMALE if table.female[row] else Sex.MALE,
            findings=tuple(self._finding(table, row, i) for i in told),
        )

    def read(self, rows: Rows, i: int) -> FeatureRow:
        """Return one row as `encode` would give it; every finding told has a column."""
        return FeatureRow(values=rows[i], asked=~np.isnan(rows[i]), dropped=())

    def _finding(self, table: CaseTable, row: int, i: int) -> Finding:
        if table.presence[row, i] == EXCLUDED:
            return Finding(id=self.findings[i], presence=Presence.EXCLUDED)
        grade = float(table.grade[row, i])
        graded = self.engine.catalogue.term(self.findings[i]).kind is FindingKind.GRADED
        return Finding(
            id=self.findings[i], presence=Presence.PRESENT, grade=grade if graded else None
        )

    def _over_schema(self, record: CaseTable) -> CaseTable:
        presence = np.full((len(record.age_days), len(self.findings)), UNKNOWN, dtype=np.int8)
        grade = np.full(presence.shape, np.nan, dtype=np.float32)
        for i, finding in enumerate(record.findings):
            if finding in self._at:
                presence[:, self._at[finding]] = record.presence[:, i]
                grade[:, self._at[finding]] = record.grade[:, i]
        return replace(record, findings=self.findings, presence=presence, grade=grade)

    def _open(self, table: CaseTable, rows: Rows) -> Mask:
        """Return what `ddx.inquiry.askable.askable` says besides `unfit`, (n, n_items)."""
        present, excluded = table.presence == PRESENT, table.presence == EXCLUDED
        denied = (excluded.astype(np.float32) @ self._spread) > 0
        answered = np.where(self._choice, denied, ~np.isnan(rows[:, self._first]))
        return ~answered & ~self._ruled_out(excluded) & ~self._settled(present, excluded)

    @once
    def _spread(self) -> Rows:
        """1 where a finding is a value of a question, float32 (n_findings, n_items)."""
        spread = np.zeros((len(self.findings), len(self.members)), dtype=np.float32)
        for k, members in enumerate(self.members):
            spread[members, k] = 1.0
        return spread

    @once
    def _kinds(self) -> Rows:
        """1 where the first finding, excluded, excludes the second, float32 (n_findings, same)."""
        kinds = np.zeros((len(self.findings), len(self.findings)), dtype=np.float32)
        for item in self.bank.items:
            for finding, above in zip(item.findings, item.kinds, strict=True):
                kinds[[self._at[kind] for kind in above if kind in self._at], self._at[finding]] = 1
        return kinds

    def _ruled_out(self, excluded: Mask) -> Mask:
        gone = (excluded.astype(np.float32) @ self._kinds) > 0
        left: Mask = (~gone).astype(np.float32) @ self._spread > 0
        return ~left

    def _settled(self, present: Mask, excluded: Mask) -> Mask:
        number = {item.subject: k for k, item in enumerate(self.bank.items)}
        has = (present.astype(np.float32) @ self._spread) > 0
        settled = np.zeros_like(has)
        for gate, follow_ups in FOLLOW_UPS.items():
            below = [number[name] for name in follow_ups if name in number]
            if gate not in self._at or gate not in number:
                continue
            denials = [self._at[f] for f in (gate, *ALSO_DENIED_BY.get(gate, ())) if f in self._at]
            denied = excluded[:, denials].any(axis=1) & ~present[:, self._at[gate]]
            settled[np.ix_(denied, np.array(below, dtype=np.intp))] = True
            settled[~denied & has[:, below].any(axis=1), number[gate]] = True
        return settled

    def _fits(self, item: Item, age_days: float, female: float) -> bool:
        sex = Sex.FEMALE if female else Sex.MALE
        return fits(item.findings[0], Case(age_days=int(age_days), sex=sex, findings=()))


def _taken(table: CaseTable, rows: Indices) -> CaseTable:
    return replace(
        table,
        age_days=table.age_days[rows],
        female=table.female[rows],
        presence=table.presence[rows],
        grade=table.grade[rows],
    )
