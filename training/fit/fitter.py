"""Who boosts the trees: this process, or the workers of a Spark cluster.

Both are given the same rows and give the same trees to the last bit, so which of them fitted a
bundle is no part of its lineage. The device is: a GPU gives other digits than a CPU.
"""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import scipy.sparse
import xgboost
from numpy.typing import NDArray

from training.fit.sample import Indices

Progress = Callable[[str], None]

_TOLD_EVERY: Final = 10
JUDGE: Final = "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRows:
    """Rows of a fit, n of them. What a sparse row does not store is unknown.

    values: (n, columns). margins: float32 (n, diseases), where the trees start. truth: (n,).
    weights: float32 (n,), None when all rows count alike.
    """

    values: scipy.sparse.csr_matrix
    margins: NDArray[np.float32]
    truth: Indices
    weights: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting:
    """One fit. parameters: in XGBoost's words, `max_bin` and `nthread` among them.

    judging: rows whose metric ends the fit after `patience` rounds without a better one.
    """

    training: FitRows
    parameters: Mapping[str, object]
    rounds: int
    judging: FitRows | None = None
    patience: int | None = None


class Fitter(Protocol):
    """Boosts trees. Every fitter passes `tests/unit/training/loop/test_fitter.py`."""

    def fit(self, boosting: Boosting, progress: Progress) -> xgboost.Booster:
        """Return the trees; with `judging`, its `best_score` and `best_iteration` too."""

    def device(self) -> str:
        """Return `cuda` when XGBoost can use a GPU wherever this fits, else `cpu`."""


class EmbeddedFitter:
    """Fits in this process."""

    def fit(self, boosting: Boosting, progress: Progress) -> xgboost.Booster:
        """See `Fitter.fit`; every tenth round is told."""
        parameters = boosting.parameters
        fixed = {"max_bin": parameters["max_bin"], "nthread": parameters["nthread"]}

        def matrix(rows: FitRows, ref: xgboost.DMatrix | None = None) -> xgboost.DMatrix:
            return xgboost.QuantileDMatrix(
                rows.values,
                rows.truth,
                weight=rows.weights,
                base_margin=rows.margins,
                ref=ref,
                **fixed,
            )

        training = matrix(boosting.training)
        judging = None if boosting.judging is None else matrix(boosting.judging, training)
        return trained(boosting, training, judging, Told(progress, boosting.rounds))

    def device(self) -> str:
        """See `Fitter.device`."""
        return device_here()


def trained(
    boosting: Boosting,
    training: xgboost.DMatrix,
    judging: xgboost.DMatrix | None,
    *callbacks: xgboost.callback.TrainingCallback,
) -> xgboost.Booster:
    """Return the trees boosted on matrices that are made: what every fitter ends with."""
    return xgboost.train(
        dict(boosting.parameters),
        training,
        boosting.rounds,
        evals=[] if judging is None else [(judging, JUDGE)],
        early_stopping_rounds=boosting.patience,
        callbacks=list(callbacks),
        verbose_eval=False,
    )


class Told(xgboost.callback.TrainingCallback):
    """Passes every tenth round on."""

    def __init__(self, progress: Progress, rounds: int) -> None:
        self._progress, self._rounds = progress, rounds

    def after_iteration(self, model: object, epoch: int, evals_log: object) -> bool:  # noqa: ARG002 (XGBoost's signature)
        """Tell; False lets training go on."""
        if (epoch + 1) % _TOLD_EVERY == 0:
            self._progress(f"round {epoch + 1} of {self._rounds}")
        return False


def device_here() -> str:
    """Return the device XGBoost itself fits on in this process when it is offered a GPU.

    A build without CUDA, a machine without a GPU and a driver that does not answer all make it
    fall back to the CPU, with a warning; its configuration then names the CPU.
    """
    smallest = xgboost.DMatrix(np.zeros((2, 1), dtype=np.float32), np.array([0.0, 1.0]))
    offered = {"device": "cuda", "tree_method": "hist", "max_depth": 1, "nthread": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        booster = xgboost.train(offered, smallest, 1)
    taken = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    return "cuda" if str(taken).startswith("cuda") else "cpu"


EMBEDDED: Final = EmbeddedFitter()
