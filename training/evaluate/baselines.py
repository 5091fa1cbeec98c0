"""The peers every figure of the common model stands beside, on the same masked patients.

naive bayes   training counts (`training.evaluate.naive_bayes`)
unmasked      XGBoost fitted on fully asked patients only, as a published model would be; it reads
              what was not asked as absent (`training.evaluate.rivals`)

    python -m training.evaluate.baselines
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ddx.errors import DdxError
from training.evaluate.common import Estimate
from training.evaluate.held_out import DATA, HeldOut
from training.evaluate.protocols import Predict, measure
from training.evaluate.rivals import unmasked
from training.fit.boost import FitSettings


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
    models: dict[str, Predict] = {
        "vereda": held_out.engine.common.probabilities_of,
        "naive bayes": held_out.naive_bayes().probabilities_of,
    }
    if asked.unmasked:
        train = held_out.everyone.take(held_out.split.train)
        settings = FitSettings(seed=asked.seed, threads=1)
        models["xgboost unmasked"] = unmasked(train, schema, len(severity), settings)
    figures = measure(models, test, schema, severity)
    for figure in ("top1", "top3", "severe_recall", "ece"):
        print("\n" + table(figures, figure))
    return 0


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
