"""Thresholds of the conformal sets, and whether they cover what they promise.

The thresholds are taken on calibration patients, whose visits mirror every protocol the sets are
measured on; the coverage is measured on test patients.

    python -m training.evaluate.conformal
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.errors import DdxError
from ddx.features.encode import encode_table
from ddx.features.schema import FeatureSchema
from ddx.inference.common import CommonModel
from ddx.inference.conformal import ConformalSets, calibrated
from training.evaluate.asking import Interviewer
from training.evaluate.common import Estimate
from training.evaluate.held_out import DATA, HeldOut
from training.evaluate.interview import share
from training.fit.common import Sample
from training.fit.partial import Budget

Rows = NDArray[np.float32]
Indices = NDArray[np.int64]

COVERAGE: Final = 0.90
"""What the sets promise (issue: 0.90 within one point)."""

BOUNDS: Final[tuple[tuple[int | None, int | None], ...]] = (
    *((present, 0) for present in (1, 2, 3, 4, 5, 6, 8, 11)),
    (None, 0),
    *((present, 40) for present in (2, 4, 7, 11)),
    (None, 40),
    *((present, 400) for present in (3, 5, 8, 12)),
    (None, 400),
    (None, None),
)
"""Bands: nothing excluded, a clinic's questions, an interview that asked whole choices, all."""

PRESENT_ONLY: Final = (1, 2, 3, 4, 5, 6, 8, 10)
INTERVIEWED: Final = (1, 3, 5, 8, 10, 15)


def protocols(
    patients: Sample, schema: FeatureSchema, interviewer: Interviewer, rng: np.random.Generator
) -> Iterator[tuple[str, Rows]]:
    """Yield the same patients as every kind of visit leaves them."""
    n, rates = len(patients.truth), patients.rates()
    yield "full_evidence", patients.fully_asked(schema)
    yield "clinic_visit", patients.partly_asked(schema, Budget.clinic(n, rng), rates, rng)
    for k in PRESENT_ONLY:
        budget = Budget.fixed(n, present=k)
        yield f"present_{k}", patients.partly_asked(schema, budget, rates, rng)
    for k in INTERVIEWED:
        yield f"interview_{k}", interviewed(patients, schema, interviewer, k, rng)


def interviewed(
    patients: Sample,
    schema: FeatureSchema,
    interviewer: Interviewer,
    questions: int,
    rng: np.random.Generator,
) -> Rows:
    """Return the patients after so many questions each, float32 (n, n_columns)."""
    asked = np.full(len(patients.truth), questions)
    table = interviewer.visits(patients.answers, asked, rng)
    return encode_table(table, schema, patients.ontology)


def evidence_of(rows: Rows, schema: FeatureSchema) -> tuple[Indices, Indices]:
    """Return how many findings each row knows present and excluded, int64 (n,) each."""
    known = rows[:, list(schema.positions.values())]
    return (known > 0).sum(axis=1), (known == 0).sum(axis=1)


def fitted(model: CommonModel, visits: Sequence[Rows], truth: Indices) -> ConformalSets:
    """Return the sets calibrated on all `visits` of the same patients together."""
    own, present, excluded = [], [], []
    for rows in visits:
        own.append(_own(model.probabilities_of(rows), truth))
        counts = evidence_of(rows, model.schema)
        present.append(counts[0])
        excluded.append(counts[1])
    return calibrated(
        np.concatenate(own),
        np.concatenate(present),
        np.concatenate(excluded),
        bounds=BOUNDS,
        coverage=COVERAGE,
    )


def covered(
    model: CommonModel, sets: ConformalSets, rows: Rows, truth: Indices
) -> tuple[Estimate, Estimate, float]:
    """Return coverage of the bare sets, of the sets a clinician sees, and the mean size of these.

    A clinician's set always holds the first disease.
    """
    p = model.probabilities_of(rows)
    counts = zip(*(c.tolist() for c in evidence_of(rows, model.schema)), strict=True)
    thresholds = np.array([sets.band_of(*count).threshold for count in counts])[:, np.newaxis]
    bare = p >= thresholds
    shown = bare | (p == p.max(axis=1, keepdims=True))
    at = np.arange(len(truth))
    return share(bare[at, truth]), share(shown[at, truth]), float(shown.sum(axis=1).mean())


def main(argv: Sequence[str] | None = None) -> int:
    """Calibrate, measure and print; return 0, or 2 without the data."""
    asked = _parser().parse_args(argv)
    rng = np.random.default_rng(asked.seed)
    try:
        held_out = HeldOut.read(asked.data)
    except DdxError as error:
        print(error, file=sys.stderr)
        return 2
    model, interviewer = held_out.engine.common, held_out.interviewer(held_out.naive_bayes())
    calibration = held_out.some(held_out.split.calibration, asked.patients, rng)
    visits = [rows for _, rows in protocols(calibration, model.schema, interviewer, rng)]
    sets = fitted(model, visits, calibration.truth)
    for band in sets.bands:
        print(
            f"present <= {band.present_to}, excluded <= {band.excluded_to}: {band.threshold:.5f}"
            f" ({band.cases:,} visits)"
        )
    test = held_out.some(held_out.split.test, asked.patients, rng)
    print(f"\n{'protocol':<16}{'coverage':>28}{'with the first':>28}{'mean size':>12}")
    for name, rows in protocols(test, model.schema, interviewer, rng):
        bare, shown, size = covered(model, sets, rows, test.truth)
        print(f"{name:<16}{bare!s:>28}{shown!s:>28}{size:>12.2f}", flush=True)
    if asked.out is not None:
        asked.out.write_bytes(sets.to_json())
    return 0


def _own(probabilities: NDArray[np.float64], truth: Indices) -> NDArray[np.float64]:
    return probabilities[np.arange(len(truth)), truth]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate.conformal",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--patients", type=int, default=5000, help="of each held-out part, at most")
    parser.add_argument("--seed", type=int, default=20_261)
    parser.add_argument("--out", type=Path, help="write the bundle member here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
