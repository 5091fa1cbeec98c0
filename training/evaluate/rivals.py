"""What the common model is held against: plain naive Bayes, and XGBoost that saw no gaps.

XGBoost without masking reads an unanswered question as "no": it never learned where to send an
unknown value, and is right about one case in 200 when it is given one.
"""

import numpy as np
import xgboost
from numpy.typing import NDArray

from ddx.features.schema import FeatureSchema
from ddx.inference.bayes import BayesTable
from training.evaluate.protocols import Predict
from training.fit.boost import FitSettings, sparse
from training.fit.sample import Rows, Sample

UNMASKED_ROWS = 30_000
UNMASKED_ROUNDS = 40
UNMASKED_DEPTH = 4
UNMASKED_RATE = 0.3


def by_bayes(table: BayesTable) -> Predict:
    """Return a predictor of one table alone."""

    def predict(rows: Rows) -> NDArray[np.float64]:
        margins = table.margins_of(rows)
        weights = np.exp(margins - margins.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return probabilities

    return predict


def among_first(predict: Predict, n: int) -> Predict:
    """Return `predict` told that only the first n diseases are possible."""

    def only(rows: Rows) -> NDArray[np.float64]:
        probabilities = predict(rows)
        probabilities[:, n:] = 0.0
        renormalised: NDArray[np.float64] = probabilities / probabilities.sum(axis=1, keepdims=True)
        return renormalised

    return only


def unmasked(train: Sample, schema: FeatureSchema, width: int, settings: FitSettings) -> Predict:
    """Return XGBoost fitted on patients with every question answered, from no margin.

    width: diseases of the predictions; those it was not shown get 0.
    """
    rng = np.random.default_rng(settings.seed)
    some = train.take(rng.permutation(len(train.truth))[:UNMASKED_ROWS])
    diseases = int(train.truth.max()) + 1
    booster = xgboost.train(
        {
            "objective": "multi:softprob",
            "num_class": diseases,
            "tree_method": "hist",
            "max_bin": 16,
            "max_depth": UNMASKED_DEPTH,
            "eta": UNMASKED_RATE,
            "nthread": settings.threads,
            "seed": settings.seed,
        },
        xgboost.QuantileDMatrix(sparse(some.fully_asked(schema)), some.truth, max_bin=16),
        UNMASKED_ROUNDS,
    )

    def predict(rows: Rows) -> NDArray[np.float64]:
        known = booster.predict(xgboost.DMatrix(np.nan_to_num(rows, nan=0.0))).astype(np.float64)
        return np.pad(known, ((0, 0), (0, width - diseases)))

    return predict
