"""The peers every figure of the common model stands beside, on the same masked patients.

naive bayes   training counts (`training.evaluate.naive_bayes`)
unmasked      XGBoost fitted on fully asked patients only, as a published model would be

    python -m training.evaluate.baselines
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import xgboost
from numpy.typing import NDArray

from ddx.errors import DdxError
from ddx.features.schema import FeatureSchema
from training.evaluate.common import Estimate
from training.evaluate.held_out import DATA, HeldOut
from training.fit.common import Sample, measure

ROUNDS: Final = 40
DEPTH: Final = 6
LEARNING_RATE: Final = 0.3
"""XGBoost's own defaults for depth and rate; more rounds change nothing on full evidence."""

TRAINING_ROWS: Final = 40_000


@dataclass(frozen=True, slots=True)
class Unmasked:
    """XGBoost that has only ever seen every question answered."""

    schema: FeatureSchema
    booster: xgboost.Booster

    @classmethod
    def fitted(cls, train: Sample, schema: FeatureSchema, n_diseases: int, seed: int) -> "Unmasked":
        """Return the model fitted on up to TRAINING_ROWS of the patients, one thread."""
        rng = np.random.default_rng(seed)
        few = train.take(rng.permutation(len(train.truth))[:TRAINING_ROWS])
        matrix = xgboost.QuantileDMatrix(few.fully_asked(schema), few.truth, nthread=1)
        parameters = {
            "objective": "multi:softprob",
            "num_class": n_diseases,
            "max_depth": DEPTH,
            "eta": LEARNING_RATE,
            "nthread": 1,
            "seed": seed,
        }
        return cls(schema, xgboost.train(parameters, matrix, ROUNDS))

    def probabilities_of(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return P(disease | row), float64 (n, n_diseases); what nobody asked counts as absent.

        That is how such a model is used. As missing values, which it never saw, they would send
        every patient down the default branches (top-1 0.004 at three findings).
        """
        filled = rows.copy()
        columns = list(self.schema.positions.values())
        filled[:, columns] = np.nan_to_num(rows[:, columns], nan=0.0)
        matrix = xgboost.DMatrix(filled, nthread=1)
        return self.booster.predict(matrix).astype(np.float64)


def table(figures: dict[str, dict[str, dict[str, Estimate]]], figure: str) -> str:
    """Return one figure of every model (columns) and protocol (rows).

    figures: model -> protocol -> figure -> estimate.
    """
    protocols = next(iter(figures.values()))
    lines = [f"{figure:<16}" + "".join(f"{name:>28}" for name in figures)]
    for protocol in protocols:
        cells = (str(of_model[protocol][figure]) for of_model in figures.values())
        lines.append(f"{protocol:<16}" + "".join(f"{cell:>28}" for cell in cells))
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the shipped model and its peers on the same rows; return 0, or 2 without data."""
    asked = _parser().parse_args(argv)
    rng = np.random.default_rng(asked.seed)
    try:
        held_out = HeldOut.read(asked.data)
    except DdxError as error:
        print(error, file=sys.stderr)
        return 2
    test = held_out.some(held_out.split.test, asked.patients, rng)
    schema, severity = held_out.engine.common.schema, held_out.severity
    figures = {"vereda": measure(held_out.engine.common, test, severity, _say)}
    figures["naive bayes"] = measure(held_out.naive_bayes(), test, severity, _say)
    if asked.unmasked:
        train = held_out.everyone.take(held_out.split.train)
        unmasked = Unmasked.fitted(train, schema, len(severity), asked.seed)
        figures["xgboost unmasked"] = measure(unmasked, test, severity, _say)
    for figure in ("top1", "top3", "severe_recall", "ece"):
        print("\n" + table(figures, figure))
    return 0


def _say(line: str) -> None:
    print("  " + line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate.baselines",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--patients", type=int, default=13_298, help="test patients, at most")
    parser.add_argument("--unmasked", action="store_true", help="fit XGBoost without masking too")
    parser.add_argument("--seed", type=int, default=20_261)
    return parser


if __name__ == "__main__":
    sys.exit(main())
