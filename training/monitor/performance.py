"""Is the model still right? Estimated today, confirmed when the labels have come.

Labels are late: a diagnosis is confirmed days after the visit, some never. So two figures stand
side by side. Estimated: what the calibrated probabilities of all cases say the F1 should be.
Confirmed: what it is on the cases that have a label by now, with its interval. The estimate for
the labelled cases alone tells how far the estimate can be trusted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import DiseaseId
from training.evaluate.candidate import Severity
from training.evaluate.common import SEED, SEVERE, Estimate, bootstrapped, macro_f1, mean

RESAMPLES: Final = 200
DRAWS: Final = 200

Probabilities = Mapping[DiseaseId, float]
"""Disease -> probability of one case; what is missing to 1 belongs to none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Figures of a stretch of cases. nan where nothing is labelled yet.

    estimated: of all cases. estimated_labelled: of those with a label, beside `confirmed`.
    """

    cases: int
    labelled: int
    estimated: float
    estimated_labelled: float
    confirmed: Estimate
    critical_recall: Estimate

    @property
    def gap(self) -> float:
        """How far the estimate was off where the truth is known."""
        return self.confirmed.value - self.estimated_labelled


def expected_f1(cases: Sequence[Probabilities]) -> float:
    """Return the macro F1 that calibrated probabilities promise; nan without cases.

    The mean over DRAWS of the macro F1 when every case is dealt its disease by its own
    probabilities. A ratio of expected counts would be cheaper and is too low where diseases are
    expected in less than one patient: it counts half a patient as missed.
    """
    if not cases:
        return float("nan")
    names = sorted({disease for case in cases for disease in case})
    at = {disease: i for i, disease in enumerate(names)}
    nothing = len(names)  # what is missing to 1, and a case without an answer
    table = np.zeros((len(cases), nothing + 1))
    for row, case in zip(table, cases, strict=True):
        for disease, probability in case.items():
            row[at[disease]] = probability
    said = np.where(table.any(axis=1), table.argmax(axis=1), nothing)
    table[:, nothing] = np.maximum(0.0, 1.0 - table.sum(axis=1))
    upto = np.cumsum(table, axis=1)
    rng = np.random.default_rng(SEED)
    return float(
        np.mean(
            [
                macro_f1(said, _dealt(upto, rng.random(len(cases))), nothing + 1)
                for _ in range(DRAWS)
            ]
        )
    )


def _dealt(upto: NDArray[np.float64], drawn: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a column per row, drawn by the row's cumulated weights."""
    dealt: NDArray[np.int64] = (upto < (drawn * upto[:, -1])[:, np.newaxis]).sum(axis=1)
    last = upto.shape[1] - 1
    dealt[dealt > last] = last
    return dealt


def performance_of(
    cases: Sequence[Probabilities],
    said: Sequence[DiseaseId | None],
    labels: Sequence[DiseaseId | None],
    severity: Severity,
) -> Performance:
    """Return estimated and confirmed figures. labels: None where nobody has confirmed yet."""
    known = [i for i, label in enumerate(labels) if label is not None]
    confirmed, recall = _confirmed([said[i] for i in known], [labels[i] for i in known], severity)
    return Performance(
        cases=len(cases),
        labelled=len(known),
        estimated=expected_f1(cases),
        estimated_labelled=expected_f1([cases[i] for i in known]),
        confirmed=confirmed,
        critical_recall=recall,
    )


def _confirmed(
    said: Sequence[DiseaseId | None], truth: Sequence[DiseaseId | None], severity: Severity
) -> tuple[Estimate, Estimate]:
    nothing = Estimate(float("nan"), float("nan"), float("nan"))
    if not truth:
        return nothing, nothing
    names = sorted({*truth, *said} - {None}, key=str)
    number = {disease: i for i, disease in enumerate(names)}
    s = np.array([number.get(d, len(names)) for d in said], dtype=np.int64)
    t = np.array([number[d] for d in truth], dtype=np.int64)
    critical = np.array([d is not None and severity(d) in SEVERE for d in truth])
    figures = {"f1": lambda i: macro_f1(s[i], t[i], len(names) + 1)}
    if critical.any():
        figures["recall"] = lambda i: mean((s == t)[i][critical[i]])
    found = bootstrapped(figures, len(t), RESAMPLES)
    return found["f1"], found.get("recall", nothing)
