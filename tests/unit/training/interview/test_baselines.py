"""Peers answer the same rows in the same shape, so their figures stand side by side."""

import numpy as np
import pytest
from support.tiny_patients import SEVERITY, fit

from training.evaluate.baselines import table
from training.evaluate.common import Estimate
from training.evaluate.naive_bayes import NaiveBayes
from training.evaluate.protocols import measure
from training.evaluate.rivals import unmasked
from training.fit.boost import FitSettings
from training.fit.sample import Sample


@pytest.fixture(scope="module")
def test_patients():
    made = fit()
    everyone = Sample.of(made.patients, made.vocabulary, made.diseases, None)
    return everyone.take(made.split.train), everyone.take(made.split.test)


def measured(predict, test):
    severity = np.array([SEVERITY[d] for d in fit().diseases])
    return measure({"peer": predict}, test, fit().schema, severity)["peer"]


def test_naive_bayes_is_measured_on_the_protocols_of_the_model(test_patients):
    train, test = test_patients
    schema, n = fit().schema, len(fit().diseases)
    peer = NaiveBayes.fitted(train.fully_asked(schema), train.truth, schema, n)
    figures = measured(peer.probabilities_of, test)
    assert set(figures) == set(fit().metrics)
    assert figures["full_evidence"]["top1"].value > 0.8


def test_a_model_that_never_saw_a_gap_is_right_on_full_evidence(test_patients):
    train, test = test_patients
    peer = unmasked(train, fit().schema, len(fit().diseases), FitSettings(seed=1, threads=1))
    assert measured(peer, test)["full_evidence"]["top1"].value > 0.8
    p = peer(test.fully_asked(fit().schema))
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-5)


def test_the_table_has_a_row_per_protocol_and_a_column_per_model():
    figures = {
        name: {"full_evidence": {"top1": Estimate(value, value, value)}}
        for name, value in (("vereda", 0.9), ("naive bayes", 0.8))
    }
    head, row = table(figures, "top1").splitlines()
    assert head.split() == ["top1", "vereda", "naive", "bayes"]
    assert row.index("0.9000") < row.index("0.8000")
