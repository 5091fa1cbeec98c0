"""Counts fully asked patients into the Bayes table of the common model.

Patients come from sources that describe different findings. What a source does not describe of
its diseases is never taken as absent: it is guessed near the background of that finding, and left
open (ratio 0) where no background is stated. Where other findings imply such a finding more often
than that, their share is believed.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.features.schema import Column, ColumnKind, FeatureSchema
from ddx.inference.bayes import STEPS, BayesTable

Table = NDArray[np.float64]

AGE_EDGES: Final = (1.0, 5.0, 15.0, 30.0, 45.0, 60.0, 75.0)
"""Ages in years at which a new band starts; those of the endemic knowledge base, and 75."""

GRADE_EDGES: Final = tuple(grade + 0.5 for grade in range(10))
RAISING: Final = 0.25
"""Share of diseases taken to raise a finding nobody described of them. An estimate: of the figures
that endemic diseases give for such findings, 0.26 are above twice the background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesSettings:
    """Constants of the table, searched by `training.fit.search`.

    pseudo_patients: added to every bin, so that nothing counts as impossible.
    strongest: bound of one column's ratio; 7 lets no answer outweigh odds of 1,100 to 1, for
    answers err too. mentions: how many findings a patient is taken to mention; whoever has no
    more than that mentions them all alike.
    """

    pseudo_patients: float = 0.1
    strongest: float = 7.0
    mentions: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of diseases besides the counts.

    prior: float64 (n_diseases,), sums to 1. described: bool (n_diseases, n_columns), whether the
    source of a disease asks the finding of a column. background: float64 (n_columns,), P(finding)
    in a visit for another reason, nan where nobody says.
    """

    prior: Table
    described: NDArray[np.bool_]
    background: Table

    def guess(self, average: Table) -> Table:
        """Return P(finding | a disease not described), (n_columns,), nan without a background.

        Most diseases leave a finding at its background, some raise it as those described do.
        average: (n_columns,), of those described.
        """
        return (1.0 - RAISING) * self.background + RAISING * average


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Running totals over fully asked patients; all float64.

    seen, mentioned: (n_diseases, n_bins), patients whose value fell into a bin, and the sum over
    them of 1 / (number of their findings, `mentions` at least). patients, typical: (n_diseases,),
    how many there are, and the sum of the same.
    """

    schema: FeatureSchema
    settings: BayesSettings
    edges: NDArray[np.float32]
    first: NDArray[np.int32]
    seen: Table
    mentioned: Table
    patients: Table
    typical: Table

    @classmethod
    def of(cls, schema: FeatureSchema, n_diseases: int, settings: BayesSettings) -> Self:
        """Return totals of nobody."""
        own = [_edges(column) for column in schema.columns]
        edges = np.full((len(own), max(map(len, own))), np.inf, dtype=np.float32)
        for row, values in zip(edges, own, strict=True):
            row[: len(values)] = values
        first = np.cumsum([0, *(len(values) + 1 for values in own)])
        empty = np.zeros((n_diseases, first[-1]))
        return cls(
            schema=schema,
            settings=settings,
            edges=edges,
            first=first[:-1].astype(np.int32),
            seen=empty,
            mentioned=empty.copy(),
            patients=np.zeros(n_diseases),
            typical=np.zeros(n_diseases),
        )

    def add(
        self, rows: NDArray[np.float32], truth: NDArray[np.int64], asked: NDArray[np.bool_]
    ) -> None:
        """Count patients of one source.

        rows: float32 (n, n_columns), nan where unknown. truth: (n,). asked: (n_columns,), what
        the source asks; only this counts towards the number of findings a patient has.
        """
        had = (rows[:, self._findings() & asked] > 0).sum(axis=1)
        number = np.maximum(had, self.settings.mentions)
        self.patients[:] += np.bincount(truth, minlength=len(self.patients))
        self.typical[:] += np.bincount(truth, 1.0 / number, minlength=len(self.patients))
        for column in range(len(self.schema)):
            known = ~np.isnan(rows[:, column])
            bins = (rows[known, column, np.newaxis] >= self.edges[column]).sum(axis=1)
            at = (truth[known], self.first[column] + bins)
            np.add.at(self.seen, at, 1.0)
            np.add.at(self.mentioned, at, 1.0 / number[known])

    def table(self, known: "Known", *, selective: bool) -> BayesTable:
        """Return the ratios of every disease.

        selective: weigh a present finding by the chance of being mentioned among the others;
        else by the chance of being present, which is plain naive Bayes.
        """
        shares = self._shares(self._completed(known.described), selective=selective)
        ratios = np.zeros_like(shares)
        believed, (_, average) = self.believed(known), self._present(known)
        guess = known.guess(average)
        for column in range(len(self.schema)):
            bins, told = self._bins(column), known.described[:, column]
            if told.any():
                usual = known.prior[told] @ shares[told, bins] / known.prior[told].sum()
                ratio = np.log(shares[:, bins] / usual)
                guessed = _guessed(guess[column], average[column])
                ratios[:, bins] = np.where(believed[:, column, np.newaxis], ratio, guessed)
        bound = self.settings.strongest
        steps = np.rint(np.clip(ratios, -bound, bound) * STEPS).astype(np.int16)
        return BayesTable(
            schema_hash=self.schema.hash,
            prior=np.log(known.prior),
            edges=self.edges,
            first=self.first,
            steps=np.ascontiguousarray(steps.T),
        )

    def frequency(self, known: "Known") -> NDArray[np.float32]:
        """Return the share of patients with each finding, (n_diseases, n_columns).

        nan for age and sex. Where a disease is not believed: the guess, else the average of those
        described.
        """
        shares, average = self._present(known)
        guess = known.guess(average)
        filled = np.where(np.isnan(guess), average, guess)
        filled = np.where(self.believed(known), shares, filled)
        filled[:, ~self._findings()] = np.nan
        return np.round(filled, 3).astype(np.float32)

    def believed(self, known: "Known") -> NDArray[np.bool_]:
        """Return what is described, and what is implied more often than it would be guessed."""
        shares, average = self._present(known)
        guess = known.guess(average)
        least = np.where(np.isnan(guess), average, guess)
        implied = self._findings() & known.described.any(axis=0) & (shares > least)
        return known.described | implied

    def _present(self, known: "Known") -> tuple[Table, Table]:
        """Return P(present | disease) of each column, and its average over the described."""
        seen = self._completed(known.described)
        total = np.add.reduceat(seen, self.first, axis=1)
        absent = seen[:, self.first]
        pseudo = self.settings.pseudo_patients
        shares = (total - absent + pseudo) / (total + 2 * pseudo)
        weights = known.prior[:, np.newaxis] * known.described
        return shares, (weights * shares).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-12)

    def _completed(self, described: NDArray[np.bool_]) -> Table:
        """Return `seen` with those of whom nothing implied a finding counted as without it.

        Only where the finding is not described: there a patient cannot have been found without.
        """
        total = np.add.reduceat(self.seen, self.first, axis=1)
        missing = np.where(described, 0.0, self.patients[:, np.newaxis] - total)
        completed = self.seen.copy()
        completed[:, self.first] += missing
        return completed

    def _shares(self, seen: Table, *, selective: bool) -> Table:
        """Return P(bin | disease); of a present finding, when selective, P(mentioned | disease)."""
        typical = self.typical / np.maximum(self.patients, 1.0)
        shares = np.empty_like(seen)
        for column, is_finding in enumerate(self._findings()):
            bins = self._bins(column)
            smooth = seen[:, bins] + self.settings.pseudo_patients
            total = smooth.sum(axis=1, keepdims=True)
            shares[:, bins] = smooth / total
            if is_finding and selective:
                later = slice(bins.start + 1, bins.stop)
                pseudo = self.settings.pseudo_patients * typical[:, np.newaxis]
                shares[:, later] = (self.mentioned[:, later] + pseudo) / total
        return shares

    def _bins(self, column: int) -> slice:
        start = int(self.first[column])
        return slice(start, start + 1 + int(np.isfinite(self.edges[column]).sum()))

    def _findings(self) -> NDArray[np.bool_]:
        return np.array([column.finding is not None for column in self.schema.columns])


def _guessed(guess: float, average: float) -> NDArray[np.float64]:
    """Return the ratios, absent and present, of a guessed share; 0 where there is no guess."""
    if np.isnan(guess):
        return np.zeros(1)
    return np.log([(1.0 - guess) / (1.0 - average), guess / average])


def _edges(column: Column) -> tuple[float, ...]:
    if column.kind is ColumnKind.AGE_YEARS:
        return AGE_EDGES
    return GRADE_EDGES if column.kind is ColumnKind.GRADE else (0.5,)
