"""What the inquirer believes before it asks."""

import numpy as np
import pytest
from support.inquiry import BRONCHITIS, INFLUENZA, FlatModel, case_with, schema_of

from ddx.features.encode import encode
from ddx.inquiry.belief import COUNTS_WEIGHT, Belief

FINDINGS = ("HP:0001945", "HP:0012735")
FREQUENCY = [[0.9, 0.5], [0.2, 0.8]]


def believed(bank_of, case):
    model = FlatModel(schema_of(FINDINGS), (INFLUENZA, BRONCHITIS), (0.25, 0.75))
    belief = Belief(model, bank_of(FINDINGS, FREQUENCY))
    return belief.probabilities(encode(case, model.schema))


def test_fever_without_cough_is_weighed_by_trees_and_counts_together(bank_of):
    found = believed(bank_of, case_with(present=["HP:0001945"], excluded=["HP:0012735"]))
    # counts: 0.25 * 0.9 * 0.5 = 0.1125 against 0.75 * 0.2 * 0.2 = 0.03; trees: 0.25 against 0.75
    counts = np.array([0.1125, 0.03]) / 0.1425
    pooled = np.array([0.25, 0.75]) ** (1 - COUNTS_WEIGHT) * counts**COUNTS_WEIGHT
    np.testing.assert_allclose(found, pooled / pooled.sum(), rtol=1e-5)


def test_without_findings_the_belief_is_that_of_the_trees(bank_of):
    np.testing.assert_allclose(believed(bank_of, case_with()), [0.25, 0.75], rtol=1e-6)


def test_a_finding_no_patient_of_a_disease_had_does_not_rule_it_out(bank_of, catalogue):
    model = FlatModel(schema_of(FINDINGS), (INFLUENZA, BRONCHITIS), (0.5, 0.5))
    belief = Belief(model, bank_of(FINDINGS, [[0.0, 0.5], [0.2, 0.8]]))
    found = belief.probabilities(encode(case_with(present=["HP:0001945"]), model.schema))
    assert found[0] > 0.01
    assert found.sum() == pytest.approx(1.0)
