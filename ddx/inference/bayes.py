"""Naive Bayes over the columns of the common model: what each known value says of each disease.

A patient mentions a few of all the findings they have. The chance that a patient of disease d
mentions finding f is not P(f | d) but the mean over such patients of 1 / n where f is among their
n findings: whoever has thirty complaints mentions a given one less often than whoever has three.
With background values under a bar, averaged over the diseases that describe the column,

    margin(d) = log prior(d) + sum over known columns of ratio(d, column, value)
    present:  log(mentioned(f | d) / mentioned(f))
    absent, age, sex:  log(P(value | d) / P(value))

An unknown column adds nothing, and neither does one that d's description leaves open. Trees are
boosted from these margins (`training.fit.common`).
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import COMMON_BAYES
from ddx.errors import ModelError

Margins = NDArray[np.float64]
Values = NDArray[np.float32]

STEPS: Final = 1024
"""Ratios are stored in whole steps of 1 / STEPS, int16: an error below 0.0005, a range of 32."""

_AT_ONCE: Final = 200_000
"""Known values looked up in one go; bounds the memory of many rows at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BayesTable:
    """Log ratios by bin of each column.

    schema_hash: of the columns. prior: float64 (n_diseases,), natural logarithm.
    edges: float32 (n_columns, n_edges), lower ends of the bins above the first, padded with inf.
    first: int32 (n_columns,), position of each column's first bin in `steps`.
    steps: int16 (n_bins, n_diseases), ratio times STEPS.
    digest: SHA-256 (hex) of all of it; the trees boosted from this table carry the same.
    """

    schema_hash: str
    prior: Margins
    edges: Values
    first: NDArray[np.int32]
    steps: NDArray[np.int16]
    digest: str = field(init=False)
    _ratios: Margins = field(init=False, repr=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.schema_hash.encode())
        for array in (self.prior, self.edges, self.first, self.steps):
            little = array.dtype.newbyteorder("<")
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array, dtype=little).tobytes())
        object.__setattr__(self, "digest", digest.hexdigest())
        object.__setattr__(self, "_ratios", self.steps / float(STEPS))

    @classmethod
    def from_npz(cls, raw: bytes) -> Self:
        """Read the bundle member `models/common_bayes.npz`. Raises ModelError."""
        try:
            with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
                table = cls(
                    schema_hash=str(arrays["schema_hash"]),
                    prior=arrays["prior"].astype(np.float64),
                    edges=arrays["edges"].astype(np.float32),
                    first=arrays["first"].astype(np.int32),
                    steps=arrays["steps"].astype(np.int16),
                )
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"{COMMON_BAYES} cannot be read: {error!r}") from error
        table.check()
        return table

    def to_npz(self) -> bytes:
        """Return the bundle member; equal tables give equal bytes."""
        out = io.BytesIO()
        np.savez(
            out,
            allow_pickle=False,
            schema_hash=np.array(self.schema_hash),
            prior=self.prior,
            edges=self.edges,
            first=self.first,
            steps=self.steps,
        )
        return out.getvalue()

    def check(self) -> None:
        """Raise ModelError unless every bin of every column has its row of ratios."""
        shaped = (
            self.edges.ndim == self.steps.ndim == 2
            and self.first.shape == (len(self.edges),)
            and self.prior.shape == (self.steps.shape[1],)
        )
        if not shaped or not np.all(np.isfinite(self.prior)) or np.isnan(self.edges).any():
            raise ModelError(f"{COMMON_BAYES}: arrays do not belong together")
        bins = 1 + np.isfinite(self.edges).sum(axis=1)
        follows = np.concatenate(([0], np.cumsum(bins)))
        if not np.array_equal(follows[:-1], self.first) or follows[-1] != len(self.steps):
            raise ModelError(f"{COMMON_BAYES}: bins and ratios differ in number")

    def margins(self, values: Values) -> Margins:
        """Return the margins of one row, float64 (n_diseases,). values: float32 (n_columns,)."""
        known = np.flatnonzero(~np.isnan(values))
        margins: Margins = self.prior + self._ratios[self._bins(known, values[known])].sum(axis=0)
        return margins

    def margins_of(self, values: Values) -> Margins:
        """Return the margins of many rows, float64 (n, n_diseases)."""
        margins = np.tile(self.prior, (len(values), 1))
        rows_at_once = max(1, _AT_ONCE // values.shape[1])
        for start in range(0, len(values), rows_at_once):
            rows, columns = np.nonzero(~np.isnan(values[start : start + rows_at_once]))
            if len(rows):
                found = self._bins(columns, values[start + rows, columns])
                starts = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
                margins[start + rows[starts]] += np.add.reduceat(self._ratios[found], starts)
        return margins

    def contributions(self, values: Values, disease: int) -> Margins:
        """Return what each column adds to the margin of one disease, float64 (n_columns,).

        disease: its number. Unknown columns add 0; prior[disease] + sum = margin.
        """
        known = np.flatnonzero(~np.isnan(values))
        weights = np.zeros(len(values))
        weights[known] = self._ratios[self._bins(known, values[known]), disease]
        return weights

    def _bins(self, columns: NDArray[np.int64], values: Values) -> NDArray[np.int64]:
        """Return the position of each value's bin; a value on an edge belongs above it."""
        above = (values[:, np.newaxis] >= self.edges[columns]).sum(axis=1)
        positions: NDArray[np.int64] = self.first[columns] + above
        return positions
