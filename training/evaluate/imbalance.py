"""Does it help the rarest diseases to weigh or to multiply their rows? Validation patients only.

The trees are fitted on the same rows five times: as they are, with class weights, and with rows
made up for the rarest diseases by SMOTE variants for nominal values (Chawla et al. 2002, JAIR
16:321, section 6). The commonest disease has 240 times the patients of the rarest.

    python -m training.evaluate.imbalance
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import xgboost
from imblearn.over_sampling import SMOTEN, SMOTENC
from numpy.typing import NDArray

from ddx.errors import DdxError
from ddx.inference.bayes import BayesTable
from training.evaluate.common import calibration_error, macro_f1
from training.evaluate.held_out import DATA
from training.evaluate.naive_bayes import demography_columns
from training.fit.bayes import AGE_EDGES
from training.fit.boost import MAX_BIN, FitSettings, parameters, sparse, training_rows
from training.fit.search import Bench, Judge

Rows = NDArray[np.float32]
Indices = NDArray[np.int64]
Floats = NDArray[np.float64]

RAREST: Final = 8
"""Diseases whose recall is told one by one; each has fewer than 1,100 training patients."""

FLOOR: Final = 0.5
"""Rows a rare disease is raised to, over the median number of rows of a disease."""

NEIGHBOURS: Final = 5
"""Chawla et al. 2002; fewer where a disease has fewer rows."""

UNKNOWN_CODE: Final = -1.0
"""Stands for what nobody asked while rows are multiplied: a value like present and absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """What the trees are fed. weights: float64 (n,), None for all alike."""

    rows: Rows
    truth: Indices
    weights: Floats | None = None


Remedy = Callable[[Fed, tuple[int, int], int], Fed]
"""Changes the rows. Given also the columns of age and sex, and a seed."""


def untouched(fed: Fed, demography: tuple[int, int], seed: int) -> Fed:  # noqa: ARG001 (a Remedy)
    """Return the rows as they are."""
    return fed


def weighed(fed: Fed, demography: tuple[int, int], seed: int) -> Fed:  # noqa: ARG001 (a Remedy)
    """Return them with every disease of equal weight."""
    counts = np.bincount(fed.truth)
    return replace(fed, weights=len(fed.truth) / (np.count_nonzero(counts) * counts[fed.truth]))


def half_weighed(fed: Fed, demography: tuple[int, int], seed: int) -> Fed:
    """Return them weighed by the square root of that."""
    weights = weighed(fed, demography, seed).weights
    return replace(fed, weights=None if weights is None else np.sqrt(weights))


def smotenc(fed: Fed, demography: tuple[int, int], seed: int) -> Fed:
    """Return them with made-up rows: age between neighbours, the rest by their majority."""
    age, _ = demography
    coded = _coded(fed.rows)
    known = ~np.isnan(fed.rows[:, age])
    coded[~known, age] = np.median(fed.rows[known, age])
    nominal = [i for i in range(coded.shape[1]) if i != age]
    made = SMOTENC(
        categorical_features=nominal,
        sampling_strategy=_raised(fed.truth),
        k_neighbors=_neighbours(fed.truth),
        random_state=seed,
    )
    return _with_made(fed, *made.fit_resample(coded, fed.truth))


def smoten(fed: Fed, demography: tuple[int, int], seed: int) -> Fed:
    """Return them with made-up rows: every value, age in bands, by the neighbours' majority."""
    age, _ = demography
    coded = _coded(fed.rows)
    known = ~np.isnan(fed.rows[:, age])
    middles = np.array([0.5, 3.0, 10.0, 22.0, 37.0, 52.0, 67.0, 80.0])
    coded[known, age] = middles[np.digitize(fed.rows[known, age], AGE_EDGES)]
    made = SMOTEN(
        sampling_strategy=_raised(fed.truth),
        k_neighbors=_neighbours(fed.truth),
        random_state=seed,
    )
    return _with_made(fed, *made.fit_resample(coded, fed.truth))


REMEDIES: Final[Mapping[str, Remedy]] = {
    "nothing": untouched,
    "class weights": weighed,
    "their square root": half_weighed,
    "SMOTENC": smotenc,
    "SMOTEN": smoten,
}


def _coded(rows: Rows) -> Rows:
    return np.where(np.isnan(rows), np.float32(UNKNOWN_CODE), rows)


def _raised(truth: Indices) -> dict[int, int]:
    """Return the rows wanted of each disease below the floor; one of a single row stays."""
    counts = np.bincount(truth)
    floor = round(FLOOR * float(np.median(counts[counts > 0])))
    return {int(d): floor for d in np.flatnonzero((counts > 1) & (counts < floor))}


def _neighbours(truth: Indices) -> int:
    counts = np.bincount(truth)
    return int(min(NEIGHBOURS, counts[list(_raised(truth))].min(initial=NEIGHBOURS + 1) - 1))


