"""Sets calibrated on one part of the patients cover the other as promised."""

import numpy as np
import pytest
from support.tiny_patients import fit

from training.evaluate.conformal import COVERAGE, covered, evidence_of, fitted
from training.fit.common import Sample
from training.fit.partial import Budget


@pytest.fixture(scope="module")
def sample():
    made = fit()
    return Sample.of(made.patients, made.vocabulary, made.diseases, None)


def visits(sample, rows, present, seed):
    made, part = fit(), sample.take(rows)
    budget = Budget.fixed(len(rows), present=present)
    rng = np.random.default_rng(seed)
    return part.partly_asked(made.schema, budget, part.rates(), rng), part.truth


def test_the_evidence_of_a_row_is_counted_by_state():
    schema = fit().schema
    row = np.full((1, len(schema)), np.nan, dtype=np.float32)
    row[0, :2] = (40.0, 1.0)  # age and sex are no findings
    row[0, 2:5] = (1.0, 0.0, 0.0)
    present, excluded = evidence_of(row, schema)
    assert (present.tolist(), excluded.tolist()) == ([1], [2])


def test_held_out_patients_are_covered_as_promised(sample):
    model = fit().model
    half = np.arange(len(sample.truth)) // 4 % 2 == 0  # the four conditions come in turn
    calibration = [visits(sample, np.flatnonzero(half), k, seed=k) for k in (1, 2)]
    sets = fitted(model, [rows for rows, _ in calibration], calibration[0][1])
    assert sets.coverage == COVERAGE
    rows, truth = visits(sample, np.flatnonzero(~half), 2, seed=9)
    bare, shown, size = covered(model, sets, rows, truth)
    assert bare.value == pytest.approx(COVERAGE, abs=0.06)  # 300 patients: 2 standard errors 0.035
    assert shown.value >= bare.value
    assert 1.0 <= size <= len(model.diseases)
