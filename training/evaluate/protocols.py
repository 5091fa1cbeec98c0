"""What is known of the test patients: everything, a visit's worth, or k of their own findings."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ddx.features.schema import FeatureSchema
from training.evaluate.common import RESAMPLES, Estimate, evaluate
from training.fit.partial import Budget
from training.fit.sample import SPLIT_SEED, Indices, Rows, Sample

Predict = Callable[[Rows], NDArray[np.float64]]
"""Rows (n, n_columns) -> probabilities (n, n_diseases)."""

FINDINGS_KNOWN = (3, 5, 8)
FULL, CLINIC = "full_evidence", "clinic_visit"
RIVAL_RESAMPLES = 100


def protocols(test: Sample, schema: FeatureSchema) -> Iterator[tuple[str, Rows]]:
    """Yield the name and rows of every protocol.

    question_k: k of the questions the patient answers with yes, each with all its present values;
    age and sex, nothing excluded. The bars at 3, 5 and 8 findings are held to these: a question
    is DDXPlus's own unit of evidence, and only so does naive Bayes give the reference of the bars
    (0.828/0.937/0.972; drawn by value it gives 0.82/0.93/0.965).
    present_k: k present values, a pain in three places counting three times.
    """
    rng = np.random.default_rng(SPLIT_SEED + 1)
    n, rates = len(test.truth), test.rates()
    yield FULL, test.fully_asked(schema)
    yield CLINIC, test.partly_asked(schema, Budget.clinic(n, rng), rates, rng)
    for name, by_question in (("question", True), ("present", False)):
        for k in FINDINGS_KNOWN:
            budget = Budget.fixed(n, present=k)
            yield (
                f"{name}_{k}",
                test.partly_asked(schema, budget, rates, rng, by_question=by_question),
            )


def measure(
    models: Mapping[str, Predict], test: Sample, schema: FeatureSchema, severity: Indices
) -> dict[str, dict[str, dict[str, Estimate]]]:
    """Return model -> protocol -> figures; every model sees the very same rows.

    Only the first model gets the full number of bootstrap resamples.
    """
    figures: dict[str, dict[str, dict[str, Estimate]]] = {name: {} for name in models}
    first = next(iter(models))
    for protocol, rows in protocols(test, schema):
        for name, predict in models.items():
            resamples = RESAMPLES if name == first else RIVAL_RESAMPLES
            figures[name][protocol] = evaluate(
                predict(rows), test.truth, severity, resamples=resamples
            )
    return figures