def _with_made(fed: Fed, rows: Rows, truth: Indices) -> Fed:
    """Return the rows as they were and what was made up behind them, unknown again nan."""
    made = np.asarray(rows[len(fed.rows) :], dtype=np.float32)
    made = np.where(made == UNKNOWN_CODE, np.float32(np.nan), made)
    return Fed(
        rows=np.vstack((fed.rows, made)),
        truth=np.concatenate((fed.truth, truth[len(fed.truth) :])),
    )


def boosted(fed: Fed, bayes: BayesTable, settings: FitSettings, diseases: int) -> xgboost.Booster:
    """Return trees on these rows from the margins of the table."""
    matrix = xgboost.QuantileDMatrix(
        sparse(fed.rows),
        fed.truth,
        weight=fed.weights,
        base_margin=bayes.margins_of(fed.rows)[:, :diseases].astype(np.float32),
        max_bin=MAX_BIN,
        nthread=settings.threads,
    )
    return xgboost.train(parameters(settings, diseases), matrix, settings.rounds)


def figures(judge: Judge, margins: Floats, rarest: Indices) -> dict[str, Any]:
    """Return the means over the protocols, and the recall of each of the rarest diseases."""
    p = np.exp(margins - margins.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    truth, said = judge.stacked_truth, p.argmax(axis=1)
    n, diseases = len(judge.truth), p.shape[1]
    parts = [slice(i * n, (i + 1) * n) for i in range(len(judge.names))]
    recalls = {int(d): float((said[truth == d] == d).mean()) for d in rarest}
    return {
        "top1": float((said == truth).mean()),
        "macro_f1": float(np.mean([macro_f1(said[s], truth[s], diseases) for s in parts])),
        "ece": float(np.mean([calibration_error(p[s].max(1), (said == truth)[s]) for s in parts])),
        "log_loss": float(np.mean([v["log_loss"] for v in judge.figures(margins).values()])),
        "rarest": float(np.mean(list(recalls.values()))),
        "recall": recalls,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Fit, measure and print; return 0, or 2 without the data."""
    asked = _parser().parse_args(argv)
    try:
        bench = Bench.read(asked.data)
    except DdxError as error:
        print(error, file=sys.stderr)
        return 2
    ours = FitSettings(threads=1)
    settings = replace(
        ours,
        full_rows=round(ours.full_rows * asked.share),
        partial_rows=round(ours.partial_rows * asked.share),
        interview_rows=round(ours.interview_rows * asked.share),
    )
    material = bench.material(settings.bayes)
    bayes = material.table(selective=True)
    judge = Judge.of(bench.everyone, material)
    start = bayes.margins_of(judge.stacked)[:, : bench.diseases].astype(np.float32)
    judged = xgboost.DMatrix(sparse(judge.stacked), base_margin=start)
    patients = np.bincount(bench.train.truth)
    rarest = np.argsort(patients, kind="stable")[:RAREST]
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in REMEDIES}
    for seed in range(asked.seeds):
        seeded = replace(settings, seed=settings.seed + seed)
        rows, _, truth = training_rows(
            bench.train, material.schema, material.interview(bayes), seeded
        )
        fed = Fed(rows=_dense(rows), truth=truth)
        for name, remedy in REMEDIES.items():
            remedied = remedy(fed, demography_columns(material.schema), seeded.seed)
            booster = boosted(remedied, bayes, seeded, bench.diseases)
            margins = booster.predict(judged, output_margin=True).astype(np.float64)
            told[name].append(figures(judge, margins, rarest))
            print(f"seed {seeded.seed}, {name}: {len(remedied.rows):,} rows", flush=True)
    print(table(told, [(material.diseases[d], int(patients[d])) for d in rarest], rarest))
    if asked.json is not None:
        asked.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 0


def table(
    told: Mapping[str, Sequence[Mapping[str, Any]]],
    names: Sequence[tuple[str, int]],
    rarest: Indices,
) -> str:
    """Return the means over seeds as a markdown table; names: disease, training patients."""
    lines = [f"| | {' | '.join(told)} |", f"|---|{'---|' * len(told)}"]
    for figure in ("top1", "macro_f1", "ece", "log_loss", "rarest"):
        cells = (f"{np.mean([seed[figure] for seed in seeds]):.4f}" for seeds in told.values())
        lines.append(f"| {figure} | {' | '.join(cells)} |")
    for (name, patients), disease in zip(names, rarest.tolist(), strict=True):
        cells = (f"{np.mean([s['recall'][disease] for s in seeds]):.3f}" for seeds in told.values())
        lines.append(f"| recall, {name} ({patients:,}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def _dense(rows: Any) -> Rows:
    """Return sparse rows with nan where nothing is stored."""
    dense = np.full(rows.shape, np.nan, dtype=np.float32)
    entry = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    dense[entry, rows.indices] = rows.data
    return dense


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate.imbalance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--seeds", type=int, default=2, help="fits of each, to see chance")
    parser.add_argument("--share", type=float, default=1 / 3, help="of the rows that ship")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
