"""The peers: the bundle's own trees, run by XGBoost and explained by the `shap` package.

The trees correct Bayes margins, so XGBoost is handed those as `base_margin`; what it is timed on is
the trees alone.
"""

import json
from typing import Any

import numpy as np
import xgboost

from ddx.explain.trees import LEAF, Forest

NO_CHILD = -1
NO_PARENT = 2147483647  # what XGBoost writes for the parent of a root


def booster_of(forest: Forest) -> xgboost.Booster:
    """Return an XGBoost booster with the very trees of a bundle, over the diseases they correct.

    The shell of the JSON model comes from XGBoost itself (one round on two rows), so that the
    format is that of the installed release; the trees are then put in.
    """
    outputs, columns = int(forest.output.max()) + 1, forest.frequency.shape[1]
    shell = _shell(outputs, columns)
    model = shell["learner"]["gradient_booster"]["model"]
    ends = np.append(forest.roots[1:], len(forest.feature))
    model["trees"] = [
        _tree(forest, int(root), int(end), number, columns)
        for number, (root, end) in enumerate(zip(forest.roots, ends, strict=True))
    ]
    model["tree_info"] = forest.output.tolist()
    model["gbtree_model_param"]["num_trees"] = str(len(model["trees"]))
    model["iteration_indptr"] = list(range(0, len(model["trees"]) + 1, outputs))
    booster = xgboost.Booster()
    booster.load_model(bytearray(json.dumps(shell).encode()))
    booster.set_param({"nthread": 1})
    return booster


def _shell(outputs: int, columns: int) -> dict[str, Any]:
    rows = np.zeros((outputs, columns), dtype=np.float32)
    matrix = xgboost.DMatrix(rows, np.arange(outputs))
    parameters = {"objective": "multi:softprob", "num_class": outputs, "base_score": 0.0}
    booster = xgboost.train(parameters, matrix, 1)
    shell: dict[str, Any] = json.loads(bytes(booster.save_raw("json")))
    return shell


def _tree(forest: Forest, root: int, end: int, number: int, columns: int) -> dict[str, Any]:
    nodes = slice(root, end)
    leaf = forest.feature[nodes] == LEAF
    left = np.where(leaf, NO_CHILD, forest.left[nodes] - root)
    right = np.where(leaf, NO_CHILD, left + 1)
    parents = np.full(len(leaf), NO_PARENT)
    parents[left[~leaf]] = np.flatnonzero(~leaf)
    parents[right[~leaf]] = np.flatnonzero(~leaf)
    count = len(leaf)
    return {
        "base_weights": [0.0] * count,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "default_left": forest.missing_left[nodes].astype(int).tolist(),
        "id": number,
        "left_children": left.tolist(),
        "loss_changes": [0.0] * count,
        "parents": parents.tolist(),
        "right_children": right.tolist(),
        "split_conditions": forest.value[nodes].astype(float).tolist(),
        "split_indices": np.where(leaf, 0, forest.feature[nodes]).tolist(),
        "split_type": [0] * count,
        "sum_hessian": forest.cover[nodes].astype(float).tolist(),
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(columns),
            "num_nodes": str(count),
            "size_leaf_vector": "1",
        },
    }
