"""Is the model still right? Estimated today, confirmed when the labels have come.

Labels are late: a diagnosis is confirmed days after the visit, some never. So two figures stand
side by side. Estimated: what the calibrated probabilities of all cases say the F1 should be.
Confirmed: what it is on the cases that have a label by now, with its interval. The estimate for
the labelled cases alone tells how far the estimate can be trusted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ddx.domain.identifiers import DiseaseId
from training.evaluate.candidate import Severity
from training.evaluate.common import SEVERE, Estimate, bootstrapped, macro_f1, mean

RESAMPLES: Final = 200

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
    """Return the macro F1 that calibrated probabilities promise, over the diseases expected.

    Expected true positives, false positives and false negatives of every disease, a case counting
    with its probabilities (Lipton, Elkan and Naryanaswamy 2014, Optimal thresholding of classifiers
    to maximize F1, section 2). A disease is counted with the share of a patient it is expected to
    have, up to one whole patient, so that a tail of improbable diseases does not drown the mean.
    """
    hit: Counter[DiseaseId] = Counter()
    said: Counter[DiseaseId] = Counter()
    expected: Counter[DiseaseId] = Counter()
    for probabilities in cases:
        if probabilities:
            first = max(probabilities, key=lambda d: probabilities[d])
            hit[first] += probabilities[first]  # type: ignore[assignment]
            said[first] += 1
        for disease, probability in probabilities.items():
            expected[disease] += probability  # type: ignore[assignment]
    weights = {disease: min(1.0, float(n)) for disease, n in expected.items()}
    total = sum(weights.values())
    if not total:
        return float("nan")
    f1 = (weights[d] * 2.0 * hit[d] / max(said[d] + expected[d], 1e-12) for d in expected)
    return float(sum(f1) / total)


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
