"""The temperature of the common model, and whether an isotonic map would have done better."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from ddx.domain.identifiers import DiseaseId
from ddx.inference.common import Calibration
from training.evaluate.common import calibration_error

Margins = NDArray[np.float64]

TEMPERATURES: Final = np.geomspace(0.25, 4.0, 241)
"""Grid of 1.2 % steps; a calibrated model needs about 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRecord:
    """What was tried. Errors of the first-ranked disease on the half that fitted neither."""

    untouched_ece: float
    temperature_ece: float
    isotonic_ece: float

    def to_json(self) -> dict[str, float]:
        """Return the record as the model card writes it."""
        return {
            "untouched_ece": self.untouched_ece,
            "temperature_ece": self.temperature_ece,
            "isotonic_ece": self.isotonic_ece,
        }


def calibrate(
    margins: Margins, truth: NDArray[np.int64], diseases: tuple[DiseaseId, ...]
) -> Calibration:
    """Return the temperature with the least log loss. margins: (n, n_diseases), held out."""

    def log_loss(temperature: float) -> float:
        scaled = Calibration(diseases=diseases, temperature=temperature).probabilities(margins)
        true = np.take_along_axis(scaled, truth[:, np.newaxis], axis=1)
        return -float(np.log(np.maximum(true, np.finfo(np.float64).tiny)).mean())

    best = min(TEMPERATURES.tolist(), key=log_loss)
    return Calibration(diseases=diseases, temperature=best)


def compare(
    margins: Margins, truth: NDArray[np.int64], diseases: tuple[DiseaseId, ...]
) -> CalibrationRecord:
    """Return how no map, a temperature and an isotonic map do on every other row.

    The isotonic map is of the first-ranked disease's probability to the share of hits.
    """
    fitted = np.arange(len(truth)) % 2 == 0
    plain = Calibration(diseases=diseases, temperature=1.0).probabilities(margins)
    scaled = calibrate(margins[fitted], truth[fitted], diseases).probabilities(margins)
    right = plain.argmax(axis=1) == truth
    top = plain.max(axis=1)
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(top[fitted], right[fitted])
    rest = ~fitted
    return CalibrationRecord(
        untouched_ece=calibration_error(top[rest], right[rest]),
        temperature_ece=calibration_error(scaled.max(axis=1)[rest], right[rest]),
        isotonic_ece=calibration_error(isotonic.predict(top[rest]), right[rest]),
    )
