"""Peers answer the same rows in the same shape, so their figures stand side by side."""

import numpy as np
import pytest
from support.tiny_patients import DISEASES, SEVERITY, Row, fit, patients

from ddx.domain.identifiers import FindingId
from training.evaluate.baselines import table
from training.evaluate.common import Estimate
from training.evaluate.naive_bayes import NaiveBayes
from training.evaluate.protocols import measure
from training.evaluate.rivals import unmasked
from training.fit.boost import FitSettings
from training.fit.sample import Sample, schema_of
from training.sources.ddxplus import Vocabulary


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


def test_naive_bayes_counts_as_by_hand():
    words = Vocabulary.of((Row("HP:0001945", "E_91"),), DISEASES)
    few = [p for p in patients(400) if p.condition in {"Influenza", "Urticaria"}]
    sample = Sample.of(tuple(few), words, ("VD:influenza", "VD:urticaria"), None)
    schema = schema_of(sample.answers, words)
    rows = sample.fully_asked(schema)
    model = NaiveBayes.fitted(rows, sample.truth, schema, 2)
    fever = rows[:, schema.positions[FindingId("HP:0001945")]] > 0
    flu = sample.truth == 0
    share = (np.sum(fever & flu) + 0.5) / (np.sum(flu) + 1.0)
    only_fever = np.array([[np.nan, np.nan, 1.0]], dtype=np.float32)
    prior = (np.sum(flu) + 0.5) / (len(flu) + 1.0)
    rarest = 5e-4  # no patient with urticaria has fever: half a patient in a hundred and one
    other = max(0.5 / (np.sum(~flu) + 1.0), rarest)
    by_hand = prior * share / (prior * share + (1 - prior) * other)
    assert model.probabilities_of(only_fever)[0, 0] == pytest.approx(by_hand, rel=1e-9)
