"""Visits as an interviewer leaves them: true to the record, few questions, choices whole."""

import numpy as np
import pytest
from support.tiny_patients import DISEASES, FINDINGS, Row, patients, vocabulary

from ddx.domain.identifiers import FindingId
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, encode_table
from training.evaluate.asking import Interviewer, Script
from training.evaluate.naive_bayes import NaiveBayes
from training.fit.common import Sample, schema_of
from training.sources.ddxplus import Vocabulary

SITES = [i for i, row in enumerate(FINDINGS) if row.id.startswith("VF:pain-site")]
ASTHMA = next(i for i, row in enumerate(FINDINGS) if row.id == "VF:history.asthma")


@pytest.fixture(scope="module")
def sample():
    words = vocabulary()
    diseases = tuple(sorted(row.id for row in DISEASES))
    return Sample.of(patients(400), words, diseases, None)


@pytest.fixture(scope="module")
def interviewer(sample):
    schema = schema_of(sample.answers, sample.vocabulary)
    beliefs = NaiveBayes.fitted(sample.fully_asked(schema), sample.truth, schema, len(DISEASES))
    findings = sample.vocabulary.findings
    script = Script(
        findings=findings,
        subject={f: "pain.site" if f.startswith("VF:pain-site") else f for f in findings},
        openings=frozenset(f for f in findings if not f.startswith(("VF:history", "VF:travel"))),
    )
    return Interviewer(script, beliefs)


def asked(interviewer, sample, questions, seed=1):
    limits = np.full(len(sample.truth), questions)
    return interviewer.visits(sample.answers, limits, np.random.default_rng(seed))


def test_a_visit_opens_with_one_complaint_and_no_antecedent(interviewer, sample):
    presence = asked(interviewer, sample, 0).presence
    has_symptom = (sample.answers.table(sample.vocabulary.findings).presence == PRESENT).any(axis=1)
    assert ((presence == PRESENT).sum(axis=1) == has_symptom).all()
    assert not (presence == EXCLUDED).any()
    others = np.delete(np.arange(len(FINDINGS)), [ASTHMA, len(FINDINGS) - 1])
    opened_otherwise = (presence[:, ASTHMA] == PRESENT) | (presence[:, -1] == PRESENT)
    whole = sample.answers.table(sample.vocabulary.findings).presence
    assert not (whole[opened_otherwise][:, others] == PRESENT).any()


def test_what_comes_out_is_what_the_record_holds(interviewer, sample):
    table, whole = asked(interviewer, sample, 4), sample.answers.table(sample.vocabulary.findings)
    known = table.presence != UNKNOWN
    np.testing.assert_array_equal(table.presence[known], whole.presence[known])
    shown = table.presence == PRESENT
    np.testing.assert_array_equal(table.grade[shown], whole.grade[shown])
    assert np.isnan(table.grade[~shown]).all()


def test_a_choice_is_answered_whole(interviewer, sample):
    presence = asked(interviewer, sample, 3).presence[:, SITES]
    denied = (presence == EXCLUDED).any(axis=1)
    assert denied.any()
    assert (presence[denied] != UNKNOWN).all()


def test_more_questions_leave_less_unknown_and_all_of_them_nothing(interviewer, sample):
    unknown = [(asked(interviewer, sample, n).presence == UNKNOWN).mean() for n in (0, 2, 4, 20)]
    assert unknown == sorted(unknown, reverse=True)
    assert unknown[0] > unknown[1]
    assert unknown[-1] == 0.0


def test_chosen_questions_name_more_diseases_than_the_complaint_alone(interviewer, sample):
    beliefs = interviewer.beliefs

    def right(questions):
        rows = encode_table(asked(interviewer, sample, questions), beliefs.schema)
        return (beliefs.probabilities_of(rows).argmax(axis=1) == sample.truth).mean()

    assert right(3) > right(0) + 0.1


def test_the_same_seed_asks_the_same(interviewer, sample):
    first, second = asked(interviewer, sample, 3), asked(interviewer, sample, 3)
    np.testing.assert_array_equal(first.presence, second.presence)


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
