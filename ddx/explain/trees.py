"""Exact path-dependent TreeSHAP of a tree ensemble, from its leaf paths, in numpy.

Along the path to one leaf with value v let P be the d distinct features tested, o_i = 1 when the
row passes every test of feature i (else 0), and z_i the share of training cover that does. Then

    phi_i = v * (o_i - z_i) * integral over t in 0..1 of prod_{j in P, j != i} (t*o_j + (1-t)*z_j)

The integrand has degree d - 1, so Gauss-Legendre quadrature with ceil(d / 2) points is exact.
Sources: Lundberg et al. 2020, Nat Mach Intell 2:56-67 (the values); Yu et al. 2022, "Linear
TreeShap", NeurIPS (the path polynomial); the integral is the Beta function's of Shapley weights.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import COMMON_TREES
from ddx.errors import ModelError

LEAF: Final = -1
"""`feature` of a leaf."""

_MAX_DEPTH: Final = 32
"""No model of ours is deeper; a deeper (or cyclic) table is refused."""


TABLED_DEPTH: Final = 6
"""Deepest trees whose leaves are tabled: 64 patterns of 6 values, 3 kB a leaf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Every tree of an ensemble, nodes one after another; arrays of length n_nodes.

    feature: int16, tested column or LEAF. value: float32, threshold (row < value goes left) or
    leaf value. left: int32, index of the left child; the right one follows it. missing_left: bool,
    where nan goes. cover: float32, weight of the training rows that passed the node.
    roots: int32 (n_trees,). output: int16 (n_trees,), the margin a tree adds to.
    base: float64 (n_outputs,), margin before any tree. schema_hash: of the columns tested.
    frequency: float32 (n_outputs, n_columns), share of the training patients of each output who
    had the finding of a column; nan for columns that hold no finding.
    described: bool, same shape; where False the share is a guess, for want of a description. None
    when every output is described in full.
    bayes_digest: of the Bayes table the trees were boosted from; None when from nothing.
    """

    feature: NDArray[np.int16]
    value: NDArray[np.float32]
    left: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    cover: NDArray[np.float32]
    roots: NDArray[np.int32]
    output: NDArray[np.int16]
    base: NDArray[np.float64]
    schema_hash: str
    frequency: NDArray[np.float32]
    described: NDArray[np.bool_] | None = None
    bayes_digest: str | None = None

    @classmethod
    def from_npz(cls, raw: bytes, name: str = COMMON_TREES) -> Self:
        """Read the bundle member `name`. Raises ModelError."""
        try:
            with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
                forest = cls(
                    feature=arrays["feature"].astype(np.int16),
                    value=arrays["value"].astype(np.float32),
                    left=_absolute(arrays["left_step"]),
                    missing_left=arrays["missing_left"].astype(bool),
                    cover=arrays["cover"].astype(np.float32),
                    roots=arrays["roots"].astype(np.int32),
                    output=arrays["output"].astype(np.int16),
                    base=arrays["base"].astype(np.float64),
                    schema_hash=str(arrays["schema_hash"]),
                    frequency=arrays["frequency"].astype(np.float32),
                    described=arrays["described"].astype(bool) if "described" in arrays else None,
                    bayes_digest=str(arrays["bayes_digest"]) if "bayes_digest" in arrays else None,
                )
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"{name} cannot be read: {error!r}") from error
        forest.check()
        return forest

    def to_npz(self) -> bytes:
        """Return the bundle member; equal forests give equal bytes."""
        out = io.BytesIO()
        np.savez(out, allow_pickle=False, **self._arrays())
        return out.getvalue()

    def _arrays(self) -> Mapping[str, NDArray[np.generic]]:
        step = np.where(self.feature == LEAF, 0, self.left - np.arange(len(self.left)))
        arrays: dict[str, NDArray[np.generic]] = {
            "feature": self.feature,
            "value": self.value,
            "left_step": step.astype(np.uint16),
            "missing_left": self.missing_left,
            "cover": self.cover,
            "roots": self.roots,
            "output": self.output,
            "base": self.base,
            "schema_hash": np.array(self.schema_hash),
            "frequency": self.frequency,
        }
        if self.described is not None:
            arrays["described"] = self.described
        if self.bayes_digest is not None:
            arrays["bayes_digest"] = np.array(self.bayes_digest)
        return arrays

    def stated_frequency(self, output: int) -> NDArray[np.float32]:
        """Return the frequencies of one output, (n_columns,), nan where nobody described it."""
        stated: NDArray[np.float32] = self.frequency[output].copy()
        if self.described is not None:
            stated[~self.described[output]] = np.nan
        return stated

    def check(self) -> None:
        """Raise ModelError unless every index is in range and children follow their parent."""
        count, inner = len(self.feature), self.feature != LEAF
        lengths = {len(self.value), len(self.left), len(self.missing_left), len(self.cover)}
        children = self.left[inner]
        sound = (
            lengths == {count}
            and len(self.roots) == len(self.output)
            and bool(np.all((self.roots >= 0) & (self.roots < count)))
            and bool(np.all((self.output >= 0) & (self.output < len(self.base))))
            and bool(np.all((children > np.flatnonzero(inner)) & (children + 1 < count)))
            and bool(np.all(self.cover > 0))
            and self.frequency.ndim == 2
            and len(self.frequency) == len(self.base)
            and (self.described is None or self.described.shape == self.frequency.shape)
            and bool(np.all(self.feature < self.frequency.shape[1]))
        )
        if not sound:
            raise ModelError(f"{COMMON_TREES}: nodes, roots or covers are not those of trees")


def _absolute(step: NDArray[np.generic]) -> NDArray[np.int32]:
    return (step.astype(np.int64) + np.arange(len(step))).astype(np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafPaths:
    """The leaves of the trees of one output, each with the distinct features on its path.

    All (n_leaves, depth); a padded slot has share 1 and is passed by every row.
    feature: int32 (0 when padded). low, high: float32, passes when low <= x < high.
    missing: bool, passes when x is nan. share: float64, cover ratio z.
    leaf: float64 (n_leaves,), leaf value. base: margin of the average training row.

    A row passes or fails each of a few tests, so what each leaf then gives its columns is looked
    up: `_tabled`, (n_leaves, 2 ** depth, depth), for trees of up to TABLED_DEPTH.
    """

    feature: NDArray[np.int32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    missing: NDArray[np.bool_]
    share: NDArray[np.float64]
    leaf: NDArray[np.float64]
    base: float
    _tabled: NDArray[np.float64] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        depth = self.share.shape[1]
        patterns = np.arange(1 << depth)[:, np.newaxis] >> np.arange(depth) & 1
        tabled = (
            np.stack([self._given(np.broadcast_to(p > 0, self.share.shape)) for p in patterns], 1)
            if self.share.size and depth <= TABLED_DEPTH
            else None
        )
        object.__setattr__(self, "_tabled", tabled)

    def contributions(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the SHAP value of each column of one row, float64 (n_columns,).

        values: float32 (n_columns,), nan where unknown. base + sum = margin of the row.
        """
        if not self.share.size:  # a disease no tree adds to, or trees without a split
            return np.zeros(len(values))
        x = values.take(self.feature)
        passes = np.where(np.isnan(x), self.missing, (x >= self.low) & (x < self.high))
        weights = self._given(passes) if self._tabled is None else _looked_up(self._tabled, passes)
        summed = np.bincount(self.feature.ravel(), weights.ravel(), minlength=len(values))
        return summed.astype(np.float64, copy=False)

    def _given(self, passes: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return what each leaf gives the feature of each slot, (n_leaves, depth)."""
        integrals = _integrals(passes, self.share)
        given: NDArray[np.float64] = (passes - self.share) * integrals * self.leaf[:, np.newaxis]
        return given


def _looked_up(tabled: NDArray[np.float64], passes: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the row of each leaf for the tests it passes, (n_leaves, depth)."""
    leaves, patterns, depth = tabled.shape
    pattern = np.packbits(passes, axis=1, bitorder="little")[:, 0]
    at = np.arange(0, leaves * patterns, patterns) + pattern
    return tabled.reshape(-1, depth).take(at, axis=0)


def _integrals(passes: NDArray[np.bool_], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, per leaf and slot, the integral of the product over all other slots."""
    o, z = np.ascontiguousarray(passes.T), np.ascontiguousarray(share.T)  # slots in one piece
    depth = len(z)
    total = np.zeros_like(z)
    before, after = np.ones_like(z), np.ones_like(z)
    for node, weight in _quadrature(-(-depth // 2)):
        factors = np.where(o, node + (1.0 - node) * z, (1.0 - node) * z)
        for slot in range(1, depth):
            np.multiply(before[slot - 1], factors[slot - 1], out=before[slot])
            np.multiply(after[-slot], factors[-slot], out=after[-slot - 1])
        total += weight * before * after
    return total.T


@cache
def _quadrature(points: int) -> tuple[tuple[float, float], ...]:
    """Return nodes and weights of Gauss-Legendre over 0..1."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return tuple(zip(((nodes + 1.0) / 2.0).tolist(), (weights / 2.0).tolist(), strict=True))


def leaf_paths(forest: Forest, output: int) -> LeafPaths:
    """Return the paths of the trees that add to `output` (0 .. n_outputs - 1)."""
    edges = _edges(forest, forest.roots[forest.output == output])
    _merge_repeated(edges)
    leaf = forest.value[edges.leaves].astype(np.float64)
    expected = float(np.sum(leaf * edges.share.prod(axis=1)))
    return LeafPaths(
        feature=np.maximum(edges.feature, 0),
        low=edges.low,
        high=edges.high,
        missing=edges.missing,
        share=edges.share,
        leaf=leaf,
        base=float(forest.base[output]) + expected,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edges:
    """One slot per edge from root to leaf, repeated features not merged yet."""

    leaves: NDArray[np.int32]
    feature: NDArray[np.int32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    missing: NDArray[np.bool_]
    share: NDArray[np.float64]

    @classmethod
    def of_roots(cls, roots: NDArray[np.int32]) -> Self:
        shape = (len(roots), 0)
        return cls(
            leaves=roots,
            feature=np.zeros(shape, dtype=np.int32),
            low=np.zeros(shape, dtype=np.float32),
            high=np.zeros(shape, dtype=np.float32),
            missing=np.zeros(shape, dtype=bool),
            share=np.zeros(shape, dtype=np.float64),
        )


def _edges(forest: Forest, roots: NDArray[np.int32]) -> _Edges:
    """Walk all trees down together, one level a turn, until every path ends in a leaf."""
    edges = _Edges.of_roots(roots)
    while np.any(forest.feature[edges.leaves] != LEAF):
        if edges.feature.shape[1] == _MAX_DEPTH:
            raise ModelError(f"{COMMON_TREES}: a tree is deeper than {_MAX_DEPTH}")
        edges = _one_level_down(forest, edges)
    return edges


def _one_level_down(forest: Forest, edges: _Edges) -> _Edges:
    """Return the paths one edge longer; one that ended before gets a padded slot."""
    ended = np.flatnonzero(forest.feature[edges.leaves] == LEAF)
    inner = np.flatnonzero(forest.feature[edges.leaves] != LEAF)
    order = np.concatenate((ended, inner, inner))
    parent = edges.leaves[order]
    goes_left = np.repeat([False, True, False], [len(ended), len(inner), len(inner)])
    is_padding = np.arange(len(order)) < len(ended)
    child = np.where(is_padding, parent, forest.left[parent] + ~goes_left).astype(np.int32)
    threshold = forest.value[parent]
    shape = (-1, 1)
    ratio = forest.cover[child].astype(np.float64) / forest.cover[parent]
    slot = {
        "feature": np.where(is_padding, LEAF, forest.feature[parent]).astype(np.int32),
        "low": np.where(is_padding | goes_left, -np.inf, threshold).astype(np.float32),
        "high": np.where(goes_left, threshold, np.inf).astype(np.float32),
        "missing": is_padding | (forest.missing_left[parent] == goes_left),
        "share": ratio,
    }
    return _Edges(
        leaves=child,
        **{
            name: np.hstack((getattr(edges, name)[order], column.reshape(shape)))
            for name, column in slot.items()
        },
    )


def _merge_repeated(edges: _Edges) -> None:
    """Fold every later test of a feature into its first one and pad the slot it leaves."""
    depth = edges.feature.shape[1]
    for first in range(depth):
        for later in range(first + 1, depth):
            same = (edges.feature[:, first] == edges.feature[:, later]) & (
                edges.feature[:, first] != LEAF
            )
            edges.low[same, first] = np.maximum(edges.low[same, first], edges.low[same, later])
            edges.high[same, first] = np.minimum(edges.high[same, first], edges.high[same, later])
            edges.missing[same, first] &= edges.missing[same, later]
            edges.share[same, first] *= edges.share[same, later]
            edges.feature[same, later] = LEAF
            edges.low[same, later], edges.high[same, later] = -np.inf, np.inf
            edges.missing[same, later], edges.share[same, later] = True, 1.0
