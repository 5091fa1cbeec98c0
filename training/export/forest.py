"""XGBoost's own JSON -> `Forest`, the one form both exports and the explainer start from."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ddx.errors import DdxError
from ddx.explain.trees import LEAF, Forest

_MISSING_CHILD = -1
"""`left_children` of a leaf in XGBoost's JSON (xgboost/doc/model.schema)."""


class ExportError(DdxError):
    """A fitted model cannot be turned into what a device runs, or does not survive it."""

    code: ClassVar[str] = "training.export_failed"


def forest_of(
    booster_json: bytes,
    *,
    schema_hash: str,
    frequency: NDArray[np.float32],
    described: NDArray[np.bool_] | None = None,
    bayes_digest: str | None = None,
) -> Forest:
    """Return the trees of a multi-class booster saved as JSON (`Booster.save_raw("json")`).

    schema_hash: of the columns it was fitted on. frequency, described: (n_outputs, n_columns),
    one row per disease of the model; those past the booster's classes get no tree.
    bayes_digest: of the table whose margins it was boosted from.

    Raises:
        ExportError: not a gbtree booster with scalar leaves and numerical splits.
    """
    try:
        learner = json.loads(booster_json)["learner"]
        model = learner["gradient_booster"]["model"]
        parameters = learner["learner_model_param"]
        trees = [_breadth_first(tree) for tree in model["trees"]]
        output = np.array(model["tree_info"], dtype=np.int16)
    except (ValueError, KeyError, TypeError) as error:
        raise ExportError(f"not a booster of trees: {error!r}") from error
    sizes = [len(tree["feature"]) for tree in trees]
    roots = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int32)
    joined = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
    forest = Forest(
        feature=joined["feature"].astype(np.int16),
        value=joined["value"].astype(np.float32),
        left=(joined["left"] + np.repeat(roots, sizes)).astype(np.int32),
        missing_left=joined["missing_left"].astype(bool),
        cover=joined["cover"].astype(np.float32),
        roots=roots,
        output=output,
        base=_base(parameters["base_score"], int(parameters["num_class"]), len(frequency)),
        schema_hash=schema_hash,
        frequency=frequency,
        described=described,
        bayes_digest=bayes_digest,
    )
    forest.check()
    return forest


def _base(text: str, classes: int, outputs: int) -> NDArray[np.float64]:
    """Return base_score, written as one number or as a list, per output; 0 past the classes."""
    if classes > outputs:
        raise ExportError(f"booster tells {classes} classes apart, {outputs} are named")
    written = np.atleast_1d(np.array(json.loads(text), dtype=np.float64))
    return np.pad(np.broadcast_to(written, classes), (0, outputs - classes))


def _breadth_first(tree: Mapping[str, Any]) -> dict[str, NDArray[np.generic]]:
    """Return one tree renumbered so that a right child follows its left sibling."""
    if any(tree["split_type"]) or tree["tree_param"]["size_leaf_vector"] not in {"0", "1"}:
        raise ExportError("categorical splits and vector leaves are not supported")
    lefts, rights = tree["left_children"], tree["right_children"]
    order, left = [0], []
    for node in order:
        is_leaf = lefts[node] == _MISSING_CHILD
        left.append(0 if is_leaf else len(order))
        order.extend(() if is_leaf else (lefts[node], rights[node]))
    picked = np.array(order)
    is_leaf = np.array(lefts)[picked] == _MISSING_CHILD
    return {
        "feature": np.where(is_leaf, LEAF, np.array(tree["split_indices"])[picked]),
        "value": np.array(tree["split_conditions"], dtype=np.float32)[picked],
        "left": np.array(left),
        "missing_left": np.array(tree["default_left"], dtype=bool)[picked] & ~is_leaf,
        "cover": np.array(tree["sum_hessian"], dtype=np.float32)[picked],
    }
