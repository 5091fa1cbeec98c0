"""Proof that what a device runs answers like what was fitted."""

import numpy as np
from numpy.typing import NDArray

from ddx.inference.common import Calibration, CommonModel
from training.change_plan import change_plan
from training.export.forest import ExportError


def prove_parity(
    model: CommonModel,
    rows: NDArray[np.float32],
    fitted_margins: NDArray[np.float64],
) -> float:
    """Return the largest probability difference between the exported model and the fitted one.

    model: of any temperature; the comparison is made at 1, Bayes margins included.
    rows: float32 (n, n_columns), nan included. fitted_margins: float64 (n, n_outputs), of the
    same rows from the library that fitted the model.

    Raises:
        ExportError: the difference reaches the limit of docs/pccp.yaml, or no row holds a nan.
    """
    if not np.isnan(rows).any():
        raise ExportError("parity must be shown on rows with unknown values too")
    plain = Calibration(diseases=model.diseases, temperature=1.0)
    ours = plain.probabilities(model.margins_of(rows))
    difference = float(np.abs(ours - plain.probabilities(fitted_margins)).max())
    limit = change_plan().gate.parity.most.value
    if not difference < limit:
        raise ExportError(f"probabilities differ by {difference:.2e}, limit {limit:.0e}")
    return difference
