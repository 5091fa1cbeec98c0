"""Held-out DDXPlus patients are told at the stated rate, two of them in one body far more often."""

import numpy as np
import pytest

from training.evaluate.held_out import HeldOut
from training.fit.endemic import Purpose
from training.fit.outside import CLINIC, RATE, fit_outside, sources_of, visits
from training.sources.endemic import endemic_knowledge

pytestmark = [pytest.mark.data, pytest.mark.slow]

PATIENTS = 2000


@pytest.fixture(scope="module")
def held_out(clinical_data):
    return HeldOut.read(clinical_data)


@pytest.fixture(scope="module")
def model(held_out):
    common, rng = held_out.engine.common, np.random.default_rng(1)
    patients = held_out.some(held_out.split.calibration, PATIENTS, rng)
    knowledge = endemic_knowledge()
    seen = visits(patients, common.schema, knowledge, Purpose.CALIBRATION)
    source = sources_of(len(common.diseases), knowledge)
    return fit_outside((visit.rows for visit in seen), common.schema, common.bayes, source)


@pytest.fixture(scope="module")
def clinic(held_out):
    common, rng = held_out.engine.common, np.random.default_rng(2)
    patients = held_out.some(held_out.split.test, PATIENTS, rng)
    knowledge = endemic_knowledge()
    (visit,) = visits(patients, common.schema, knowledge, Purpose.MEASURING, protocols=(CLINIC,))
    return visit


def told(model, rows, common):
    p = model.p_values(rows, common.schema, common.bayes)
    return float((p[~np.isnan(p)] <= RATE).mean())


def test_familiar_visits_are_told_at_the_stated_rate(model, clinic, held_out):
    # 2,600 visits: two standard errors are 0.009
    assert told(model, clinic.rows, held_out.engine.common) == pytest.approx(RATE, abs=0.02)


def test_two_patients_in_one_body_are_told_far_more_often(model, clinic, held_out):
    other = np.random.default_rng(3).permutation(len(clinic.truth))
    differ = clinic.truth != clinic.truth[other]
    one, two = clinic.rows[differ], clinic.rows[other][differ]
    both = np.where((one > 0) | np.isnan(two), one, two)
    assert told(model, both, held_out.engine.common) > 5 * RATE
