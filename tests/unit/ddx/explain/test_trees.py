"""TreeSHAP in numpy against XGBoost's own, the shap package, and a sum done by hand."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
import xgboost

from ddx.errors import ModelError
from ddx.explain.trees import LEAF, Forest, _integrals, _quadrature, leaf_paths
from training.export.forest import forest_of

N_COLUMNS, N_CLASSES = 6, 3


def rows_with_gaps(n, seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 4, (n, N_COLUMNS)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.3] = np.nan
    return rows


def booster_of(depth, *, rounds=8, seed=0):
    """Few columns and deep trees: paths test the same column more than once."""
    rows = rows_with_gaps(800, seed)
    filled = np.nan_to_num(rows, nan=1.5)
    truth = (filled[:, 0] + filled[:, 1] * filled[:, 2] + 2 * np.isnan(rows[:, 3])) % N_CLASSES
    parameters = {
        "objective": "multi:softprob",
        "num_class": N_CLASSES,
        "max_depth": depth,
        "base_score": 0.5,
        "nthread": 1,
        "seed": seed,
    }
    return xgboost.train(parameters, xgboost.DMatrix(rows, truth.astype(int)), rounds)


def forest_from(booster):
    frequency = np.full((N_CLASSES, N_COLUMNS), 0.1, dtype=np.float32)
    return forest_of(
        bytes(booster.save_raw("json")),
        schema_hash="h",
        frequency=frequency,
    )


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7])
def test_contributions_equal_those_of_xgboost(depth):
    booster, rows = booster_of(depth), rows_with_gaps(60, seed=9)
    theirs = booster.predict(xgboost.DMatrix(rows), pred_contribs=True)
    forest = forest_from(booster)
    for output in range(N_CLASSES):
        paths = leaf_paths(forest, output)
        ours = np.stack([paths.contributions(row) for row in rows])
        np.testing.assert_allclose(ours, theirs[:, output, :-1], atol=2e-5)
        assert paths.base == pytest.approx(float(theirs[0, output, -1]), abs=2e-5)


def test_contributions_equal_those_of_the_shap_package():
    import shap

    booster, rows = booster_of(4), rows_with_gaps(60, seed=9)
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    theirs = np.asarray(explainer.shap_values(rows))
    forest = forest_from(booster)
    for output in range(N_CLASSES):
        ours = np.stack([leaf_paths(forest, output).contributions(row) for row in rows])
        np.testing.assert_allclose(ours, theirs[:, :, output], atol=2e-5)


def test_contributions_add_up_to_the_margin():
    booster, rows = booster_of(5), rows_with_gaps(200, seed=11)
    margins = booster.predict(xgboost.DMatrix(rows), output_margin=True)
    forest = forest_from(booster)
    for output in range(N_CLASSES):
        paths = leaf_paths(forest, output)
        sums = [paths.base + paths.contributions(row).sum() for row in rows]
        np.testing.assert_allclose(sums, margins[:, output], atol=1e-4)


def test_forest_survives_its_own_file_and_writes_the_same_bytes_twice():
    forest = forest_from(booster_of(3))
    raw = forest.to_npz()
    again = Forest.from_npz(raw)
    assert again.to_npz() == raw
    row = rows_with_gaps(1, seed=2)[0]
    np.testing.assert_array_equal(
        leaf_paths(again, 1).contributions(row), leaf_paths(forest, 1).contributions(row)
    )


def stump_pair():
    """Column 0 < 1 ? (column 1 < 1 ? 10 : 2) : -4, nan goes left at the root, right below.

    Of 8 training patients 6 went left at the root, and 3 of those left again.
    """
    return Forest(
        feature=np.array([0, 1, LEAF, LEAF, LEAF], dtype=np.int16),
        value=np.array([1, 1, -4, 10, 2], dtype=np.float32),
        left=np.array([1, 3, 0, 0, 0], dtype=np.int32),
        missing_left=np.array([True, False, False, False, False]),
        cover=np.array([8, 6, 2, 3, 3], dtype=np.float32),
        roots=np.array([0], dtype=np.int32),
        output=np.array([0], dtype=np.int16),
        base=np.array([0.25]),
        schema_hash="h",
        frequency=np.array([[0.5, 0.5, 0.5]], dtype=np.float32),
    )


def expected_value(known, row):
    """Mean of the stump pair over what `known` leaves open (Lundberg 2020, algorithm 1)."""

    def at_second():
        if 1 not in known:
            return 0.5 * 10 + 0.5 * 2
        return 10 if row[1] < 1 else 2

    if 0 not in known:
        return 0.75 * at_second() + 0.25 * -4
    return at_second() if (np.isnan(row[0]) or row[0] < 1) else -4


def shapley(row, column, n=3):
    others = [c for c in range(n) if c != column]
    total = 0.0
    for size in range(n):
        weight = factorial(size) * factorial(n - size - 1) / factorial(n)
        for chosen in combinations(others, size):
            with_it = expected_value({*chosen, column}, row)
            total += weight * (with_it - expected_value(set(chosen), row))
    return total


@pytest.mark.parametrize("row", [(0, 0, 0), (0, 2, 1), (2, 0, 0), (np.nan, np.nan, np.nan)])
def test_two_tests_worked_by_the_definition_of_shapley(row):
    values = np.array(row, dtype=np.float32)
    paths = leaf_paths(stump_pair(), 0)
    by_definition = [shapley(values, column) for column in range(3)]
    np.testing.assert_allclose(paths.contributions(values), by_definition, atol=1e-12)
    assert paths.base == pytest.approx(0.25 + expected_value(set(), values))


def test_unused_column_gets_exactly_zero():
    values = np.array([0, 0, 5], dtype=np.float32)
    assert leaf_paths(stump_pair(), 0).contributions(values)[2] == 0.0


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"\x93NUMPY"])
def test_bytes_that_are_no_trees_are_a_model_error(raw):
    with pytest.raises(ModelError):
        Forest.from_npz(raw)


def tampered(**changed):
    import io

    with np.load(io.BytesIO(stump_pair().to_npz())) as stored:
        arrays = {name: stored[name] for name in stored.files}
    out = io.BytesIO()
    np.savez(out, **{**arrays, **changed})
    return out.getvalue()


@pytest.mark.parametrize(
    "changed",
    [
        {"left_step": np.array([0, 2, 0, 0, 0], dtype=np.uint16)},
        {"left_step": np.array([1, 9, 0, 0, 0], dtype=np.uint16)},
        {"cover": np.zeros(5, dtype=np.float32)},
        {"roots": np.array([7], dtype=np.int32)},
        {"output": np.array([3], dtype=np.int16)},
        {"feature": np.array([0, 9, -1, -1, -1], dtype=np.int16)},
        {"value": np.zeros(2, dtype=np.float32)},
    ],
    ids=["cycle", "beyond the end", "no cover", "root", "output", "column", "length"],
)
def test_trees_with_broken_indices_are_refused(changed):
    with pytest.raises(ModelError):
        Forest.from_npz(tampered(**changed))


def test_pickled_trees_are_refused():
    import io

    out = io.BytesIO()
    np.savez(out, feature=np.array([{"run": "me"}], dtype=object))
    with pytest.raises(ModelError):
        Forest.from_npz(out.getvalue())


def test_trees_without_a_split_explain_nothing_and_keep_their_base():
    """A tree that gained too little from any split is one leaf: no finding has a part in it."""
    leaf = Forest(
        feature=np.array([LEAF], dtype=np.int16),
        value=np.array([0.5], dtype=np.float32),
        left=np.array([0], dtype=np.int32),
        missing_left=np.array([False]),
        cover=np.array([8], dtype=np.float32),
        roots=np.array([0], dtype=np.int32),
        output=np.array([0], dtype=np.int16),
        base=np.array([0.25]),
        schema_hash="h",
        frequency=np.array([[0.5, 0.5, 0.5]], dtype=np.float32),
    )
    paths = leaf_paths(leaf, 0)
    np.testing.assert_array_equal(paths.contributions(np.zeros(3, dtype=np.float32)), np.zeros(3))
    assert paths.base == pytest.approx(0.75)


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
def test_integrals_are_those_of_the_product_over_the_other_slots(depth):
    dice = np.random.default_rng(20_261_126)
    share = dice.uniform(0.05, 1.0, (20, depth))
    passes = dice.random((20, depth)) < 0.5
    for leaf in range(20):
        for slot in range(depth):
            others = [j for j in range(depth) if j != slot]
            exact = np.polynomial.Polynomial([1.0])
            for j in others:
                start = share[leaf, j]
                exact *= np.polynomial.Polynomial([start, float(passes[leaf, j]) - start])
            area = exact.integ()
            assert _integrals(passes, share)[leaf, slot] == pytest.approx(
                area(1.0) - area(0.0), abs=1e-12
            )


def test_the_quadrature_weighs_the_whole_interval():
    assert sum(weight for _, weight in _quadrature(4)) == pytest.approx(1.0, abs=1e-15)
