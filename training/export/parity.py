"""Proof that what a device runs answers like what was fitted."""

import numpy as np
from numpy.typing import NDArray

from ddx.inference.common import Calibration
from ddx.inference.session import ModelSession
from training.export.forest import ExportError

PARITY_LIMIT = 1e-5
"""Largest difference of any probability on any row (issue 2 of the plan, release gate)."""


def prove_parity(
    onnx: bytes,
    rows: NDArray[np.float32],
    fitted_margins: NDArray[np.float64],
    calibration: Calibration,
) -> float:
    """Return the largest probability difference between the ONNX model and the fitted one.

    rows: float32 (n, n_columns), nan included. fitted_margins: float64 (n, n_outputs), of the
    same rows from the library that fitted the model.

    Raises:
        ExportError: the difference reaches PARITY_LIMIT, or no row holds a nan.
    """
    if not np.isnan(rows).any():
        raise ExportError("parity must be shown on rows with unknown values too")
    margins = ModelSession.from_bytes(onnx).run(rows).astype(np.float64)
    ours, theirs = calibration.probabilities(margins), calibration.probabilities(fitted_margins)
    difference = float(np.abs(ours - theirs).max())
    if not difference < PARITY_LIMIT:
        raise ExportError(f"probabilities differ by {difference:.2e}, limit {PARITY_LIMIT:.0e}")
    return difference
