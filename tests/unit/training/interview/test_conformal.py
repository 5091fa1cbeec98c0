"""Sets calibrated on one part of the patients cover the other as promised."""

import hashlib

import numpy as np
import pytest
from support.tiny_patients import fit

from ddx.inference.conformal import drawn, prediction_set
from training.evaluate.conformal import (
    COVERAGE,
    Visit,
    covered,
    evidence_of,
    fitted,
    groups_of,
    random_parts,
)
from training.fit.common import Sample
from training.fit.partial import Budget


@pytest.fixture(scope="module")
def sample():
    made = fit()
    return Sample.of(made.patients, made.vocabulary, made.diseases, None)


def visit(sample, rows, present, seed):
    made, part = fit(), sample.take(rows)
    budget = Budget.fixed(len(rows), present=present)
    rng = np.random.default_rng(seed)
    asked = part.partly_asked(made.schema, budget, part.rates(), rng)
    return Visit(f"present_{present}", asked, part.truth)


@pytest.fixture(scope="module")
def calibrated(sample):
    half = np.arange(len(sample.truth)) // 4 % 2 == 0  # the four conditions come in turn
    visits = [visit(sample, np.flatnonzero(half), k, seed=k) for k in (1, 2)]
    return fitted(fit().model, visits, groups_of(4, 4)), np.flatnonzero(~half)


def test_the_evidence_of_a_row_is_counted_by_state():
    schema = fit().schema
    row = np.full((1, len(schema)), np.nan, dtype=np.float32)
    row[0, :2] = (40.0, 1.0)  # age and sex are no findings
    row[0, 2:5] = (1.0, 0.0, 0.0)
    present, excluded = evidence_of(row, schema)
    assert (present.tolist(), excluded.tolist()) == ([1], [2])


def test_held_out_patients_are_covered_as_promised(sample, calibrated):
    sets, rest = calibrated
    (line,) = covered(fit().model, sets, visit(sample, rest, 2, seed=9))
    assert sets.coverage == COVERAGE
    assert (line.protocol, line.group, line.patients) == ("present_2", "DDXPlus", len(rest))
    assert line.bare.value == pytest.approx(COVERAGE, abs=0.07)  # 300 patients: 2 s.e. 0.035
    assert line.shown.value >= line.bare.value
    assert 1.0 <= line.size <= 4


def test_what_is_measured_is_the_set_a_device_shows(sample, calibrated):
    sets, rest = calibrated
    one = visit(sample, rest[:40], 2, seed=4)
    (line,) = covered(fit().model, sets, one)
    present, excluded = evidence_of(one.rows, fit().schema)
    held, sizes = [], []
    for i, p in enumerate(fit().model.probabilities_of(one.rows)):
        shown = prediction_set(
            p,
            sets,
            present=int(present[i]),
            excluded=int(excluded[i]),
            digest=hashlib.sha256(one.rows[i].astype("<f4").tobytes()).hexdigest(),
        )
        held.append(one.truth[i] in shown)
        sizes.append(len(shown))
    assert line.shown.value == pytest.approx(np.mean(held))
    assert line.size == pytest.approx(np.mean(sizes))


def test_the_random_part_of_a_row_is_that_of_its_digest(sample):
    rows = visit(sample, np.arange(3), 2, seed=1).rows
    digest = hashlib.sha256(rows[1].astype("<f4").tobytes()).hexdigest()
    assert random_parts(rows)[1] == drawn(digest)


def test_diseases_the_trees_never_saw_are_a_group_of_their_own():
    assert groups_of(5, 3) == (0, 0, 0, 1, 1)
